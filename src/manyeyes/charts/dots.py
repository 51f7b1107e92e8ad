"""Waiting times as dots: one dot, one report; late ones are rings with their number, and no average stands alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from manyeyes.charts.draw import dot, line, picture, text

WIDTH, BASE, RADIUS = 720.0, 96.0, 3.6
NARROW = 330.0
"""The width that a telephone shows whole."""
LABEL = 110.0
"""The room that the words of the promise need."""
HIGHEST = 200.0
"""How high a stack may grow; the dots of a higher one overlap."""


def waiting_dots(hours: Sequence[float], promised: float, *, width: float = WIDTH) -> str:
    """Each waiting time in hours over an axis from 0 past the promise; dots of the same place are stacked.

    Raises ValueError for a promise that is no positive number of hours.
    """
    if promised <= 0:
        raise ValueError(f"promised is {promised}; it is a positive number of hours")
    longest = max([promised * 1.25, *hours])
    at = {value: 8 + value / longest * (width - 16) for value in hours}
    places = Counter(round(x / (2 * RADIUS + 1)) for x in (at[value] for value in hours))
    tallest = max(places.values(), default=0)
    rise = min(2 * RADIUS + 0.8, HIGHEST / max(tallest, 1))
    base = max(BASE, 24 + tallest * rise)
    drawn = _axis(longest, promised, width, base)
    stacks: Counter[int] = Counter()
    late = 0
    for value in sorted(hours):
        x, place = at[value], round(at[value] / (2 * RADIUS + 1))
        stacks[place] += 1
        y = base - 2 - stacks[place] * rise + RADIUS
        if value > promised:
            late += 1
            drawn.append(dot("late-ring", x, y, RADIUS))
            drawn.append(text(f"{value:.0f} h, late", x, y - 8, "mid bold"))
        else:
            drawn.append(dot("after", x, y, RADIUS))
    title = f"{len(hours) - late} of {len(hours)} first answers within {promised:g} hours"
    return picture("".join(drawn), width, base + 22, title)


def _axis(longest: float, promised: float, width: float, base: float) -> list[str]:
    step = next(size for size in (1, 2, 6, 12, 24, 48, 96, 168, 1e9) if longest / size <= 8)
    drawn = [line("axis", 0, base, width, base)]
    ticks = [index * step for index in range(int(longest / step) + 1)]
    for value in ticks:
        x = 8 + value / longest * (width - 16)
        drawn.append(line("axis", x, base, x, base + 4))
        drawn.append(text(f"{value:g} h", x, base + 18, "dim mid" if value else "dim"))
    at = 8 + promised / longest * (width - 16)
    drawn.append(line("limit", at, 8, at, base))
    fits = at + 6 + LABEL <= width
    drawn.append(text(f"promised: {promised:g} h", at + 6 if fits else at - 6, 16, "bold" if fits else "bold end"))
    return drawn
