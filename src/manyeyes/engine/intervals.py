"""Intervals and bounds: anytime ones for runs that stopped by a rule, exact ones for runs of a fixed length."""

from __future__ import annotations

from functools import lru_cache
from math import log, sqrt
from statistics import NormalDist

from manyeyes.engine.evidence import above_grid, log_e_below, log_e_grid
from manyeyes.engine.special import bisect, log_beta, log_betainc, log_likelihood


def _counts(k: int, n: int) -> None:
    if n < 0 or not 0 <= k <= n:
        raise ValueError(f"k of n: need 0 <= k <= n, got k={k}, n={n}")


def _level(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: give a number between 0 and 1, got {confidence}")
    return 1 - confidence


@lru_cache(maxsize=4096)
def anytime_interval(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The Beta(1/2, 1/2) mixture interval: it may be read after every trial and still covers (Robbins 1970; Howard,
    Ramdas, McAuliffe & Sekhon 2021). It depends on k and n alone. 0 <= k <= n, else ValueError.

    >>> low, high = anytime_interval(30, 100)
    >>> round(low, 4), round(high, 4)
    (0.1657, 0.4628)
    >>> anytime_interval(0, 0)
    (0.0, 1.0)
    """
    _counts(k, n)
    level = _level(confidence)
    if n == 0:
        return 0.0, 1.0
    cut = log_beta(k + 0.5, n - k + 0.5) - log_beta(0.5, 0.5) + log(level)

    def outside(p: float) -> bool:
        return log_likelihood(k, n, p) < cut

    middle = k / n
    low = 0.0 if k == 0 else bisect(outside, 0.0, middle)
    high = 1.0 if k == n else bisect(lambda p: not outside(p), middle, 1.0)
    return low, high


@lru_cache(maxsize=4096)
def exact_interval(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The Clopper-Pearson (1934) interval for a number of trials fixed beforehand; wrong after optional stopping.

    >>> low, high = exact_interval(28, 30)
    >>> round(low, 4), round(high, 4)
    (0.7793, 0.9918)
    """
    _counts(k, n)
    half = _level(confidence) / 2
    return _exact_lower(k, n, half), 1 - _exact_lower(n - k, n, half)


def exact_lower(k: int, n: int, *, confidence: float = 0.95) -> float:
    """The one-sided Clopper-Pearson lower bound.

    >>> round(exact_lower(28, 30), 4)
    0.8047
    """
    _counts(k, n)
    return _exact_lower(k, n, _level(confidence))


def exact_upper(k: int, n: int, *, confidence: float = 0.95) -> float:
    """The one-sided Clopper-Pearson upper bound.

    >>> round(exact_upper(0, 299), 4)
    0.01
    """
    _counts(k, n)
    return 1 - _exact_lower(n - k, n, _level(confidence))


def _exact_lower(k: int, n: int, level: float) -> float:
    """The rate at which k or more successes have probability `level`."""
    if k == 0:
        return 0.0
    cut = log(level)
    return bisect(lambda p: log_betainc(p, float(k), float(n - k + 1)) < cut, 0.0, 1.0)


def _wilson(k: int, n: int, confidence: float, side: int) -> float:
    z = NormalDist().inv_cdf(1 - _level(confidence))
    p, zz = k / n, z * z / n
    value = (p + zz / 2 + side * z * sqrt(p * (1 - p) / n + zz / (4 * n))) / (1 + zz)
    return min(1.0, max(0.0, value))


def wilson_lower(k: int, n: int, *, confidence: float = 0.95) -> float:
    """Wilson's (1927) one-sided lower bound for a fixed number of trials.

    >>> round(wilson_lower(28, 30), 4)
    0.8173
    """
    _counts(k, n)
    return 0.0 if k == 0 else _wilson(k, n, confidence, -1)


def wilson_upper(k: int, n: int, *, confidence: float = 0.95) -> float:
    """Wilson's (1927) one-sided upper bound for a fixed number of trials.

    >>> round(wilson_upper(28, 30), 4)
    0.9777
    """
    _counts(k, n)
    return 1.0 if k == n else _wilson(k, n, confidence, 1)


@lru_cache(maxsize=4096)
def upper_bound(k: int, n: int, *, alpha: float = 0.05) -> float:
    """The bound of the test behind `holds`: the least rate the e-process rejects at 1/alpha. Anytime, one-sided.

    >>> round(upper_bound(0, 322), 4), round(upper_bound(0, 63), 4)
    (0.01, 0.05)
    >>> upper_bound(3, 3)
    1.0
    """
    _counts(k, n)
    need = -log(alpha)
    most = 1 - 1e-9
    if n == k or log_e_below(n, k, most) < need:
        return 1.0
    return bisect(lambda rate: log_e_below(n, k, rate) < need, 1e-12, most, steps=48)


@lru_cache(maxsize=4096)
def lower_bound(k: int, n: int, *, alpha: float = 0.05, p_min: float = 0.05) -> float:
    """The bound of the test behind `reproduced`: every rate below it is rejected at 1/alpha. Anytime, one-sided.

    >>> round(lower_bound(3, 3), 4), lower_bound(0, 9)
    (0.1699, 0.0)
    """
    _counts(k, n)
    if k == 0:
        return 0.0
    grid, need = above_grid(p_min), -log(alpha)
    return bisect(lambda rate: log_e_grid(n, k, rate, grid) >= need, 1e-12, k / n, steps=48)


def per_trial_tau(tau_attack: float, retries: int) -> float:
    """The rate per trial that keeps an attacker with `retries` tries below `tau_attack`: 1 - (1 - tau)^(1/K).

    >>> round(per_trial_tau(0.05, 3), 6)
    0.016952
    """
    if not 0 < tau_attack < 1:
        raise ValueError(f"tau_attack: give a number between 0 and 1, got {tau_attack}")
    if retries < 1:
        raise ValueError(f"retries: an attacker has at least one try, got {retries}")
    return float(1 - (1 - tau_attack) ** (1 / retries))


def residual_at(bound: float, retries: int) -> float:
    """The chance that at least one of `retries` tries succeeds at rate `bound` each: 1 - (1 - bound)^K.

    >>> round(residual_at(0.0498, 3), 4)
    0.1421
    """
    return float(1 - (1 - bound) ** retries)
