"""The few special functions the engine needs, in plain Python: log beta, the incomplete beta function, bisection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, inf, lgamma, log, log1p

_TINY = 1e-300
_HUGE = 690.0


def log_beta(a: float, b: float) -> float:
    """The natural logarithm of the beta function B(a, b), for a, b > 0.

    >>> round(log_beta(0.5, 0.5), 12)
    1.144729885849
    """
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def log_sum(terms: Sequence[float]) -> float:
    """The logarithm of the sum of the exponentials, without overflow; -inf for no terms.

    >>> round(log_sum([1000.0, 1000.0]), 6)
    1000.693147
    """
    top = max(terms, default=-inf)
    if top == -inf:
        return -inf
    return top + log(sum(exp(term - top) for term in terms))


def clipped_exp(value: float) -> float:
    """exp(value), clipped to a finite number so that it can be stored as JSON.

    >>> clipped_exp(0.0), clipped_exp(1e6) < float("inf")
    (1.0, True)
    """
    return exp(min(value, _HUGE))


def log_likelihood(k: float, n: int, p: float) -> float:
    """The log-likelihood of k successes in n trials (in one order) at rate p; -inf where impossible.

    >>> round(log_likelihood(1, 2, 0.5), 6)
    -1.386294
    >>> log_likelihood(1, 2, 0.0)
    -inf
    """
    if (k > 0 and p <= 0.0) or (n > k and p >= 1.0):
        return -inf
    return (k * log(p) if k else 0.0) + ((n - k) * log1p(-p) if n > k else 0.0)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (Lentz), convergent for x < (a+1)/(a+b+2)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    m, change = 0, 0.0
    while abs(change - 1.0) >= 1e-14:  # about the root of the larger of a and b rounds
        m += 1
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + step * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + step / c
            c = c if abs(c) > _TINY else _TINY
            change = d * c
            value *= change
    return value


@lru_cache(maxsize=8192)
def log_betainc(x: float, a: float, b: float) -> float:
    """The logarithm of the regularised incomplete beta function I_x(a, b), for 0 <= x <= 1 and a, b > 0.

    Accurate in both tails; for the upper tail ask for `log_betainc(1 - x, b, a)`.

    >>> round(exp(log_betainc(0.3, 2.0, 5.0)), 9)
    0.579825
    """
    if x <= 0.0:
        return -inf
    if x >= 1.0:
        return 0.0
    front = a * log(x) + b * log1p(-x) - log_beta(a, b)
    if x < (a + 1.0) / (a + b + 2.0):
        return front + log(_fraction(x, a, b) / a)
    other = exp(front) * _fraction(1.0 - x, b, a) / b
    return log1p(-min(other, 1.0 - 1e-16))


def log_choose(n: int, k: int) -> float:
    """The logarithm of the number of ways to choose k of n; -inf where there is none.

    >>> round(exp(log_choose(5, 2)), 6), log_choose(2, 3)
    (10.0, -inf)
    """
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) if 0 <= k <= n else -inf


def bisect(test: Callable[[float], bool], low: float, high: float, *, steps: int = 60) -> float:
    """The point in [low, high] where `test` turns from True to False (True at low, False at high).

    >>> round(bisect(lambda x: x * x < 2, 0.0, 2.0), 9)
    1.414213562
    """
    for _ in range(steps):
        middle = (low + high) / 2
        if test(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
