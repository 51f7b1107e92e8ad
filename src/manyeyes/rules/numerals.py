"""Numbers, spans and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil, floor

THIN = "\u202f"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def percent(value: float, *, fine: bool = False, up: bool = False) -> str:
    """A rate as a percentage: whole, or with `fine` one decimal below 10 %. `up` never understates (for bounds).

    A rate that is not 0 or 1 is never printed as 0 or 100.

    >>> [percent(one) for one in (0.3417, 0.996, 0.002)] == ["34\u202f%", ">99\u202f%", "<1\u202f%"]
    True
    """
    return f"{_number(value, fine=fine, up=up)}{THIN}%"


def _number(value: float, *, fine: bool, up: bool = False) -> str:
    digits = 1 if fine and value < 0.0995 else 0
    scale = 10**digits
    shifted = value * 100 * scale
    rounded = ceil(shifted - 1e-6) if up else floor(shifted + 0.5)
    if rounded == 0 and value > 0:
        return f"<{1 / scale:.{digits}f}"
    if rounded >= 100 * scale and value < 1 and not up:
        return ">99"
    return f"{rounded / scale:.{digits}f}"


def target_percent(value: float) -> str:
    """A rate somebody chose (a target, a floor), as exactly as it was chosen: 5 %, 0.5 %, 1 %."""
    return f"{value * 100:.6g}{THIN}%"


def interval_words(low: float, high: float, *, fine: bool = False) -> str:
    """Both ends with one unit: 21–49 %; "33 to >99 %" where a dash would read as an arrow."""
    ends = (_number(low, fine=fine), _number(high, fine=fine))
    dash = " to " if any(end[0] in "<>" for end in ends) else "–"
    return f"{dash.join(ends)}{THIN}%"


def count_words(k: int, n: int) -> str:
    """How often out of how many: "41 of 120", thousands grouped."""
    return f"{k:,} of {n:,}"


def many(count: int, one: str, several: str = "") -> str:
    """A count with its noun, one or several of it (default: with an s).

    >>> many(1, "trial"), many(0, "call"), many(2, "try", "tries"), many(1200, "wording")
    ('1 trial', '0 calls', '2 tries', '1200 wordings')
    """
    return f"{count} {one if count == 1 else several or one + 's'}"


def duration_words(length: timedelta) -> str:
    """A span without its sign, rounded down: 43 min, 3 h 10 min, 22 h, and from 48 h on 2 d 1 h."""
    minutes = abs(int(length.total_seconds())) // 60
    days, hours, rest = minutes // 1440, minutes // 60, minutes % 60
    if hours >= 48:
        return f"{days} d" if hours % 24 == 0 else f"{days} d {hours % 24} h"
    if hours >= 12:
        return f"{hours} h"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


def seconds_words(seconds: float) -> str:
    """How long something took or will take, short.

    >>> seconds_words(0.2), seconds_words(42.3), seconds_words(400), seconds_words(9000)
    ('under 1 s', '42 s', '7 min', '2 h 30 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else duration_words(timedelta(seconds=seconds))


def time_left(due: datetime, at: datetime) -> str:
    """How long until a clock runs out, or how late it is: "22 h left", "2 h late"."""
    return f"{duration_words(due - at)} {'left' if due >= at else 'late'}"


def day_words(moment: datetime, zone: tzinfo = UTC) -> str:
    """The day: Thu 18 Feb 2027."""
    local = moment.astimezone(zone)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"


def time_words(moment: datetime, zone: tzinfo = UTC) -> str:
    """The moment with its zone: Thu 18 Feb 2027, 14:00 UTC."""
    local = moment.astimezone(zone)
    return f"{day_words(moment, zone)}, {local:%H:%M} {local.tzname()}"
