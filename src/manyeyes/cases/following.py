"""Keeps the reporters of cases that follow another one informed: a public line in their own case, in fixed words."""

from __future__ import annotations

from typing import Any

from manyeyes.cases import people
from manyeyes.cases.fixed_words import NOT_TOLD
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.rules.lifecycle import WITH_ANOTHER, CloseReason

TOLD = ("confirmed", "fixed", "resolved", "published", "closed", "reopened")
"""The public decisions that are passed on; each is an event `same_flaw.…` of the case that follows."""


def tell(original: Case, what: str, **data: Any) -> None:
    """Pass a public decision on to every case that follows this one; within the transaction of the decision itself.

    No word of the original goes along, nor anything of its reporter: only that it happened, and the reason of a close
    where that is about the flaw. Where it is about the other reporter, the team is told to decide anew.
    """
    if what not in TOLD:
        raise ValueError(f"what: one of {', '.join(TOLD)}")
    reason = data.get("reason", "")
    if reason in WITH_ANOTHER:  # they follow the other one from now on
        return
    for case in original.duplicates.filter(key__destroyed_at=None).select_related("key", "program", "reporter"):
        if reason and CloseReason(reason) in NOT_TOLD:
            with acting(case, "same_flaw.lost", by=None, allowed=None, tell=people.team(case), other=original.ref):
                pass
            continue
        with acting(case, f"same_flaw.{what}", by=None, allowed=None, public=True, tell=people.reporter(case), **data):
            pass
