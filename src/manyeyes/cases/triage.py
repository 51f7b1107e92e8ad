"""The first decisions: take into work, ask, answer, assign, close with a reason, reopen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes import events
from manyeyes.cases import assignment, duplicates, families, following, people
from manyeyes.cases.access import is_reporter
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import facts_of
from manyeyes.cases.models import Case, Message
from manyeyes.cases.moves import acting, moving
from manyeyes.programs.access import roles_of
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import TEAM_CLOSE_REASONS, TRIAGERS, CloseReason, Role, Status

ORIGINS = {
    "outside": gettext_lazy("from outside"),
    "staff": gettext_lazy("from a colleague"),
    "red_team": gettext_lazy("from the internal red team"),
}
"""Where a report comes from; public figures count those from outside."""


def accept(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """Take an acknowledged case into work."""
    with moving(case, "accept", by=by, tell=people.reporter(case), expected_version=expected_version) as row:
        if row.assignee_id is None:
            row.assignee = by
    if not case.seats.exists():  # it came in a flood, or before the program assigned on arrival
        assignment.arrived(case)
    return case


def confirm(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """Confirm the finding: reproduced, looked at, rated, and signed off by both disciplines."""
    with moving(case, "confirm", by=by, tell=people.everybody(case), expected_version=expected_version) as row:
        row.confirmed_at = row.confirmed_at or clock.now()
        following.tell(row, "confirmed")
    return case


def ask_researcher(case: Case, *, by: Any, text: str, expected_version: int | None = None) -> Case:
    """Put a question to the researcher; the clock pauses with it, and asking is an answer to their report."""
    word = _word(case, by=by, text=checked("text", text), purpose="question")
    with moving(
        case, "ask_researcher", by=by, tell=people.reporter(case), expected_version=expected_version,
        message=str(word.pk), said=word.text,
    ):  # fmt: skip
        word.save()
    return case


def answer(case: Case, *, by: Any, text: str, expected_version: int | None = None) -> Case:
    """The researcher's answer to a question; the case goes back to where it came from."""
    word = _word(case, by=by, text=checked("text", text), purpose="answer")
    with moving(
        case,
        "answer",
        by=by,
        tell=people.team(case),
        expected_version=expected_version,
        message=str(word.pk),
        said=word.text,
    ):
        word.save()
    return case


def assign_owner(case: Case, *, by: Any, to: Any) -> Case:
    """Name the person who owns the fix."""
    if to is None or not roles_of(to, case.program) & {Role.TARGET_OWNER, Role.PROGRAM_MANAGER}:
        raise Invalid(to="This person owns no target in this program. Choose a target owner or the manager.")
    allowed = TRIAGERS | {Role.TARGET_OWNER}
    with acting(case, "owner_assigned", by=by, allowed=allowed, tell=[to], to=f"person:{to.pk}") as row:
        row.owner = to
    return case


def close(case: Case, *, by: Any, reason: str, words: str, expected_version: int | None = None) -> Case:
    """Close with a reason from the list and a sentence the researcher reads; an unexplained close is not possible.

    Whoever follows this case hears of it. A duplicate and a merged case name another one: `duplicates` and `merging`.
    """
    if reason not in TEAM_CLOSE_REASONS:
        raise Invalid(reason=f"Choose one of: {', '.join(TEAM_CLOSE_REASONS)}.")
    word = _word(case, by=by, text=checked("words", words), purpose="close")
    with moving(
        case, "close", by=by, tell=people.everybody(case), given={"reason_given"}, expected_version=expected_version,
        reason=str(reason), message=str(word.pk), said=word.text,
    ) as row:  # fmt: skip
        word.save()
        row.close_reason = str(reason)
        following.tell(row, "closed", reason=str(reason))
    return case


def withdraw(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """The researcher takes the report back before work has begun."""
    with moving(case, "withdraw", by=by, tell=people.team(case), expected_version=expected_version) as row:
        row.close_reason = str(CloseReason.WITHDRAWN)
        following.tell(row, "closed", reason=str(CloseReason.WITHDRAWN))
    return case


def reopen(case: Case, *, by: Any, words: str, expected_version: int | None = None) -> Case:
    """Take a finished case up again, with a reason that both sides read; it follows no other case any more."""
    word = _word(case, by=by, text=checked("words", words), purpose="reopen")
    with families.held(case), moving(
        case, "reopen", by=by, tell=people.everybody(case), given={"reason_given"}, expected_version=expected_version,
        message=str(word.pk), said=word.text,
    ) as row:  # fmt: skip
        word.save()
        duplicates.let_go(row, by=by)
        following.tell(row, "reopened")
        row.close_reason = ""
        row.duplicate_of = None
        row.resolved_at = None
        row.appealed_at = None
        row.mitigated_at = None  # what lowered the risk then is to be shown anew
        row.reopened_at = clock.now()
    return case


def exploited(case: Case, *, by: Any) -> Case:
    """A dated fact: somebody uses the flaw against people. Everybody at work on the program hears of it."""
    tell = people.holding(case, TRIAGERS | {Role.TARGET_OWNER})
    with acting(case, "exploited", by=by, allowed=TRIAGERS | {Role.TARGET_OWNER}, tell=tell, public=True) as row:
        row.exploited_at = row.exploited_at or clock.now()
    return case


def appeal(case: Case, *, by: Any, words: str) -> Case:
    """The researcher's one appeal against a close; a person who did not close it decides, or reopens."""
    word = _word(case, by=by, text=checked("words", words), purpose="appeal")
    with acting(
        case, "appealed", by=by, allowed={Role.REPORTER}, tell=judges(case), public=True, message=str(word.pk),
        said=word.text, side="reporter",
    ) as row:  # fmt: skip
        if row.status != "closed" or row.close_reason == CloseReason.WITHDRAWN:
            raise Invalid(words="Only a case that the team closed can be appealed.")
        if row.appealed_at is not None:
            raise Invalid(words="An appeal was sent already; a person will answer it.")
        word.save()
        row.appealed_at = word.at
    return case


def uphold(case: Case, *, by: Any, words: str, expected_version: int | None = None) -> Case:
    """Answer an appeal with a reasoned no. Whoever closed the case does not judge their own close while others can."""
    word = _word(case, by=by, text=checked("words", words), purpose="upheld")
    with acting(
        case, "appeal.upheld", by=by, allowed=TRIAGERS, tell=people.everybody(case), public=True,
        message=str(word.pk), said=word.text, expected_version=expected_version,
    ) as row:  # fmt: skip
        if not appeal_waits(row):
            raise IllegalMove(_("No appeal waits for an answer."))
        if by.pk not in {person.pk for person in judges(row)}:
            raise NotAllowed(_("You closed this case, so another person answers the appeal. You may reopen it."))
        word.save()
    return case


def judges(case: Case) -> list[Any]:
    """Who may answer an appeal: every triager and manager but the one who closed, unless there is nobody else."""
    able, others = _able_to_judge(case)
    return others or able


def judged_by_another(case: Case) -> bool:
    """Whether somebody who did not close the case can answer an appeal; what the researcher is promised rests on it."""
    return bool(_able_to_judge(case)[1])


def may_appeal(case: Case) -> bool:
    """Whether the team closed the case and nobody has appealed yet."""
    return case.status == "closed" and case.appealed_at is None and case.close_reason != "withdrawn"


def _able_to_judge(case: Case) -> tuple[list[Any], list[Any]]:
    """Every triager and manager who did not report it, and those of them who did not close it."""
    closed = events.log(case.subject).filter(kind="move.close").last()
    able = [person for person in people.holding(case, TRIAGERS) if not is_reporter(person, case)]
    return able, [person for person in able if closed is None or person.actor != closed.actor]


def appeal_waits(case: Case) -> bool:
    """Whether the researcher appealed and nobody has answered yet."""
    if case.status != "closed" or case.appealed_at is None:
        return False
    return not events.log(case.subject).filter(kind="appeal.upheld", at__gte=case.appealed_at).exists()


def came_from(case: Case, *, by: Any, origin: str) -> Case:
    """Say whether the report came from outside, from a colleague or from the red team: they are counted apart."""
    if origin not in ORIGINS:
        raise Invalid(origin=_("Choose where the report came from."))
    with acting(case, "origin.set", by=by, allowed=TRIAGERS, origin=origin) as row:
        row.origin = origin
    return case


def ask_discipline(case: Case, *, by: Any, discipline: str) -> Case:
    """Call the other discipline to the rating that waits for its word; asked twice within a day, they hear it once."""
    if discipline not in ("security", "ml"):
        raise Invalid(discipline=_("Choose security or ML."))
    role = Role.SECURITY_TRIAGER if discipline == "security" else Role.ML_TRIAGER
    asked = events.log(case.subject).filter(kind="sign_off.asked", at__gt=clock.now() - timedelta(days=1))
    if any(event.data.get("discipline") == discipline for event in asked):
        raise Conflict(_("They were asked within the last day."))
    with acting(
        case, "sign_off.asked", by=by, allowed=TRIAGERS, tell=people.holding(case, [role]), discipline=discipline
    ) as row:
        known = facts_of(row)
        if not known.rated or known.signed_off or not Status(row.status).is_open:
            raise IllegalMove(_("There is no rating that waits for a sign-off."))
    return case


def _word(case: Case, *, by: Any, text: str, purpose: str) -> Message:
    return Message(case=case, author=by, public=True, text=text, purpose=purpose, at=clock.now())
