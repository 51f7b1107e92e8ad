"""One act on many cases: each is judged by the law on its own, each is logged, and what came of each is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import conversation, prepared, triage
from manyeyes.cases.access import roles_in
from manyeyes.cases.facts import facts_of
from manyeyes.cases.models import Case, Message
from manyeyes.rules import lifecycle
from manyeyes.rules.errors import Conflict, Refused
from manyeyes.rules.lifecycle import Status

MOVES = ("accept", "close")
"""What can be done with many at once beside a reply, which is a word and no move."""
MOST = 50


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """One case before the act: which move is not possible, and why (move → a sentence)."""

    case: Case
    refused: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of one case: done, or the reason why it stayed as it was."""

    case: Case
    done: bool
    words: str


def ahead(cases: Sequence[Case], *, by: Any) -> list[Ahead]:
    """What the law says of each case before anything is sent."""
    return [Ahead(case=case, refused=_refused(case, by)) for case in cases]


def accept(cases: Sequence[Case], *, by: Any, seen: Mapping[str, int]) -> list[Came]:
    """Take them into work. `seen` (here and in `close`): reference → the version that the person read."""
    return _each(cases, lambda case: triage.accept(case, by=by, expected_version=seen.get(case.ref)))


def reply(cases: Sequence[Case], *, by: Any, since: datetime, words: str) -> list[Came]:
    """Answer each researcher with the same words, names in braces filled in for each.

    Where `by` has written to a researcher since the moment `since`, nothing is sent again: a form sent twice says
    things once. Raises Invalid before anything is sent where the words are none.
    """
    text = prepared.checked_text("words", words)

    def say(case: Case) -> None:
        if Message.objects.filter(case=case, author=by, public=True, at__gt=since).exists():
            raise Conflict(_("You have written to this researcher since you opened the page."))
        conversation.say(case, by=by, text=prepared.fill(text, case, by=by), public=True)

    return _each(cases, say)


def close(cases: Sequence[Case], *, by: Any, seen: Mapping[str, int], reason: str, words: str) -> list[Came]:
    """Close them for one reason. What repeats another case is marked one by one, in fixed words: see `duplicates`."""
    text = prepared.checked_text("words", words)

    def end(case: Case) -> None:
        filled = prepared.fill(text, case, by=by)
        triage.close(case, by=by, reason=reason, words=filled, expected_version=seen.get(case.ref))

    return _each(cases, end)


def _each(cases: Sequence[Case], act: Callable[[Case], Any]) -> list[Came]:
    return [_one(case, act) for case in cases]


def _one(case: Case, act: Callable[[Case], Any]) -> Came:
    try:
        act(case)
    except Refused as refused:
        return Came(case=case, done=False, words=refused.message)
    return Came(case=case, done=True, words=_("done"))


def _refused(case: Case, by: Any) -> dict[str, str]:
    roles, facts = roles_in(by, case), replace(facts_of(case), reason_given=True)
    found = {}
    for move in MOVES:
        try:
            lifecycle.check(move, Status(case.status), roles, facts)
        except Refused as refused:
            found[move] = refused.message
    return found
