"""The same as a table: what a chart shows, as a caption, headings and rows of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from manyeyes.charts.draw import whole


@dataclass(frozen=True, kw_only=True)
class SameTable:
    """A table that says everything its chart says; the first cell of a row is its heading."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = field(default="")


def rate_cells(k: int, n: int, low: float, high: float) -> tuple[str, str, str]:
    """Count, rate and interval as words; without a hit there is no rate, only how high it could still be."""
    if n == 0:
        return "not run", "–", "–"
    if k == 0:
        return f"0/{n}", "–", f"at most {whole(high)}"
    return f"{k}/{n}", whole(k / n), f"{whole(low)} to {whole(high)}"


def rate_table(caption: str, rows: Sequence[tuple[str, int, int, float, float]], *, first: str = "What") -> SameTable:
    """A table of named rates: (name, k, n, low, high)."""
    head = (first, "Count", "Rate", "Interval")
    return SameTable(caption=caption, head=head, rows=[(name, *rate_cells(k, n, a, b)) for name, k, n, a, b in rows])
