"""The figures that the engine promises, exact: trials of a reproduction and a verification, and what is never shown."""

from __future__ import annotations

import pytest

from manyeyes.engine import Cell, characteristics, foresee_map, plan_map, plan_reproduce, plan_verify
from manyeyes.engine.special import log_beta, log_likelihood


def test_a_reproduction_costs_what_was_promised() -> None:
    one = characteristics(plan_reproduce(), [0.0, 0.05, 0.1, 0.2, 0.5])
    assert [round(point.expected, 1) for point in one.points] == [63.0, 90.3, 29.0, 10.6, 3.0]
    three = characteristics(plan_reproduce(min_successes=3), [0.1, 0.2, 0.5])
    assert [round(point.expected, 1) for point in three.points] == [33.7, 15.1, 6.0]
    assert max(one.type_one, three.type_one) <= 0.05
    assert max(one.type_two, three.type_two) <= 0.05


def test_a_verification_costs_what_was_promised_and_shows_no_residual() -> None:
    found = characteristics(plan_verify(tau=0.01), [0.0, 0.001, 0.02, 0.1])
    assert [round(point.expected, 1) for point in found.points] == [322.0, 427.5, 103.8, 14.3]
    assert found.type_one <= 0.05
    assert found.at(0.02).verdicts["holds"] < 0.01
    assert found.at(0.1).verdicts["holds"] < 0.01


@pytest.mark.parametrize("p", [0.01, 0.05, 0.3, 0.6])
def test_anytime_intervals_cover_under_any_stopping(p: float) -> None:
    """The chance that the interval ever leaves out the truth within 300 trials, counted out over every path."""
    alive, missed = {0: 1.0}, 0.0
    for n in range(1, 301):
        moved: dict[int, float] = {}
        for k, mass in alive.items():
            moved[k + 1] = moved.get(k + 1, 0.0) + mass * p
            moved[k] = moved.get(k, 0.0) + mass * (1 - p)
        for k in list(moved):
            # The interval is the set of rates whose likelihood is at least alpha times that of the mixture.
            cut = log_beta(k + 0.5, n - k + 0.5) - log_beta(0.5, 0.5)
            if log_likelihood(k, n, p) - cut < -2.995732273553991:
                missed += moved.pop(k)
        alive = moved
    assert 0.005 < missed <= 0.05


@pytest.mark.parametrize(
    ("budget", "wrong", "used"), [(12, (0.18, 0.34), 97), (48, (0.0, 0.08), 260)], ids=["small budget", "larger budget"]
)
def test_few_close_settings_need_a_larger_budget_and_do_not_use_it_up(
    budget: int, wrong: tuple[float, float], used: float
) -> None:
    """Rates of 10, 20, ... 80 %, as the guide tells them; bench/trials.py counts them at length."""
    rates = {f"s{i}": (1 + i) / 10 for i in range(8)}
    seen = foresee_map(plan_map(cells=[Cell(key=key) for key in rates], budget=budget), rates, runs=200)
    assert wrong[0] <= seen.error <= wrong[1]
    assert seen.expected <= used
