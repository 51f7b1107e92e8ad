"""Anytime intervals for the difference of two success rates, new minus old: functions of the counts alone.

The set of all parameters whose likelihood is at least alpha times that of a Dirichlet or Beta mixture (all at 1/2)
covers the true ones at every moment with probability 1 - alpha (Robbins 1970; Ville 1939). What is given here is the
range of the difference over that set, so it covers the true difference at least as often. A test of one direction is
sharper: "worse" may be shown while this interval still touches zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import lgamma, log

from manyeyes.engine.special import bisect, log_beta, log_likelihood

_TINY = 1e-300


def _range(inside: Callable[[float], bool], middle: float) -> tuple[float, float]:
    """The ends of the interval around `middle` where `inside` holds, within -1 and 1."""
    low = -1.0 if inside(-1.0) else bisect(lambda x: not inside(x), -1.0, middle, steps=40)
    high = 1.0 if inside(1.0) else bisect(inside, middle, 1.0, steps=40)
    return low, high


def _level(confidence: float, *counts: int) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: give a number between 0 and 1, got {confidence}")
    if min(counts) < 0:
        raise ValueError(f"counts: none can be below 0, got {', '.join(map(str, counts))}")
    return log(1 - confidence)


@lru_cache(maxsize=4096)
def paired_difference(n: int, worse: int, better: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Of n pairs, `worse` where only the new version succeeded and `better` where only the old did: -1 to 1.

    Independent pairs are all that is assumed; within a pair anything goes. ValueError for impossible counts.

    >>> low, high = paired_difference(40, 12, 1)
    >>> round(low, 3), round(high, 3)
    (-0.036, 0.576)
    >>> paired_difference(0, 0, 0)
    (-1.0, 1.0)
    """
    same = n - worse - better
    level = _level(confidence, n, worse, better, same)
    if n == 0:
        return -1.0, 1.0
    mixture = sum(lgamma(x + 0.5) for x in (worse, better, same)) - lgamma(n + 1.5)
    cut = mixture - (3 * lgamma(0.5) - lgamma(1.5)) + level

    def inside(gap: float) -> bool:
        return _paired_best(worse, better, same, gap) >= cut

    return _range(inside, (worse - better) / n)


def _paired_best(worse: int, better: int, same: int, gap: float) -> float:
    """The greatest log-likelihood among all (p_worse, p_better) with p_worse - p_better = gap."""

    def rising(x: float) -> bool:
        left, right, rest = (max(p, _TINY) for p in (x + gap, x, 1 - gap - 2 * x))
        return worse / left + better / right > 2 * same / rest

    x = bisect(rising, max(0.0, -gap), (1 - gap) / 2, steps=40)
    terms = ((worse, x + gap), (better, x), (same, 1 - gap - 2 * x))
    return sum(count * log(max(rate, _TINY)) for count, rate in terms if count)


@lru_cache(maxsize=4096)
def unpaired_difference(
    old_k: int, old_n: int, new_k: int, new_n: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Of two independent runs, new rate minus old rate: -1 to 1. ValueError for impossible counts.

    >>> low, high = unpaired_difference(2, 40, 14, 40)
    >>> round(low, 3), round(high, 3)
    (-0.025, 0.612)
    """
    level = _level(confidence, old_k, new_k, old_n - old_k, new_n - new_k)
    if not old_n and not new_n:
        return -1.0, 1.0
    runs = ((old_k, old_n), (new_k, new_n))
    cut = level + sum(log_beta(k + 0.5, n - k + 0.5) - log_beta(0.5, 0.5) for k, n in runs)

    def inside(gap: float) -> bool:
        return _unpaired_best(runs, gap) >= cut

    return _range(inside, (new_k / new_n if new_n else 0.5) - (old_k / old_n if old_n else 0.5))


def _unpaired_best(runs: tuple[tuple[int, int], tuple[int, int]], gap: float) -> float:
    """The greatest log-likelihood among all pairs of rates that lie `gap` apart."""
    (old_k, old_n), (new_k, new_n) = runs

    def slope(k: int, n: int, p: float) -> float:
        return k / max(p, _TINY) - (n - k) / max(1 - p, _TINY)

    low, high = max(0.0, -gap), min(1.0, 1 - gap)
    x = bisect(lambda x: slope(old_k, old_n, x) + slope(new_k, new_n, x + gap) > 0, low, high, steps=40)
    return log_likelihood(old_k, old_n, x) + log_likelihood(new_k, new_n, min(1.0, max(0.0, x + gap)))
