"""Whether the program keeps its word, recounted from the event log: each figure can be recounted by its reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Q

from manyeyes.cases.clocks import clocks
from manyeyes.cases.models import Case
from manyeyes.events.models import Event
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.lifecycle import CloseReason

SHOWN = 200
"""So many of the newest reports are shown, answered or not."""


@dataclass(frozen=True, kw_only=True)
class FirstResponses:
    """How the promise of a first answer was kept for the newest reports. `hours` has one number per answer, sorted.

    `on_time` says of each in the same order whether it came within what was promised to that report. `waiting` are
    unanswered reports within the promise; `late` those answered, or still unanswered, after it.
    """

    promised: float
    since: datetime | None
    reports: int
    hours: tuple[float, ...]
    on_time: tuple[bool, ...]
    waiting: int
    late: int

    @property
    def count(self) -> int:
        """How many reports have had an answer."""
        return len(self.hours)

    @property
    def in_time(self) -> int:
        """How many of them within the promise."""
        return sum(self.on_time)

    @property
    def answers(self) -> list[tuple[float, bool]]:
        """Each answer: after how many hours, and whether that was in time."""
        return list(zip(self.hours, self.on_time, strict=True))

    @property
    def unanswered_late(self) -> int:
        """How many have waited longer than promised and wait still."""
        return self.late - (self.count - self.in_time)

    @property
    def owed(self) -> int:
        """How many answers were due: those that came and those that are late and have not come."""
        return self.count + self.unanswered_late

    @property
    def median_hours(self) -> float | None:
        """Half of the answers came sooner; None without any."""
        return median(self.hours) if self.hours else None


def counted(prefix: str = "") -> Q:
    """The cases that public figures and thanks speak of: from outside, and no test of the launch.

    What colleagues and the internal red team report is counted apart, so that nobody thanks or times themselves.
    """
    return Q(**{f"{prefix}test": False, f"{prefix}origin": "outside"})


def first_responses(program: Program, *, at: datetime | None = None) -> FirstResponses:
    """The first human answers to the newest reports; spam and what was withdrawn unanswered are left out."""
    moment = at or clock.now()
    newest = Case.objects.filter(counted(), program=program, created_at__lte=moment).exclude(
        close_reason=str(CloseReason.SPAM)
    )
    # Whoever took the report back before anybody answered is owed nothing.
    newest = newest.exclude(close_reason=str(CloseReason.WITHDRAWN), acknowledged_at__isnull=True)
    newest = newest.filter(split_from=None)  # one report, however many flaws were found in it
    cases = list(newest.select_related("program").order_by("-created_at")[:SHOWN])
    logs: dict[str, list[Event]] = defaultdict(list)
    # Only what both sides see can be an answer; what the team did inside is many times as much.
    seen = Event.objects.filter(subject__in=[case.subject for case in cases], public=True)
    for event in seen.order_by("subject", "seq"):
        logs[event.subject].append(event)
    answers, waiting, late = [], 0, 0
    for case in cases:
        first = next(one for one in clocks(case, log=logs[case.subject], at=moment) if one.name == "first_answer")
        late += first.late
        if first.done_at is not None:
            answers.append(((first.done_at - first.started_at) / timedelta(hours=1), not first.late))
        elif first.stopped_at is None and not first.late:
            waiting += 1
    answers.sort()
    return FirstResponses(
        promised=float(program.first_response_hours), since=min((case.created_at for case in cases), default=None),
        reports=len(cases), hours=tuple(hours for hours, _ in answers), on_time=tuple(kept for _, kept in answers),
        waiting=waiting, late=late,
    )  # fmt: skip
