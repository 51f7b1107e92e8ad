"""The promises of the program to this case, recomputed from the event log alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from manyeyes import events
from manyeyes.cases.models import Case
from manyeyes.programs.models import Program
from manyeyes.rules import alarms, clock, deadlines, promises, severity
from manyeyes.rules.calendars import reached
from manyeyes.rules.deadlines import Clock

OF_THE_REPORTER = frozenset({"report.received", "move.answer", "move.withdraw", "credit.chosen"})
NO_WORD = frozenset(
    {
        "replay.requested", "move.request_verification", "reproducer.attached", "file.attached", "exploited",
        "mitigated", "message.edited", "receipt.claimed", "replay.longer", "fix.kind",
    }
)  # fmt: skip
"""Public acts of the team that say nothing to the researcher: starting a machine or noting a fact is no answer."""


def clocks(case: Case, *, log: Iterable[Any] | None = None, at: datetime | None = None) -> list[Clock]:
    """The clocks of the case at this moment. `log` spares the query where the caller has the events already."""
    rows = list(events.log(case.subject)) if log is None else list(log)
    return deadlines.clocks(
        _entries(rows, case),
        opened=_opened(rows, case),
        at=at or clock.now(),
        promises=promises.read(terms(case)),
    )


def terms(case: Case) -> dict[str, Any]:
    """The promises of the policy that the report was sent under; a version that kept none means the program's."""
    program, kept = case.program, case.policy_version.terms if case.policy_version else {}
    own = {name: getattr(program, name) for name in ("first_response_hours", "decision_hours", "embargo_days")}
    return {**own, **kept}


def answer_by(program: Program) -> datetime:
    """When a person will have answered a report that is sent now, by the policy in force."""
    version = program.policy
    kept = promises.read({"first_response_hours": program.first_response_hours, **(version.terms if version else {})})
    hours = timedelta(hours=kept.first_answer_hours)
    return reached(clock.now(), hours, kept.calendar_of("first_answer"))


def first_answer_due(case: Case) -> datetime:
    """When a person will have answered this report."""
    return next(one.due for one in clocks(case) if one.name == "first_answer")


def running(found: Iterable[Clock]) -> list[Clock]:
    """The clocks that run, the next to end first."""
    return sorted((one for one in found if one.running), key=lambda one: one.due)


def keep(case: Case) -> list[Clock]:
    """Store what the log says beside the case: the first human answer, the next promise to end, the next alarm."""
    rows = list(events.log(case.subject))
    found = clocks(case, log=rows)
    answered = deadlines.first_word(_entries(rows, case))
    due = next((one.due for one in running(found)), None)
    alarm = alarms.next_at(found, taken(rows))
    if (case.acknowledged_at, case.due_at, case.alarm_at) != (answered, due, alarm):
        case.acknowledged_at, case.due_at, case.alarm_at = answered, due, alarm
        case.save(update_fields=["acknowledged_at", "due_at", "alarm_at"])
    return found


def taken(rows: Iterable[Any]) -> dict[str, int]:
    """The highest step of alarm that the log knows for each run of a clock."""
    found: dict[str, int] = {}
    for row in rows:
        if row.kind == "clock.alarm":
            found[row.data["run"]] = max(row.data["step"], found.get(row.data["run"], -1))
    return found


def _opened(rows: list[Any], case: Case) -> datetime:
    """When the report came; for a case split off another, when that one's did."""
    if not rows:
        return case.created_at
    came = rows[0].data.get("received") if rows[0].kind == deadlines.SPLIT else ""
    return datetime.fromisoformat(came) if came else rows[0].at


def _entries(rows: list[Any], case: Case) -> list[deadlines.Entry]:
    """The log as the clocks read it; an answer that was given before a case was split off counts in the new one."""
    found = [_entry(row, case) for row in rows]
    said = rows[0].data.get("answered") if rows and rows[0].kind == deadlines.SPLIT else ""
    if said:
        at = datetime.fromisoformat(said)
        found.insert(0, deadlines.Entry(at=at, kind="answered.before", human=True, public=True, by_team=True))
    return found


def _detail(row: Any) -> str:
    """What the clocks read of an event: the band of a rating, the kind of a fix, the date both sides agreed on."""
    if row.kind == deadlines.RATED:
        # Ratings from before rubrics had versions name no band; they are all of the standard.
        return str(row.data.get("band") or severity.score(row.data["vector"]).highest_band)
    name = {deadlines.FIX_KIND: "fix", deadlines.AGREED: "until"}.get(row.kind)
    return str(row.data.get(name, "")) if name else ""


def _entry(row: Any, case: Case) -> deadlines.Entry:
    # Whatever a member of the team does in the case they reported is no word of the team to the researcher.
    own = row.actor == f"person:{case.reporter_id}"
    outside = own or row.kind in OF_THE_REPORTER or row.data.get("side") == "reporter"
    return deadlines.Entry(
        at=row.at,
        kind=row.kind,
        human=row.human,
        public=row.public,
        by_team=row.human and not outside and row.kind not in NO_WORD,
        detail=_detail(row),
    )
