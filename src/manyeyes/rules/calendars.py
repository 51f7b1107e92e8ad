"""Working days: which days of a program's calendar count, and how much counted time lies between two moments."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from manyeyes.rules.errors import Invalid

DAY_NAMES: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ONE_DAY = timedelta(days=1)
MOST_HOLIDAYS = 200
FARTHEST = 60
"""So many days after one another may be off, so that a promise in working days always ends."""


@dataclass(frozen=True)
class Calendar:
    """The days that count, each from midnight to midnight in `zone`; Monday is weekday 0.

    A day has 23 or 25 hours where the clocks are put forward or back: what passes is what counts.
    """

    zone: str = "UTC"
    weekdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()

    def counts(self, day: date) -> bool:
        """Whether this day of the zone is worked on.

        >>> Calendar().counts(date(2026, 11, 21))
        False
        """
        return day.weekday() in self.weekdays and day not in self.holidays


def elapsed(start: datetime, end: datetime, calendar: Calendar | None) -> timedelta:
    """How much of the time from `start` to `end` counts; without a calendar all of it. Aware moments only.

    >>> elapsed(datetime(2026, 11, 20, 18, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC), Calendar())
    datetime.timedelta(seconds=54000)
    """
    if calendar is None or end <= start:
        return max(end - start, timedelta())
    day, total = start.astimezone(ZoneInfo(calendar.zone)).date(), timedelta()
    while (begins := midnight(day, calendar.zone)) < end:
        if calendar.counts(day):
            total += min(midnight(day + ONE_DAY, calendar.zone), end) - max(begins, start)
        day += ONE_DAY
    return total


def reached(start: datetime, amount: timedelta, calendar: Calendar | None) -> datetime:
    """The first moment at which `amount` of counted time has passed since `start`, in UTC.

    >>> reached(datetime(2026, 11, 20, 18, tzinfo=UTC), timedelta(hours=48), Calendar()).isoformat()
    '2026-11-24T18:00:00+00:00'
    """
    start = start.astimezone(UTC)
    if calendar is None or not amount:
        return start + amount
    day, left = start.astimezone(ZoneInfo(calendar.zone)).date(), amount
    while True:
        begins, ends = max(midnight(day, calendar.zone), start), midnight(day + ONE_DAY, calendar.zone)
        if calendar.counts(day):
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
        day += ONE_DAY


@lru_cache(maxsize=4096)
def midnight(day: date, zone: str) -> datetime:
    """When a day begins there, in UTC; where the clocks skip midnight, at the moment they are put forward."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=64)
def longest_gap(calendar: Calendar) -> int:
    """The longest run of days after one another that do not count, holidays and the weekends beside them together.

    >>> longest_gap(Calendar(holidays=frozenset({date(2026, 12, 24), date(2026, 12, 25)})))
    4
    """
    # Away from the holidays every week is like the next, so a fortnight of those is enough.
    around = {one + timedelta(days=shift) for one in calendar.holidays for shift in range(-7, 8)}
    plain = {date(2001, 1, 1) + timedelta(days=shift) for shift in range(14)}
    longest = run = 0
    before = None
    for day in sorted(around | plain):
        off = not calendar.counts(day)
        run = (run + 1 if before == day - ONE_DAY else 1) if off else 0
        longest, before = max(longest, run), day
    return longest


@lru_cache(maxsize=256)
def read_calendar(zone: str, weekdays: str, holidays: str) -> Calendar:
    """The calendar somebody wrote down: names of days, dates as 2026-12-25. Raises Invalid naming the field.

    >>> sorted(read_calendar("Europe/Berlin", "Mon Wed", "2026-12-25").weekdays)
    [0, 2]
    """
    if not known_zone(zone):
        raise Invalid(zone=f"{zone[:40]} is no time zone; write it like Europe/Berlin.")
    names = weekdays.split()
    unknown = [name for name in names if name not in DAY_NAMES]
    if unknown or not names:
        raise Invalid(weekdays=f"Name at least one working day, out of {' '.join(DAY_NAMES)}.")
    calendar = Calendar(zone, frozenset(map(DAY_NAMES.index, names)), frozenset(map(_date, holidays.split())))
    if len(calendar.holidays) > MOST_HOLIDAYS:
        raise Invalid(holidays=f"At most {MOST_HOLIDAYS} holidays are kept; leave out those that are over.")
    if longest_gap(calendar) > FARTHEST:
        raise Invalid(holidays=f"More than {FARTHEST} days after one another are off. A promise must end.")
    return calendar


def known_zone(zone: str) -> bool:
    """Whether this machine knows the time zone.

    >>> known_zone("Europe/Berlin"), known_zone("Larkfield/Wicket")
    (True, False)
    """
    return zone in _zones()


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _date(text: str) -> date:
    if re.fullmatch(r"20\d\d-\d\d-\d\d", text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise Invalid(holidays=f"{text[:20]} is no date of this century; write it like 2026-12-25.")
