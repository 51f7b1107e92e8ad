"""Whether fixed trials have the rate of the main stream before them, which a rule had stopped at a success."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, log, log1p, pi, sin, sqrt

from manyeyes.engine.special import log_likelihood

WAITED = 3
"""The success up to which a stream is read, at least. With fewer, no number of fixed failures could show a fall."""
_NEAR = 6.0
"""A distance below this one is never rare."""
_GRID = 40
_SPREAD = 9


def since_p_value(waited: int, r: int, k: int, n: int, *, came: bool = True) -> float:
    """The two-sided p-value that k of n fixed trials have the rate of a stream whose r-th success was its `waited`-th.

    A stream that stops at a success overstates its rate. But when its r-th success comes, r set beforehand, does not
    depend on where a rule would stop it: the wait is negative binomial and the fixed count binomial, with one rate. The
    likelihood ratio of two rates to one orders what may come; the chance of so great a one in its direction, at the
    rate that makes this greatest, is doubled for the two directions (Barnard 1945); 1 where the rates look alike. Not
    `came`: there were fewer than r successes before the `waited`-th trial, so that only a rise can be seen.

    >>> [round(since_p_value(waited, 3, k, 30), 5) for waited, k in ((3, 1), (3, 2), (6, 0), (10, 29), (40, 13))]
    [0.0006, 0.00153, 0.00209, 1e-05, 0.00029]
    """
    if not came and waited <= r:
        return 1.0
    found = distance(waited, r, k, n)
    if abs(found) < _NEAR or (found > 0 and not came):
        return 1.0
    waits = _falls(found, r, n) if found > 0 else _rises(found, r, n)
    return min(1.0, 2 * _greatest(lambda p: _chance(p, waits, r, n, fell=found > 0)))


def distance(waited: int, r: int, k: int, n: int) -> float:
    """Twice the logarithm of the likelihood ratio: above 0 where the stream's rate looks the greater, else below."""
    apart = log_likelihood(r, waited, r / waited) + log_likelihood(k, n, k / n)
    found = 2 * (apart - log_likelihood(r + k, waited + n, (r + k) / (waited + n)))
    return found if r * n > k * waited else -found


def _falls(bound: float, r: int, n: int) -> dict[int, int]:
    """By fixed count, the longest wait at which the rates are as far apart; a shorter one puts them farther."""
    waits: dict[int, int] = {}
    # It ends: where all fixed trials succeeded, no stream has a greater rate.
    while distance(r, r, k := len(waits), n) >= bound:
        waits[k] = _last(lambda wait, k=k: distance(wait, r, k, n) >= bound, r)  # type: ignore[misc]
    return waits


def _rises(bound: float, r: int, n: int) -> dict[int, int]:
    """By fixed count, the longest wait at which the rates are not as far apart yet; longer ones put them farther."""
    waits: dict[int, int] = {}
    for k in range(n, 0, -1):
        waits[k] = _last(lambda wait, k=k: distance(wait, r, k, n) > bound, r)  # type: ignore[misc]
    return waits


def _last(test: Callable[[int], bool], first: int) -> int:
    """The last number for which a test is True that is True at `first` and turns to False once."""
    step = 1
    while test(first + step):
        step *= 2
    low = first + step // 2
    while step > 1:
        step //= 2
        low += step // 2 if test(low + step // 2) else 0
    return low


def _chance(p: float, waits: dict[int, int], r: int, n: int, *, fell: bool) -> float:
    """The chance at rate p of a count with a wait as short (it fell) or longer (it rose)."""
    reach = _SPREAD * (1 + sqrt(n * p * (1 - p)))
    total = 0.0
    for k in range(max(0, int(n * p - reach)), min(n, int(n * p + reach)) + 1):
        if k in waits:
            later = _later(waits[k], r, p)
            total += exp(_log_count(k, n, p)) * (1 - later if fell else later)
    return total


def _later(wait: int, r: int, p: float) -> float:
    """The chance that the r-th success comes after so many trials."""
    term, odds = wait * log1p(-p), log(p) - log1p(-p)
    total = exp(term)
    for x in range(1, min(r, wait + 1)):
        term += log((wait - x + 1) / x) + odds
        total += exp(term)
    return min(1.0, total)


def _log_count(k: int, n: int, p: float) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + log_likelihood(k, n, p)


def _greatest(chance: Callable[[float], float]) -> float:
    """The greatest chance over all rates: the best of a grid, and between its neighbours by golden section."""
    angles = [(i + 0.5) / _GRID * pi / 2 for i in range(_GRID)]
    values = [chance(sin(angle) ** 2) for angle in angles]
    best = max(range(_GRID), key=values.__getitem__)
    low, high = angles[max(0, best - 1)], angles[min(_GRID - 1, best + 1)]
    top, golden = values[best], (sqrt(5) - 1) / 2
    for _ in range(16):
        one, other = high - golden * (high - low), low + golden * (high - low)
        left, right = chance(sin(one) ** 2), chance(sin(other) ** 2)
        low, high, top = (low, other, max(top, left)) if left > right else (one, high, max(top, right))
    return top
