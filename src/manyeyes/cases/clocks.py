"""The promises of the program to this case, recomputed from the event log alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from manyeyes import events
from manyeyes.cases.models import Case
from manyeyes.rules import clock, deadlines, severity
from manyeyes.rules.deadlines import Clock

OF_THE_REPORTER = frozenset({"report.received", "move.answer", "move.withdraw", "credit.chosen"})
NO_WORD = frozenset(
    {
        "replay.requested", "move.request_verification", "reproducer.attached", "file.attached", "exploited",
        "mitigated", "message.edited", "receipt.claimed", "replay.longer",
    }
)  # fmt: skip
"""Public acts of the team that say nothing to the researcher: starting a machine or noting a fact is no answer."""


def clocks(case: Case, *, log: Iterable[Any] | None = None, at: datetime | None = None) -> list[Clock]:
    """The clocks of the case at this moment. `log` spares the query where the caller has the events already."""
    rows = list(events.log(case.subject)) if log is None else list(log)
    rated = [row for row in rows if row.kind == "rated"]
    band = severity.score(rated[-1].data["vector"]).highest_band if rated else ""
    return deadlines.clocks(
        [_entry(row, case) for row in rows],
        opened=rows[0].at if rows else case.created_at,
        at=at or clock.now(),
        promises=_promises(case),
        band=band,
    )


def _promises(case: Case) -> deadlines.Promises:
    """What the policy promised that the report was sent under; a version that kept no figures means the program's."""
    kept = case.policy_version.terms if case.policy_version else {}
    return deadlines.Promises(
        first_answer_hours=kept.get("first_response_hours", case.program.first_response_hours),
        decision_hours=kept.get("decision_hours", case.program.decision_hours),
    )


def running(found: Iterable[Clock]) -> list[Clock]:
    """The clocks that run, the next to end first."""
    return sorted((one for one in found if one.running), key=lambda one: one.due)


def keep(case: Case) -> None:
    """Store what the log says beside the case, to find and sort by: the first human answer, the next promise to end."""
    found = clocks(case)
    answered = next(one.done_at for one in found if one.name == "first_answer")
    due = next((one.due for one in running(found)), None)
    if (case.acknowledged_at, case.due_at) != (answered, due):
        case.acknowledged_at, case.due_at = answered, due
        case.save(update_fields=["acknowledged_at", "due_at"])


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
    )
