"""Draft, private, public: the launch checklist of a program, who said what on it, and the steps between its states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from manyeyes import events
from manyeyes.programs import policy
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import LaunchAnswer, Membership, Program
from manyeyes.programs.openpgp import MANAGERS, subject
from manyeyes.rules import clock, launch, promises
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed, NotFound
from manyeyes.rules.marked import marked as _

State = Program.State
NOT_OUTSIDE = _(
    "Its address is one of this machine, where nobody else can read it. Set MANYEYES_BASE_URL to the public https "
    "address of the site and start it again; only to try things out, go on as it is."
)
NOT_HTTPS = _("It must be served over https: set MANYEYES_BASE_URL to the site's public https address.")
PAST = "program.opened_unchecked"
"""The event of a program that was opened past its checklist, on the machine."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One line of the checklist with the answer that stands: by whom, and when."""

    line: launch.Line
    answer: LaunchAnswer | None = None

    @property
    def name(self) -> str:
        """The item's name."""
        return self.line.item.name


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The checklist as it stands. `several` names people who stand on more than one line: a small profile."""

    lines: tuple[Said, ...]
    several: tuple[tuple[str, int], ...] = ()

    @property
    def missing(self) -> tuple[Said, ...]:
        """What is still missing."""
        return tuple(row for row in self.lines if row.line.state == "missing")

    @property
    def done(self) -> int:
        """How many lines are in order."""
        return len(self.lines) - len(self.missing)


def standing(program: Program) -> Standing:
    """The checklist of a program."""
    answers = newest(program)
    lines = launch.judge(facts(program), {name: _plain(row) for name, row in answers.items()})
    held: dict[Any, list[str]] = {}
    for name, row in answers.items():
        if row.applies and row.person is not None:
            held.setdefault(row.person, []).append(name)
    several = tuple((person.name, len(names)) for person, names in held.items() if len(names) > 1)
    return Standing(lines=tuple(Said(line=line, answer=_heard(line, answers)) for line in lines), several=several)


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """That a program was opened past its checklist, when, and what of it is still missing."""

    at: datetime
    lines: tuple[Said, ...]


def passed_over(program: Program, now: Standing) -> PassedOver | None:
    """What was skipped on the way to the public and is not done yet; None where nothing was, or all is done since."""
    opened = events.log(subject(program)).filter(kind=PAST).last()
    if opened is None or program.state not in (State.PUBLIC, State.PAUSED) or not now.missing:
        return None
    return PassedOver(at=opened.at, lines=now.missing)


def facts(program: Program) -> launch.Facts:
    """What the platform sees for itself."""
    version = program.policy
    errors = [] if version is None else [one for one in policy.reading(version).findings if one.level == "error"]
    return launch.Facts(
        pays=program.scope.exclude(reward="").exists(),
        people=program.memberships.count(),
        policy_in_force=version is not None,
        policy_errors=len(errors),
        systems=program.targets.count(),
        scope_lines=program.scope.filter(in_scope=True).count(),
        securitytxt_problem=securitytxt_problem(settings.MANYEYES_BASE_URL),
        unkept=f"{why} {promises.MEND}" if (why := promises.unkept(policy.terms_of(program, version))) else "",
        test_sent=program.test_sent_at is not None,
        test_answered=program.test_answered_at is not None,
    )


def securitytxt_problem(base_url: str) -> str:
    """What keeps the file from being read where RFC 9116 says it must stand; "" when nothing does."""
    parts = urlsplit(base_url)
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return NOT_OUTSIDE
    return "" if parts.scheme == "https" else NOT_HTTPS


def newest(program: Program) -> dict[str, LaunchAnswer]:
    """The newest answer to each item."""
    rows = program.launch_answers.select_related("person", "by").order_by("at")
    return {row.item: row for row in rows}


def say(
    program: Program,
    *,
    item: str,
    by: Any,
    person: Any = None,
    hours: int | None = None,
    applies: bool = True,
    reason: str = "",
) -> LaunchAnswer:
    """Answer one item: who holds it, or why it does not apply. Earlier answers stay on record. Raises Invalid."""
    _require_manager(program, by)
    asked = launch.BY_NAME.get(item)
    if asked is None or (asked.kind == launch.Kind.FACT and not asked.skippable):
        raise NotFound("There is no such item to answer.")
    if person is not None and not Membership.objects.filter(program=program, person=person).exists():
        raise Invalid(person="Choose somebody of the team; bring them in first.")
    answer = launch.Answer(applies=applies, person=person.name if person else "", hours=hours, reason=reason)
    wrong = launch.wrong_with(asked, answer)
    if wrong:
        raise Invalid(wrong)
    if item == "backup" and person is not None and applies and program.memberships.count() > 1:
        first = newest(program).get("responder")
        if first is not None and first.applies and first.person_id == person.pk:
            raise Invalid(person=launch.OWN_BACKUP)
    with transaction.atomic():
        row = LaunchAnswer.objects.create(
            key=program.key,
            program=program,
            item=item,
            applies=applies,
            person=person if applies else None,
            hours=hours if applies and asked.kind == launch.Kind.HOURS else None,
            reason=reason.strip() or None,
            by=by,
        )
        who = str(person.pk) if applies and person else ""
        _record(program, "launch.said", by=by, item=item, applies=applies, person=who, hours=row.hours)
    return row


@transaction.atomic
def make_private(program: Program, *, by: Any) -> Program:
    """From draft to private: the policy holds, the team may try it out, nobody else sees it. Raises IllegalMove."""
    _require_manager(program, by)
    row = _locked(program, State.DRAFT)
    missing = [one for one in standing(row).missing if one.name in ("policy", "scope")]
    if missing:
        raise IllegalMove(_refusal("This program cannot take a report yet", missing))
    return _move(program, row, State.PRIVATE, by)


@transaction.atomic
def go_public(program: Program, *, by: Any) -> Program:
    """From private to public. Raises IllegalMove naming every item of the checklist that is missing."""
    _require_manager(program, by)
    row = _locked(program, State.PRIVATE, State.DRAFT)
    missing = standing(row).missing
    if missing:
        raise IllegalMove(_refusal("This program is not ready for the public", missing))
    return _move(program, row, State.PUBLIC, by)


@transaction.atomic
def pause(program: Program, *, by: Any) -> Program:
    """Take no new reports for a while; everything else goes on."""
    _require_manager(program, by)
    return _move(program, _locked(program, State.PUBLIC), State.PAUSED, by)


@transaction.atomic
def resume(program: Program, *, by: Any) -> Program:
    """Take reports again."""
    _require_manager(program, by)
    return _move(program, _locked(program, State.PAUSED), State.PUBLIC, by)


def tested(program: Program, *, sent_at: Any, answered_at: Any) -> None:
    """Note how the newest test report stands; `cases.rehearsal` knows, the checklist reads it here."""
    if (program.test_sent_at, program.test_answered_at) != (sent_at, answered_at):
        Program.objects.filter(pk=program.pk).update(test_sent_at=sent_at, test_answered_at=answered_at)
        program.test_sent_at, program.test_answered_at = sent_at, answered_at


def _heard(line: launch.Line, answers: Mapping[str, LaunchAnswer]) -> LaunchAnswer | None:
    """The answer that stands; none to a warning that has nothing to warn of any more."""
    over = line.item.kind == launch.Kind.FACT and line.state == "done"
    return None if over else answers.get(line.item.name)


def _plain(row: LaunchAnswer) -> launch.Answer:
    return launch.Answer(
        applies=row.applies,
        person=row.person.name if row.person else "",
        who=str(row.person_id or ""),
        hours=row.hours,
        reason=row.reason or "",
    )


def _locked(program: Program, *states: str) -> Program:
    row = Program.objects.select_for_update().get(pk=program.pk)
    if row.state not in states:
        raise Conflict(f"This program is {row.get_state_display().lower()} now. Look again, then decide.")
    return row


def _move(program: Program, row: Program, state: str, by: Any) -> Program:
    before, row.state = row.state, state
    Program.objects.filter(pk=row.pk).update(state=state)
    program.state = state
    _record(program, "program.moved", by=by, before=str(before), after=str(state))
    return program


def _record(program: Program, kind: str, *, by: Any, **data: Any) -> None:
    known: Mapping[str, Any] = {name: value for name, value in data.items() if value not in (None, "")}
    events.record(subject(program), kind, actor=by.actor, human=True, at=clock.now(), **known)


def _refusal(lead: str, missing: Any) -> str:
    return f"{lead}: " + " ".join(f"{one.line.item.title}: {one.line.missing}" for one in missing)


def _require_manager(program: Program, by: Any) -> None:
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed("The launch is the manager's or an admin's to decide.")
