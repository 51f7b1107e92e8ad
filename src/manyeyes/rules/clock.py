"""The one source of the present moment, so that tests and the demo can set it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

# One value for the whole process, not per context: a frozen test clock must also hold in server threads.
_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _frozen if _frozen is not None else datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """The moment in UTC; a naive one is refused, because nobody can say which hour it means.

    >>> aware(datetime(2026, 11, 23, 8, tzinfo=UTC)).isoformat()
    '2026-11-23T08:00:00+00:00'
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware time.")
    return moment.astimezone(UTC)


@contextmanager
def freeze(at: datetime) -> Iterator[None]:
    """Let `now()` answer `at` inside the block; blocks may be nested."""
    global _frozen
    before, _frozen = _frozen, aware(at)
    try:
        yield
    finally:
        _frozen = before


def advance(by: timedelta) -> datetime:
    """Move a frozen clock forward and return the new moment."""
    global _frozen
    if _frozen is None:
        raise RuntimeError("The clock runs freely; use advance() inside freeze().")
    _frozen += by
    return _frozen
