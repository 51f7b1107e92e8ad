"""The evidence and the intervals against scipy, brute force and the published table."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, isfinite, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from manyeyes.engine.evidence import above_grid, futility_grid, log_e_above, log_e_below, log_e_fails, log_e_futile
from manyeyes.engine.intervals import (
    anytime_interval,
    exact_interval,
    exact_lower,
    exact_upper,
    lower_bound,
    per_trial_tau,
    residual_at,
    upper_bound,
    wilson_lower,
    wilson_upper,
)
from manyeyes.engine.special import clipped_exp, log_betainc, log_sum
from manyeyes.engine.twosample import log_block, nearest

COUNTS = [(0, 1), (1, 1), (0, 30), (30, 30), (28, 30), (3, 200), (0, 299), (700, 1495)]


@pytest.mark.parametrize("a", [0.5, 1.0, 20.5, 300.5])
@pytest.mark.parametrize("b", [0.5, 3.0, 300.5])
@pytest.mark.parametrize("x", [0.001, 0.05, 0.5, 0.95, 0.999])
def test_the_incomplete_beta_function_is_scipys(a: float, b: float, x: float) -> None:
    expected = special.betainc(a, b, x)
    if expected > 1e-290:
        assert exp(log_betainc(x, a, b)) == pytest.approx(expected, rel=1e-9)


def test_the_edges_of_the_special_functions() -> None:
    assert exp(log_betainc(0.0, 1, 2)) == 0.0
    assert log_betainc(1.0, 1, 2) == 0.0
    assert log_sum([]) == float("-inf")
    assert isfinite(clipped_exp(1e9))


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_exact_and_wilson_bounds_are_scipys(k: int, n: int) -> None:
    exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    assert exact_interval(k, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
    above, below = (stats.binomtest(k, n, alternative=side) for side in ("greater", "less"))
    assert exact_lower(k, n) == pytest.approx(above.proportion_ci(0.95, "exact").low, abs=1e-9)
    assert exact_upper(k, n) == pytest.approx(below.proportion_ci(0.95, "exact").high, abs=1e-9)
    assert wilson_lower(k, n) == pytest.approx(above.proportion_ci(0.95, "wilson").low, abs=1e-9)
    assert wilson_upper(k, n) == pytest.approx(below.proportion_ci(0.95, "wilson").high, abs=1e-9)


def test_nothing_is_known_after_no_trial() -> None:
    assert exact_interval(0, 0) == anytime_interval(0, 0) == (0.0, 1.0)
    assert (wilson_lower(0, 0), wilson_upper(0, 0), lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("p", "n", "width"), [(0.05, 200, 0.105), (0.3, 50, 0.395), (0.3, 200, 0.218), (0.6, 1000, 0.113)]
)
def test_the_anytime_interval_is_as_wide_as_the_table_says(p: float, n: int, width: float) -> None:
    spans = [high - low for low, high in (anytime_interval(k, n) for k in range(n + 1))]
    assert sum(stats.binom.pmf(k, n, p) * spans[k] for k in range(n + 1)) == pytest.approx(width, rel=0.02)


def _ever(p: float, missed: Callable[[int, int], bool], trials: int = 1000) -> float:
    """Exact: the chance that (n, k) is ever missed within so many trials at rate p, whoever says when to stop."""
    alive, ever = {0: 1.0}, 0.0
    for n in range(1, trials + 1):
        moved: dict[int, float] = {}
        for k, mass in alive.items():
            if mass > 1e-14:
                moved[k] = moved.get(k, 0.0) + mass * (1 - p)
                moved[k + 1] = moved.get(k + 1, 0.0) + mass * p
        alive = {}
        for k, mass in moved.items():
            if missed(n, k):
                ever += mass
            else:
                alive[k] = mass
    return ever


@pytest.mark.parametrize(("p", "table"), [(0.01, 0.018), (0.05, 0.022), (0.3, 0.036), (0.6, 0.038)])
def test_the_anytime_interval_covers_under_any_stopping(p: float, table: float) -> None:
    """An adversary who stops as soon as the interval misses p succeeds as seldom as the table says, below 5 %."""
    level, whole = log(0.05), special.betaln(0.5, 0.5)

    def missed(n: int, k: int) -> bool:
        cut = special.betaln(k + 0.5, n - k + 0.5) - whole + level
        return k * log(p) + (n - k) * log(1 - p) < cut

    assert _ever(p, missed) == pytest.approx(table, abs=0.001)
    for k, n in ((0, 40), (5, 40), (22, 40), (40, 40)):
        low, high = anytime_interval(k, n)
        assert missed(n, k) == (not low <= p <= high)


@pytest.mark.parametrize("p", [0.01, 0.05, 0.3])
def test_the_one_sided_bounds_cover_under_any_stopping(p: float) -> None:
    assert 0.001 < _ever(p, lambda n, k: log_e_below(n, k, p) >= log(20), 600) <= 0.05
    assert 0.001 < _ever(p, lambda n, k: log_e_above(n, k, p, max(0.05, 2 * p)) >= log(20), 600) <= 0.05
    assert (upper_bound(2, 200) < p) == (log_e_below(200, 2, p) > log(20))


@pytest.mark.parametrize(("k", "n", "tau"), [(2, 2, 0.05), (0, 300, 0.01), (5, 40, 0.05), (1, 9, 0.01)])
def test_the_mixture_behind_fails_is_the_integral(k: int, n: int, tau: float) -> None:
    mass = integrate.quad(lambda q: q ** (k - 0.5) * (1 - q) ** (n - k - 0.5), tau, 1, limit=500)[0]
    whole = integrate.quad(lambda q: q**-0.5 * (1 - q) ** -0.5, tau, 1)[0]
    assert exp(log_e_fails(n, k, tau)) == pytest.approx(mass / whole / (tau**k * (1 - tau) ** (n - k)), rel=1e-6)


@settings(deadline=None)
@given(n=st.integers(0, 400), data=st.data(), tau=st.floats(0.001, 0.45))
def test_a_success_and_a_failure_pull_their_own_way(n: int, data: st.DataObject, tau: float) -> None:
    k = data.draw(st.integers(0, n))
    for rising in (log_e_fails, log_e_futile):
        assert rising(n + 1, k + 1, tau) >= rising(n, k, tau) - 1e-9 >= rising(n + 1, k, tau) - 2e-9
    assert log_e_below(n + 1, k, tau) >= log_e_below(n, k, tau) - 1e-9 >= log_e_below(n + 1, k + 1, tau) - 2e-9


@settings(deadline=None)
@given(n=st.integers(0, 60), p=st.floats(0.0001, 0.9999), share=st.floats(0, 1), data=st.data())
def test_no_next_trial_is_a_winning_bet_under_the_hypothesis(
    n: int, p: float, share: float, data: st.DataObject
) -> None:
    """The grids are supermartingales for every rate on the far side of the boundary, whatever came before."""
    k = data.draw(st.integers(0, n))
    boundary = min(max(p, 0.001), 0.2)
    worse_above, worse_below = share * boundary, boundary + share * (1 - boundary)

    def stays(evidence: object, rate: float) -> bool:
        assert callable(evidence)
        after = (1 - rate) * exp(evidence(n + 1, k) - evidence(n, k)) + rate * exp(
            evidence(n + 1, k + 1) - evidence(n, k)
        )
        return bool(after <= 1 + 1e-9)

    assert stays(lambda n, k: log_e_above(n, k, boundary, min(0.9, 5 * boundary)), worse_above)
    assert stays(lambda n, k: log_e_fails(n, k, boundary), worse_above)
    assert stays(lambda n, k: log_e_futile(n, k, boundary), worse_above / 10)
    assert stays(lambda n, k: log_e_below(n, k, boundary), worse_below)


@settings(deadline=None)
@given(rate=st.floats(0.001, 0.49))
def test_the_grids_lie_on_the_right_side_and_weigh_one(rate: float) -> None:
    for grid, least in ((above_grid(rate), rate), (futility_grid(rate), rate)):
        assert sum(weight for _, weight in grid) == pytest.approx(1)
        assert all(least <= q < 1 for q, _ in grid)


@pytest.mark.parametrize(("k", "n"), [(0, 63), (1, 124), (3, 500)])
def test_the_upper_bound_is_where_the_test_starts_to_reject(k: int, n: int) -> None:
    bound = upper_bound(k, n)
    assert log_e_below(n, k, bound * 1.001) >= log(20) > log_e_below(n, k, bound * 0.999)


def test_the_lower_bound_clears_the_floor_when_the_evidence_does() -> None:
    for k, n in ((1, 1), (3, 4), (9, 10), (5, 60)):
        assert (lower_bound(k, n) >= 0.01) == (log_e_above(n, k, 0.01, 0.05) >= log(20))


def test_retries() -> None:
    assert residual_at(per_trial_tau(0.05, 7), 7) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="tau_attack"):
        per_trial_tau(1.0, 3)
    with pytest.raises(ValueError, match="retries"):
        per_trial_tau(0.05, 0)


@pytest.mark.parametrize("wrong", [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(wrong: tuple[int, int]) -> None:
    for interval in (
        anytime_interval,
        exact_interval,
        exact_lower,
        exact_upper,
        wilson_upper,
        upper_bound,
        lower_bound,
    ):
        with pytest.raises(ValueError, match="k of n"):
            interval(*wrong)
    with pytest.raises(ValueError, match="confidence"):
        exact_interval(1, 2, confidence=95)


@settings(deadline=None)
@given(
    n=st.integers(0, 80),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    margin=st.sampled_from([0.0, 0.05, 0.3]),
    data=st.data(),
)
def test_a_block_is_never_a_winning_bet_under_the_null(
    n: int, share: tuple[float, float], margin: float, data: st.DataObject
) -> None:
    control, exploit = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    p_control = share[0] * (1 - margin)
    p_exploit = share[1] * (p_control + margin)
    for b in (p_exploit, p_control + margin):
        value = sum(
            (p_control if y else 1 - p_control)
            * (b if z else 1 - b)
            * exp(log_block(n, control, exploit, y, z, margin))
            for y in (False, True)
            for z in (False, True)
        )
        assert value <= 1 + 1e-9


def test_the_nearest_point_of_the_null_is_the_nearest() -> None:
    def distance(x: float) -> float:
        a, b, y = 0.1, 0.8, x + 0.05
        return -(a * log(x) + (1 - a) * log(1 - x) + b * log(y) + (1 - b) * log(1 - y))

    found = nearest(0.1, 0.8, 0.05)
    assert distance(found) < min(distance(found - 1e-4), distance(found + 1e-4))
