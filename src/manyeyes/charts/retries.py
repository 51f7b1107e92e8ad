"""What more tries do: the chance that one of K tries works, over K, with the bands a score is cut by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from manyeyes.charts.draw import check_rate, dot, line, path, picture, text, whole
from manyeyes.charts.table import SameTable
from manyeyes.rules.numerals import many

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 600.0, 250.0, 48.0, 44.0, 12.0, 44.0


@dataclass(frozen=True, kw_only=True)
class RetryPoint:
    """At `tries` tries: the chance that one works, at the lower and at the upper end of the measured rate."""

    tries: int
    low: float
    high: float


def retry_curve(points: Sequence[RetryPoint], bands: Sequence[tuple[str, float]], rated: int) -> tuple[str, SameTable]:
    """The curve over the tries (log axis): solid for the lower end, which is scored, dashed for the upper one.

    `bands` are (name, least chance), the most reliable first, the last from 0; `rated` is the budget of the rating.
    """
    if not points:
        raise ValueError("points is empty; a curve needs at least one")
    for point in points:
        check_rate("low", point.low)
        check_rate("high", point.high)
    shown = sorted(points, key=lambda point: point.tries)
    rows = [
        (many(point.tries, "try", "tries"), whole(point.low), whole(point.high), _band(point.low, bands))
        for point in shown
    ]
    mine = min(shown, key=lambda point: abs(point.tries - rated))
    name = f"Chance that one of K tries works: {whole(mine.low)} or more with {many(mine.tries, 'try', 'tries')}"
    table = SameTable(caption=name, head=("Tries", "At least", "At most", "Band"), rows=rows)
    return picture(_body(shown, bands, rated), WIDTH, HEIGHT, name, boxed=True), table


def _band(chance: float, bands: Sequence[tuple[str, float]]) -> str:
    return next((name for name, least in bands if chance >= least), bands[-1][0])


def _body(shown: Sequence[RetryPoint], bands: Sequence[tuple[str, float]], rated: int) -> str:
    most = max(shown[-1].tries, rated, 2)

    def x(tries: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log10(tries) / log10(most)

    def y(chance: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - chance)

    drawn, above = [], 1.0
    for name, least in bands:
        drawn.append(line("grid", LEFT, y(least), WIDTH - RIGHT, y(least)))
        drawn.append(text(name, WIDTH - RIGHT + 8, (y(above) + y(least)) / 2 + 4, "dim"))
        above = least
    drawn += [text(whole(chance), LEFT - 7, y(chance) + 4, "end dim") for chance in (0.0, 0.5, 1.0)]
    drawn += [text(str(point.tries), x(point.tries), HEIGHT - BOTTOM + 17, "mid dim") for point in shown]
    drawn.append(text("tries an attacker gets", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "mid dim"))
    drawn.append(line("limit", x(rated), TOP, x(rated), HEIGHT - BOTTOM))
    drawn.append(path("against", [(x(point.tries), y(point.high)) for point in shown]))
    drawn.append(path("path-line", [(x(point.tries), y(point.low)) for point in shown]))
    drawn += [
        dot("hit-dot" if point.tries == rated else "miss-dot", x(point.tries), y(point.low), 4) for point in shown
    ]
    return "".join(drawn)
