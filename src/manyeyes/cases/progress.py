"""The line of steps at the head of a case: what is behind, where it stands, what lies ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from manyeyes.cases.models import Case
from manyeyes.rules.lifecycle import Status
from manyeyes.rules.words import status_words

LINE = (
    Status.NEW,
    Status.TRIAGED,
    Status.CONFIRMED,
    Status.REMEDIATING,
    Status.FIX_DEPLOYED,
    Status.RETESTING,
    Status.RESOLVED,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: `state` is done, now or ahead."""

    word: str
    state: str
    at: datetime | None = None
    note: str = ""


def steps(case: Case) -> list[Step]:
    """The line of a case. A closed one ends where it was closed, with its reason."""
    status = Status(case.status)
    if status is Status.CLOSED:
        first = Step(word=status_words("new"), state="done", at=case.created_at)
        return [first, Step(word=status_words("closed", case.close_reason), state="now", at=case.changed_at)]
    asked = status is Status.NEEDS_INFO
    here = LINE.index(Status.TRIAGED if asked and case.came_from == Status.TRIAGED else Status.NEW if asked else status)
    dated = {Status.NEW: case.created_at, Status.CONFIRMED: case.confirmed_at, Status.RESOLVED: case.resolved_at}
    rows = []
    for place, step in enumerate(LINE):
        state = "done" if place < here else "now" if place == here else "ahead"
        at = dated.get(step) if state != "ahead" else None
        note = "waiting for your answer" if asked and state == "now" else ""
        rows.append(
            Step(
                word=status_words(str(step)),
                state=state,
                at=at or (case.changed_at if state == "now" else None),
                note=note,
            )
        )
    return rows
