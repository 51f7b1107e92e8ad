"""Two rates held against each other: an e-value over blocks, and an exact test of fixed counts.

Exploit against control: an e-value over blocks of one trial each (Turner & Grünwald 2023).

The alternative (a, b) is learned from earlier blocks by a Beta(0.18) plug-in; the null {b <= a + margin} answers with
its point nearest in Kullback-Leibler divergence (the reverse information projection), so every block is a fair or
losing bet under the null whatever came before. Turner, Ly & Grünwald 2024, "Generic E-variables for exact sequential
k-sample tests".
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log

from manyeyes.engine.special import log_choose, log_sum

_PRIOR = 0.18
_EDGE = 1e-12


@lru_cache(maxsize=262144)
def nearest(a: float, b: float, margin: float) -> float:
    """The control rate a' such that (a', a' + margin) is the null's nearest point to (a, b); needs b > a + margin.

    >>> nearest(0.2, 0.6, 0.0)
    0.4
    >>> round(nearest(0.1, 0.9, 0.05), 6)
    0.475
    """
    if margin == 0.0:
        return (a + b) / 2

    low, high = max(_EDGE, a), min(1 - margin - _EDGE, b - margin)
    for _ in range(44):
        x = (low + high) / 2
        y = x + margin
        if a / x - (1 - a) / (1 - x) + b / y - (1 - b) / (1 - y) > 0:
            low = x
        else:
            high = x
    return (low + high) / 2


@lru_cache(maxsize=262144)
def log_block(n: int, control: int, exploit: int, y_control: bool, y_exploit: bool, margin: float) -> float:
    """The log e-value of one more block after n blocks with `control` and `exploit` successes; margin in [0, 1).

    >>> log_block(0, 0, 0, False, True, 0.0)
    0.0
    >>> round(log_block(5, 0, 5, False, True, 0.0), 3)
    1.318
    """
    a, b = (control + _PRIOR) / (n + 2 * _PRIOR), (exploit + _PRIOR) / (n + 2 * _PRIOR)
    if b <= a + margin:
        return 0.0
    x = nearest(a, b, margin)
    y = x + margin
    first = log(a / x) if y_control else log((1 - a) / (1 - x))
    return first + (log(b / y) if y_exploit else log((1 - b) / (1 - y)))


def fewer_p_value(k: int, n: int, other_k: int, other_n: int) -> float:
    """Fisher's (1922) exact one-sided p-value of so few successes, k of n, beside other_k of other_n at one rate.

    >>> round(fewer_p_value(0, 5, 7, 10), 4), fewer_p_value(2, 4, 0, 6)
    (0.0186, 1.0)
    """
    total, whole = k + other_k, log_choose(n + other_n, k + other_k)
    return min(1.0, exp(log_sum([log_choose(n, x) + log_choose(other_n, total - x) - whole for x in range(k + 1)])))
