"""Making plans, the order they give, the fixed-n stage, and the honesty checks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from manyeyes.engine import (
    Answer,
    Arm,
    Cell,
    Fixed,
    Plan,
    Question,
    Stream,
    Trial,
    drive,
    exact_upper,
    plan_reproduce,
    plan_score,
    plan_verify,
    zeros_needed,
)
from manyeyes.engine.checks import halves_p_value, runs_p_value
from manyeyes.engine.schedule import Layout, Schedule
from tests.engine.scripted import MIXTURE, answer, coin, run

A, B = Cell(key="a"), Cell(key="b")

WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (plan_reproduce, {"alpha": 0.0}, "alpha: give a rate above 0 and below 1"),
    (plan_reproduce, {"beta": 1.0}, "beta:"),
    (plan_reproduce, {"p0": float("nan")}, "p0: give"),
    (plan_reproduce, {"p0": 0.05}, "p0: must be below p_min"),
    (plan_reproduce, {"p_min": 2}, "p_min:"),
    (plan_reproduce, {"cap": 0}, "cap: give a whole number of at least 1"),
    (plan_reproduce, {"cap": 2.5}, "cap:"),
    (plan_reproduce, {"cap": True}, "cap:"),
    (plan_reproduce, {"min_successes": 0}, "min_successes: give"),
    (plan_reproduce, {"cap": 2, "min_successes": 3}, "min_successes: cannot be above cap"),
    (plan_reproduce, {"retry_budget": 0}, "retry_budget:"),
    (plan_reproduce, {"margin": 0.1}, "margin: only counts against a control"),
    (plan_reproduce, {"margin": -0.1, "control": [A]}, "margin: give"),
    (plan_reproduce, {"cells": []}, "cells: give at least one cell"),
    (plan_reproduce, {"cells": [A, A]}, "cells: each cell needs its own key, given twice: a"),
    (plan_reproduce, {"cells": [Cell(key="x", weight=0)]}, "cells: the weight of cell x"),
    (plan_reproduce, {"control": [A, A]}, "control: each cell"),
    (plan_reproduce, {"rated": "z", "score": [Fixed(cell=A, n=1)]}, "rated: 'z' is not among"),
    (plan_reproduce, {"score": [Fixed(cell=A, n=0)]}, "score n of cell a"),
    (plan_verify, {"tau": 0.5}, "tau: give a rate above 0 and below 0.5"),
    (plan_verify, {"cap": -1}, "cap:"),
    (plan_verify, {"part_cap": 0}, "part_cap:"),
    (plan_verify, {"before": (3, 2)}, "before: give"),
    (plan_reproduce, {"claim": (3, 2)}, "claim: give (k, n)"),
    (plan_verify, {"before": (0, 0)}, "before n:"),
    (plan_verify, {"benign": Arm(cells=(A,), n=3, need=4)}, "benign.need: give a whole number from 0 to n = 3"),
    (plan_verify, {"benign": Arm(cells=(), n=3)}, "benign.cells: give at least one"),
    (plan_verify, {"positive": Arm(cells=(A,), n=0)}, "positive.n:"),
    (plan_score, {"score": []}, "score: give at least one"),
    (plan_score, {"score": [Fixed(cell=A, n=3)], "rated": "b"}, "rated:"),
    (plan_score, {"score": [Fixed(cell=A, n=3)], "benign": Arm(cells=(B,), n=3, need=1)}, "benign.need:"),
]


@pytest.mark.parametrize(("make", "wrong", "message"), WRONG)
def test_a_wrong_argument_is_named_with_its_mend(make: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        make(**wrong)
    assert str(error.value).startswith(message)


def test_plans_survive_the_trip_through_json() -> None:
    plan = plan_verify(
        cells=MIXTURE, benign=Arm(cells=(A,), n=3, need=1), before=(28, 30), seed=4, notes={"detector": "canary/1"}
    )
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json()).hash == plan.hash != replace(plan, seed=5).hash
    scored = plan_reproduce(score=[Fixed(cell=A, n=3)], control=[B], claim=(7, 10))
    assert Plan.from_json(scored.to_json()) == scored
    assert plan_verify().cap == 5 * zeros_needed(0.01) == 1495


@settings(deadline=None)
@given(seed=st.integers(0, 10**9), weights=st.lists(st.floats(0.1, 5), min_size=1, max_size=8))
def test_every_prefix_keeps_to_the_weights(seed: int, weights: list[float]) -> None:
    cells = [Cell(key=str(i), weight=w) for i, w in enumerate(weights)]
    order, counts, total = Schedule(cells, seed=seed, name="main"), Counter[str](), sum(weights)
    for n in range(1, 120):
        counts[order.cell(n - 1).key] += 1
        for cell in cells:
            assert abs(counts[cell.key] - n * cell.weight / total) <= 1 + len(cells) * cell.weight / total


def test_equal_weights_make_every_round_a_permutation_that_depends_on_the_seed() -> None:
    def rounds(seed: int) -> list[list[str]]:
        order = Schedule(MIXTURE, seed=seed, name="main")
        return [[order.cell(16 * r + i).key for i in range(16)] for r in range(4)]

    one = rounds(1)
    assert all(len(set(row)) == 16 for row in one)
    assert all(a != b for a, b in combinations([*one, *rounds(2)], 2))
    assert one == rounds(1)


def test_trials_are_the_same_for_the_same_plan() -> None:
    plan = plan_verify(cells=MIXTURE, seed=9)
    for stream, index in ((Stream.MAIN, 40), (Stream.ATTRIBUTE, 7)):
        trial = Layout(plan).trial(stream, index)
        assert trial == Layout(plan).trial(stream, index)
        assert 0 <= trial.seed < 2**31
        assert trial.seed != Layout(replace(plan, seed=10)).trial(stream, index).seed
    seeds = {Layout(plan).trial(Stream.MAIN, i).seed for i in range(500)}
    assert len(seeds) == 500


def test_an_order_that_ends_says_so() -> None:
    order = Schedule([Cell(key="a", deterministic=True)], seed=1, name="main")
    assert (order.length, order.cell(0).key) == (1, "a")
    with pytest.raises(IndexError, match="has 1 trials"):
        order.cell(1)


HOT = Cell(key="hot/a", setting="hot", wording="a")
COLD = Cell(key="cold/a", setting="cold", wording="a", deterministic=True)


def scripted(trial: Trial) -> Answer:
    if trial.cell == COLD.key:
        return answer(trial, True, "BLUE-HERON-42")
    return answer(trial, None if trial.index == 3 else trial.index % 3 > 0, str(trial))


def test_after_reproduced_every_fixed_cell_runs_to_its_end() -> None:
    plan = plan_reproduce(
        cells=[HOT],
        min_successes=3,
        score=[Fixed(cell=HOT, n=12), Fixed(cell=COLD, n=4)],
        rated=HOT.key,
        benign=Arm(cells=(B,), n=7),
    )
    verdict = run(plan, scripted, room=5, shuffle=1)
    hot, cold = verdict.settings
    assert (verdict.verdict, verdict.asked - verdict.overrun) == ("reproduced", verdict.n + 12 + 4 + 7)
    assert (hot.n, hot.k, hot.undecided, hot.rated, hot.confidence, hot.one_answer) == (12, 8, 1, True, 0.95, False)
    exact = stats.binomtest(8, 12).proportion_ci(0.95, "exact")
    assert (hot.low, hot.high, hot.asr) == pytest.approx((exact.low, exact.high, 8 / 12))
    assert (cold.n, cold.k, cold.distinct, cold.one_answer, cold.confidence) == (4, 4, 1, True, 0.975)
    assert (cold.low, cold.high) == pytest.approx((0.0125, 1.0))
    assert (verdict.arms[0].arm, verdict.arms[0].n, verdict.arms[0].ok) == ("benign", 7, None)


def test_the_claim_is_compared_with_the_rated_cell_or_with_the_run() -> None:
    plain = drive(plan_reproduce(claim=(1, 10)), lambda trial: False)
    assert (plain.claim["k"], plain.claim["n"], plain.claim["asr"]) == (1, 10, 0.1)
    assert plain.high < 0.1
    assert plain.claim["consistent"] is False
    assert drive(plan_reproduce(claim=(7, 10)), lambda trial: True).claim["consistent"] is True
    rated = plan_reproduce(claim=(1, 10), score=[Fixed(cell=HOT, n=30)], rated=HOT.key)
    assert drive(rated, lambda trial: True).claim["consistent"] is False
    assert drive(plan_reproduce(), lambda trial: True).claim == {}


def test_without_reproduction_nothing_is_spent_on_scoring() -> None:
    plan = plan_reproduce(score=[Fixed(cell=HOT, n=12)], benign=Arm(cells=(B,), n=7))
    verdict = drive(plan, lambda trial: False)
    assert (verdict.verdict, verdict.asked, verdict.settings) == ("not_reproduced", 63, ())


def test_an_arm_with_a_need_comes_first_in_a_reproduction_too() -> None:
    plan = plan_reproduce(positive=Arm(cells=(B,), n=3, need=2))
    verdict = drive(plan, lambda trial: False)
    assert (verdict.verdict, verdict.asked) == ("inconclusive", 2)
    assert "assay not sensitive" in verdict.reason


def test_a_fixed_count_has_no_rule() -> None:
    plan = plan_score(score=[Fixed(cell=HOT, n=20), Fixed(cell=B, n=5)], benign=Arm(cells=(A,), n=2))
    verdict = run(plan, coin(3, lambda trial: 0.4), room=4, shuffle=2)
    assert (verdict.question, verdict.verdict, verdict.n) == (Question.SCORE, "scored", 20)
    assert [row.n for row in verdict.settings] == [20, 5]
    assert verdict.bound == exact_upper(verdict.k, 20)
    assert (verdict.bound_side, verdict.overrun, verdict.asked) == ("upper", 0, 27)
    assert drive(plan, lambda trial: False).settings[0].distinct is None
    assert verdict.to_json()["settings"][0]["rated"] is True


@settings(deadline=None)
@given(bits=st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_halves_test_is_fishers(bits: list[bool]) -> None:
    first, second = bits[: len(bits) // 2], bits[len(bits) // 2 :]
    table = [[sum(first), len(first) - sum(first)], [sum(second), len(second) - sum(second)]]
    assert halves_p_value(bits) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


@pytest.mark.parametrize("ones", [0, 1, 3, 5, 9])
def test_the_runs_test_counts_arrangements(ones: int) -> None:
    n = 10
    rows = [[i in chosen for i in range(n)] for chosen in combinations(range(n), ones)]
    runs = [1 + sum(a != b for a, b in pairwise(row)) for row in rows]
    for row, seen in list(zip(rows, runs, strict=True))[::7]:
        assert runs_p_value(row) == pytest.approx(sum(r <= seen for r in runs) / len(runs))
