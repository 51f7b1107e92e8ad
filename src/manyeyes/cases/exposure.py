"""How much restricted content somebody opened in each week, counted from the record of openings alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from manyeyes.cases.models import Case
from manyeyes.cases.restricted import OPENED
from manyeyes.events.models import Event
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.permits import HAZARDS

WEEKS = 12


@dataclass(frozen=True, kw_only=True)
class Week:
    """One week from its Monday (UTC): openings, in how many cases, and of which kinds of content, the most first."""

    monday: date
    openings: int
    cases: int
    kinds: tuple[tuple[str, int], ...]


def weeks(person: Any, *, program: Program | None = None, last: int = WEEKS) -> list[Week]:
    """The last weeks in which somebody opened something, newest first; `program` leaves out all others."""
    since = _monday(clock.now()) - timedelta(weeks=last - 1)
    begin = datetime(since.year, since.month, since.day, tzinfo=UTC)
    log = list(Event.objects.filter(kind=OPENED, actor=person.actor, at__gte=begin).order_by("at"))
    cases = Case.objects.in_bulk({UUID(row.subject.partition(":")[2]) for row in log})
    found: dict[date, list[tuple[Case, str]]] = {}
    for row in log:
        case = cases[UUID(row.subject.partition(":")[2])]
        if program is None or case.program_id == program.pk:
            # Openings of an earlier version do not say what it was: then it is what the case holds now.
            kind = row.data.get("hazard", case.hazard)
            found.setdefault(_monday(row.at), []).append((case, kind))
    return [_week(monday, found[monday]) for monday in sorted(found, reverse=True)]


def _week(monday: date, opened: list[tuple[Case, str]]) -> Week:
    kinds = Counter(str(HAZARDS.get(kind, kind)) for _, kind in opened)
    ranked = sorted(kinds.items(), key=lambda row: (-row[1], row[0]))
    return Week(
        monday=monday, openings=len(opened), cases=len({case.pk for case, _ in opened}), kinds=tuple(ranked)
    )  # fmt: skip


def _monday(at: datetime) -> date:
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())
