"""Waiting times as dots: one dot, one report; late ones are rings with their number, and no average stands alone."""

from __future__ import annotations

from collections.abc import Sequence

from manyeyes.charts.draw import dot, line, picture, text

WIDTH, BASE, RADIUS = 720.0, 96.0, 3.6
NARROW = 330.0
"""The width that a telephone shows whole."""
LABEL = 110.0
"""The room that the words of the promise need."""


def waiting_dots(hours: Sequence[float], promised: float, *, width: float = WIDTH) -> str:
    """Each waiting time in hours over an axis from 0 past the promise; dots of the same place are stacked.

    Raises ValueError for a promise that is no positive number of hours.
    """
    if promised <= 0:
        raise ValueError(f"promised is {promised}; it is a positive number of hours")
    longest = max([promised * 1.25, *hours])
    drawn = _axis(longest, promised, width)
    stacks: dict[int, int] = {}
    late = 0
    for value in sorted(hours):
        x = 8 + value / longest * (width - 16)
        place = round(x / (2 * RADIUS + 1))
        height = stacks[place] = stacks.get(place, 0) + 1
        y = BASE - 2 - height * (2 * RADIUS + 0.8) + RADIUS
        if value > promised:
            late += 1
            drawn.append(dot("late-ring", x, y, RADIUS))
            drawn.append(text(f"{value:.0f} h, late", x, y - 8, "mid bold"))
        else:
            drawn.append(dot("after", x, y, RADIUS))
    title = f"{len(hours) - late} of {len(hours)} first answers within {promised:g} hours"
    return picture("".join(drawn), width, BASE + 22, title)


def _axis(longest: float, promised: float, width: float) -> list[str]:
    step = next(size for size in (1, 2, 6, 12, 24, 48, 96, 168, 1e9) if longest / size <= 8)
    drawn = [line("axis", 0, BASE, width, BASE)]
    ticks = [index * step for index in range(int(longest / step) + 1)]
    for value in ticks:
        x = 8 + value / longest * (width - 16)
        drawn.append(line("axis", x, BASE, x, BASE + 4))
        drawn.append(text(f"{value:g} h", x, BASE + 18, "dim mid" if value else "dim"))
    at = 8 + promised / longest * (width - 16)
    drawn.append(line("limit", at, 8, at, BASE))
    fits = at + 6 + LABEL <= width
    drawn.append(text(f"promised: {promised:g} h", at + 6 if fits else at - 6, 16, "bold" if fits else "bold end"))
    return drawn
