"""Whether the program keeps its word, counted from the record: each figure can be recounted by its reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from manyeyes.cases.models import Case
from manyeyes.programs.models import Program

SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class FirstResponses:
    """Hours from report to the first human answer, for the newest reports that were answered."""

    hours: tuple[float, ...]
    promised: float
    since: datetime | None

    @property
    def count(self) -> int:
        """How many answered reports are shown."""
        return len(self.hours)

    @property
    def in_time(self) -> int:
        """How many of them were answered within the promise."""
        return sum(value <= self.promised for value in self.hours)


def first_responses(program: Program) -> FirstResponses:
    """The waiting times of the last answered reports; `acknowledged_at` is set by a person's first public act alone."""
    rows = Case.objects.filter(program=program, acknowledged_at__isnull=False).exclude(close_reason="spam")
    times = list(rows.order_by("-created_at").values_list("created_at", "acknowledged_at")[:SHOWN])
    hours = tuple(sorted((answered - sent).total_seconds() / 3600 for sent, answered in times))
    since = min((sent for sent, _ in times), default=None)
    return FirstResponses(hours=hours, promised=float(program.first_response_hours), since=since)
