"""Whether rates stayed the same in time, over all fixed trials together.

A target may change without a word: the same name, the same fingerprint, another rate. What its outcomes tell of that is
weighed here, each test at a level that holds whatever the rates of the cells are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, sqrt

_SMALL = 1e-15
"""Chances below this are left out; all of them together stay far below any level."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Outcomes of one cell in order (1 for a success), with the place of each among all fixed trials."""

    moments: Sequence[int]
    bits: Sequence[int]


def halves_over_p_value(cells: Sequence[Timed]) -> float:
    """Fisher's (1922) exact two-sided p-value that no cell's rate changed at half time, all cells together.

    Given how often each cell succeeded in all, its successes in the first half are hypergeometric; their sum over the
    cells is what is looked at (Mantel & Haenszel 1959, exact), so that cells may have rates of their own.

    >>> one, other = Timed(range(0, 16, 2), [1] * 4 + [0] * 4), Timed(range(1, 16, 2), [1] * 4 + [0] * 4)
    >>> round(halves_over_p_value([one]), 6), round(halves_over_p_value([one, other]), 6)
    (0.028571, 0.000408)
    """
    half = (max((cell.moments[-1] for cell in cells if cell.moments), default=-1) + 1) // 2
    chances, least, seen = [1.0], 0, 0
    for cell in cells:
        n, k, first = len(cell.bits), sum(cell.bits), bisect_left(cell.moments, half)
        start, of_cell = _shares(first, n, k)
        chances, least, seen = _summed(chances, of_cell), least + start, seen + sum(cell.bits[:first])
    cut = chances[seen - least] * (1 + 1e-9)
    return min(1.0, sum(chance for chance in chances if chance <= cut))


def _shares(first: int, n: int, k: int) -> tuple[int, list[float]]:
    """The chances of each number of the k successes among the first trials, from the least number that has one."""
    whole = _log_choose(n, k)
    least = max(0, first - (n - k))
    rows = [exp(_log_choose(first, x) + _log_choose(n - first, k - x) - whole) for x in range(least, min(first, k) + 1)]
    return least, rows


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _summed(some: Sequence[float], more: Sequence[float]) -> list[float]:
    """The chances of each sum of two numbers."""
    found = [0.0] * (len(some) + len(more) - 1)
    kept = [(j, chance) for j, chance in enumerate(more) if chance > _SMALL]
    for i, chance in enumerate(some):
        if chance > _SMALL:
            for j, other in kept:
                found[i + j] += chance * other
    return found


def trend_p_value(cells: Sequence[Timed]) -> float:
    """The two-sided p-value that no cell's rate rose or fell with time, all cells together (Armitage 1955).

    Given how often each cell succeeded, the places of its successes are drawn without replacement; their sum is taken
    for normal. Such a sum has lighter tails than the normal (its excess kurtosis is negative for even places), so the
    p-value is rather too large.

    >>> round(trend_p_value([Timed(range(16), [1] * 8 + [0] * 8)]), 6), trend_p_value([Timed(range(4), [1] * 4)])
    (0.000778, 1.0)
    """
    drawn = spread = 0.0
    for cell in cells:
        n, k = len(cell.bits), sum(cell.bits)
        if n > 1:
            middle = sum(cell.moments) / n
            drawn += sum(moment - middle for moment, hit in zip(cell.moments, cell.bits, strict=True) if hit)
            spread += k * (n - k) / (n * (n - 1)) * sum((moment - middle) ** 2 for moment in cell.moments)
    return erfc(abs(drawn) / sqrt(2 * spread)) if spread else 1.0
