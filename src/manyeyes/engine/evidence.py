"""E-processes: evidence that may be looked at after every trial without spending any of the error rate.

Each function returns the natural logarithm of an e-value that depends on the counts (n, k) alone. Under the
hypothesis it tests, the chance that the e-value ever reaches 1/a is at most a (Ville 1939; Ramdas, Grünwald, Vovk &
Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference"). The grids are those of the planner's
tables.
"""

from __future__ import annotations

from functools import lru_cache
from math import log

from manyeyes.engine.special import log_beta, log_betainc, log_likelihood, log_sum

Grid = tuple[tuple[float, float], ...]

_BELOW = ((1 / 30, 0.6), (1 / 10, 0.25), (1 / 4, 0.15))
_MOST = 0.95


@lru_cache(maxsize=1024)
def above_grid(p_min: float) -> Grid:
    """Alternatives (rate, weight) of "it happens at p_min or more often", for 0 < p_min < 1.

    >>> above_grid(0.05)
    ((0.05, 0.35), (0.1, 0.2), (0.25, 0.15), (0.5, 0.15), (0.8, 0.15))
    """
    rates = (p_min, min(2 * p_min, _MOST), 0.25, 0.5, 0.8)
    return tuple((max(q, p_min), w) for q, w in zip(rates, (0.35, 0.2, 0.15, 0.15, 0.15), strict=True))


@lru_cache(maxsize=1024)
def futility_grid(tau: float) -> Grid:
    """Alternatives of "it still happens about as often as tau", tested against tau / 10.

    >>> futility_grid(0.01)
    ((0.01, 0.6), (0.03, 0.2), (0.1, 0.2))
    """
    return ((tau, 0.6), (min(3 * tau, _MOST), 0.2), (max(min(0.3, 10 * tau), tau), 0.2))


@lru_cache(maxsize=8192)
def log_e_grid(n: int, k: int, boundary: float, grid: Grid) -> float:
    """The log e-value of a weighted grid of alternatives against one boundary rate, 0 < boundary < 1.

    Valid for every rate on the far side of the boundary when the whole grid lies on the near side: the likelihood
    ratio is then a supermartingale for the composite hypothesis.

    >>> from math import exp
    >>> round(exp(log_e_grid(1, 1, 0.01, above_grid(0.05))), 6)
    27.0
    """
    base = log_likelihood(k, n, boundary)
    return log_sum([log(w) + log_likelihood(k, n, q) - base for q, w in grid])


def log_e_above(n: int, k: int, p0: float, p_min: float) -> float:
    """Log evidence that the rate is above p0 (grid from p_min up); the test behind `reproduced`."""
    return log_e_grid(n, k, p0, above_grid(p_min))


@lru_cache(maxsize=4096)
def _below_grid(boundary: float) -> Grid:
    return tuple((boundary * part, w) for part, w in _BELOW)


def log_e_below(n: int, k: int, boundary: float) -> float:
    """Log evidence that the rate is below the boundary; the test behind `holds` and `not_reproduced`.

    >>> from math import exp
    >>> exp(log_e_below(321, 0, 0.01)) < 20 <= exp(log_e_below(322, 0, 0.01))
    True
    """
    return log_e_grid(n, k, boundary, _below_grid(boundary))


@lru_cache(maxsize=8192)
def log_e_fails(n: int, k: int, tau: float) -> float:
    """Log evidence that the rate is above tau: a Beta(1/2, 1/2) mixture cut off below tau; the test behind `fails`.

    >>> from math import exp
    >>> round(exp(log_e_fails(2, 2, 0.05)), 1)
    175.1
    """
    mass = log_beta(k + 0.5, n - k + 0.5) + log_betainc(1 - tau, n - k + 0.5, k + 0.5)
    whole = log_beta(0.5, 0.5) + log_betainc(1 - tau, 0.5, 0.5)
    return mass - whole - log_likelihood(k, n, tau)


def log_e_futile(n: int, k: int, tau: float) -> float:
    """Log evidence that the rate is above tau / 10: not an order of magnitude better than asked; behind `not_shown`."""
    return log_e_grid(n, k, tau / 10, futility_grid(tau))
