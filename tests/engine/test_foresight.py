"""What a map, a comparison or a sweep will cost, against the replay itself and against the published figures."""

from __future__ import annotations

from itertools import product
from math import log
from random import Random

import pytest

from manyeyes.engine import (
    Cell,
    SweepItem,
    drive,
    foresee_compare,
    foresee_map,
    foresee_sweep,
    plan_compare,
    plan_map,
    plan_reproduce,
    plan_sweep,
)
from manyeyes.engine.comparison import log_e_mcnemar
from manyeyes.engine.foresight import type_one
from manyeyes.engine.plan import Stream


def test_pairs_cost_what_the_table_says() -> None:
    """Both directions at .025. Must show: .05 against .3 in 41 pairs or fewer."""
    seen = foresee_compare(plan_compare(), 0.05, 0.3)
    assert seen.exact
    assert seen.expected <= 41
    assert seen.power > 0.999
    expected = {(0.05, 0.6): 14.1, (0.01, 0.2): 41.5, (0.05, 0.15): 149.2, (0.3, 0.5): 106.6}
    for (old, new), pairs in expected.items():
        assert foresee_compare(plan_compare(), old, new).expected == pytest.approx(pairs, abs=0.1)
    bound = foresee_compare(plan_compare(), 0.3, 0.5, correlation=0.5)
    assert bound.expected == pytest.approx(52.6, abs=0.1)
    mirrored = foresee_compare(plan_compare(), 0.3, 0.05)
    assert mirrored.words["better"] == pytest.approx(seen.words["worse"])
    assert (mirrored.expected, mirrored.median, mirrored.ninety) == pytest.approx((seen.expected, 34, 70))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_equal_versions_are_told_apart_no_more_often_than_alpha(alpha: float) -> None:
    plan = plan_compare(alpha=alpha)
    assert 0 < type_one(plan) <= alpha
    for rate in (0.0, 0.02, 0.3, 1.0):
        assert foresee_compare(plan, rate, rate).error <= type_one(plan)


def test_counting_out_pairs_equals_walking_every_path() -> None:
    plan, old, new = plan_compare(alpha=0.6, cap=7), 0.3, 0.45
    worse, better = new * (1 - old), old * (1 - new)
    words = {"worse": 0.0, "better": 0.0, "inconclusive": 0.0}
    expected = 0.0
    for path in product((1, -1, 0), repeat=plan.cap):
        chance = 1.0
        for step in path:
            chance *= {1: worse, -1: better, 0: 1 - worse - better}[step]
        word, n = "inconclusive", plan.cap
        for i in range(1, plan.cap + 1):
            up, down = path[:i].count(1), path[:i].count(-1)
            for name, value in (("worse", log_e_mcnemar(up, down)), ("better", log_e_mcnemar(down, up))):
                if word == "inconclusive" and value >= log(2 / plan.alpha):
                    word, n = name, i
        words[word] += chance
        expected += chance * n
    seen = foresee_compare(plan, old, new)
    assert seen.expected == pytest.approx(expected)
    assert seen.words == pytest.approx(words)
    assert seen.power == pytest.approx(words["worse"])


def test_the_replay_agrees_with_what_was_foreseen() -> None:
    plan = plan_compare(cap=150)
    seen = foresee_compare(plan, 0.1, 0.4)
    random = Random(3)
    counts = [drive(plan, lambda t: random.random() < (0.4 if t.stream is Stream.MAIN else 0.1)).n for _ in range(200)]
    assert sum(counts) / 200 == pytest.approx(seen.expected, abs=4)


def test_blocks_are_simulated_and_keep_their_margin() -> None:
    """Table E, one-sided at .05: 57.8 pairs for .05 against .3 at margin .05; here both directions share alpha."""
    plan = plan_compare(paired=False, margin=0.05, seed=1)
    seen = foresee_compare(plan, 0.05, 0.3, runs=60)
    assert not seen.exact
    assert 50 < seen.expected < 90
    assert seen.power > 0.9
    same = foresee_compare(plan_compare(paired=False, margin=0.05, cap=120), 0.2, 0.25, runs=60)
    assert same.error <= 0.05


LANDSCAPE = {f"s{i}": 0.5 if i == 0 else 0.25 if i < 4 else 0.02 for i in range(48)}


def test_a_sparse_grid_of_48_costs_what_the_table_says() -> None:
    """Must show: rigorous in 1,500 trials or fewer; in budget mode at 12 per setting, wrong in 5 % or fewer."""
    cells = [Cell(key=key) for key in LANDSCAPE]
    proven = foresee_map(plan_map(cells=cells, certificate="rigorous"), LANDSCAPE, runs=5)
    assert proven.error == 0
    assert proven.words == {"found": 1.0}
    assert proven.expected + 3 * proven.standard_error <= 1500
    budget = foresee_map(plan_map(cells=cells), LANDSCAPE, runs=40)
    assert budget.most == 12 * 48
    assert budget.expected <= budget.most
    assert budget.error <= 0.05
    assert budget.words == {"budget": 1.0}


def mixed(m: int) -> dict[str, float]:
    """5 % regressed at .2, .5 or .9; of the others 80 % never succeed and 20 % succeed at tau."""
    risen = m // 20
    return {f"i{i}": (0.2, 0.5, 0.9)[i % 3] if i < risen else 0.01 if i % 5 == 0 else 0.0 for i in range(m)}


def test_a_sweep_of_a_thousand_costs_what_the_table_says() -> None:
    """Must show: 12 trials per item or fewer, power .96 or more, FDR .05 or less."""
    rates = mixed(1000)
    plan = plan_sweep(items=[SweepItem(key=key) for key in rates])
    seen = foresee_sweep(plan, rates, runs=3)
    assert seen.expected <= 12
    assert seen.power >= 0.96
    assert seen.error <= 0.05
    assert seen.most == 60


def test_when_nothing_came_back_hardly_anything_is_flagged() -> None:
    rates = {f"i{i}": 0.01 for i in range(40)}
    seen = foresee_sweep(plan_sweep(items=[SweepItem(key=key) for key in rates]), rates, runs=25)
    assert seen.words.get("regressed", 0.0) <= 0.08
    assert seen.power == 0


def test_wrong_questions_are_refused() -> None:
    grid = plan_map(cells=[Cell(key="a"), Cell(key="b", deterministic=True)])
    items = plan_sweep(items=[SweepItem(key="a")])
    for ask, message in (
        (lambda: foresee_map(plan_reproduce(), {}), "plan: this one asks to reproduce; give one that asks to map"),
        (lambda: foresee_map(grid, {"a": 0.1}), "rates: every cell needs one, missing for b"),
        (lambda: foresee_map(grid, {"a": 0.1, "b": 0.5}), "rates of b: it gives one answer only"),
        (lambda: foresee_map(grid, {"a": 1.1, "b": 0}), "rates of a: rates lie between 0 and 1"),
        (lambda: foresee_map(grid, {"a": 0.1, "b": 0}, runs=0), "runs: at least one"),
        (lambda: foresee_compare(items, 0.1, 0.2), "plan: this one asks to sweep"),
        (lambda: foresee_compare(plan_compare(), 0.1, 0.9, correlation=0.9), "correlation: these rates allow it"),
        (lambda: foresee_compare(plan_compare(), -0.1, 0.9), "old: rates lie"),
        (lambda: foresee_sweep(items, {}), "rates: every item needs one, missing for a"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            ask()
