"""What a run remembers of its trials: a few bytes of each, so that a long run is no larger than a short one."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime

Identity = tuple[str, int]


class Identities:
    """A set of trials, one byte each. Indices count from 0 and have few gaps."""

    def __init__(self) -> None:
        self._streams: dict[str, bytearray] = {}

    def add(self, identity: Identity) -> bool:
        """Puts a trial in; False where it was in already."""
        stream, index = identity
        marks = self._streams.setdefault(stream, bytearray())
        if index >= len(marks):
            marks.extend(bytes(index + 1 - len(marks)))
        elif marks[index]:
            return False
        marks[index] = 1
        return True


class Tried:
    """Which cell each trial tried, and whether it succeeded."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._streams: dict[str, array[int]] = {}

    def add(self, identity: Identity, cell: str, success: bool) -> None:
        """Keeps one trial."""
        stream, index = identity
        number = self._numbers.setdefault(cell, len(self._numbers))
        rows = self._streams.setdefault(stream, array("I"))
        if index >= len(rows):
            rows.frombytes(bytes(rows.itemsize * (index + 1 - len(rows))))
        rows[index] = 1 + 2 * number + success

    def rows(self, first: str) -> Iterator[tuple[Identity, str, bool]]:
        """Every trial in the order of its index, stream after stream, beginning with the stream `first`."""
        cells = list(self._numbers)
        for stream in sorted(self._streams, key=lambda name: (name != first, name)):
            for index, code in enumerate(self._streams[stream]):
                if code:
                    yield (stream, index), cells[(code - 1) // 2], not code % 2


class Busy:
    """The seconds in which at least one trial was under way."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []

    def add(self, started_at: str, ms: int) -> None:
        """Counts one trial; one without a beginning counts for nothing."""
        if not started_at:
            return
        start = datetime.fromisoformat(started_at).timestamp()
        end = start + ms / 1000
        # Spans that touch become one, so that there are as many as there were pauses.
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]

    @property
    def seconds(self) -> float:
        """All of them together."""
        return sum(end - start for start, end in zip(self._starts, self._ends, strict=True))
