"""Two versions compared: e-values, differences, repeats, undecided trials, and what the verdict says."""

from __future__ import annotations

from itertools import product
from math import exp, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyeyes.engine import (
    Answer,
    Cell,
    Stream,
    Trial,
    Verdict,
    anytime_interval,
    drive,
    paired_difference,
    plan_compare,
    unpaired_difference,
)
from manyeyes.engine.comparison import GRID, log_e_mcnemar
from tests.engine.scripted import Script, answer, run

WORDINGS = tuple(Cell(key=f"w{i}", wording=f"w{i}") for i in range(6))


def by_stream(new: float, old: float, seed: int = 0) -> Script:
    def reply(trial: Trial) -> Answer:
        draw = Random(f"{seed}/{trial.stream}/{trial.index}").random()
        return answer(trial, draw < (new if trial.stream is Stream.MAIN else old), str(draw))

    return reply


def test_the_weights_of_the_bets_are_one_and_each_favours_worse() -> None:
    assert sum(weight for _, weight in GRID) == pytest.approx(1)
    assert all(0.5 < q < 1 for q, _ in GRID)


@pytest.mark.parametrize("n", [1, 4, 9])
def test_the_mcnemar_e_value_is_fair_on_discordant_pairs(n: int) -> None:
    total = sum(exp(log_e_mcnemar(sum(path), n - sum(path))) for path in product((0, 1), repeat=n)) / 2**n
    assert total == pytest.approx(1)


def test_worse_and_better_mirror_each_other() -> None:
    worse = run(plan_compare(seed=1), by_stream(0.6, 0.05))
    better = run(plan_compare(seed=1), by_stream(0.05, 0.6))
    assert (worse.verdict, better.verdict) == ("worse", "better")
    assert worse.evalues["worse"] >= 40 > worse.evalues["better"]
    assert worse.pairs is not None
    assert worse.pairs.difference == (worse.pairs.new_k - worse.pairs.old_k) / worse.n
    assert worse.k == worse.pairs.new_k == worse.pairs.both + worse.pairs.worse
    assert (worse.low, worse.high) == anytime_interval(worse.k, worse.n)
    (old,) = worse.arms
    assert (old.arm, old.n, old.k) == ("old", worse.n, worse.pairs.old_k)
    assert worse.asked == 2 * worse.n
    assert worse.overrun == 0
    assert worse.to_json()["pairs"]["worse"] == worse.pairs.worse
    assert "e-McNemar" in worse.method


def test_equal_versions_end_at_the_cap() -> None:
    verdict = run(plan_compare(cap=40, seed=2), by_stream(0.5, 0.5, seed=8))
    assert (verdict.verdict, verdict.n) == ("inconclusive", 40)
    assert verdict.reason == "the cap was reached before either version was shown to be worse"
    once = [Cell(key=f"c{i}", deterministic=True) for i in range(3)]
    few = drive(plan_compare(cells=once), lambda trial: trial.stream is Stream.MAIN)
    assert (few.verdict, few.n) == ("inconclusive", 3)
    assert few.reason == "every cell gives one answer only, and these are not enough to decide"


def test_blocks_ask_for_more_than_the_margin() -> None:
    script = by_stream(0.5, 0.1, seed=3)
    verdict = run(plan_compare(paired=False, margin=0.1, seed=1), script)
    assert (verdict.verdict, verdict.pairs.n if verdict.pairs else 0) == ("worse", verdict.n)
    assert "margin 0.1" in verdict.method
    wide = run(plan_compare(paired=False, margin=0.6, cap=60, seed=1), script)
    assert wide.verdict == "inconclusive"


def test_undecided_speaks_against_either_word() -> None:
    def script(trial: Trial) -> Answer:
        return answer(trial, True if trial.stream is Stream.MAIN else None, str(trial.index))

    verdict = run(plan_compare(cap=50), script)
    assert (verdict.verdict, verdict.undecided) == ("inconclusive", 50)
    assert verdict.pairs is not None
    assert (verdict.pairs.worse, verdict.pairs.old_k, verdict.pairs.undecided) == (50, 0, 50)
    assert verdict.pairs.low < 0.2
    assert verdict.pairs.high == 1
    assert verdict.evalues == {"worse": 1.0, "better": pytest.approx(0.0, abs=1e-3)}


@pytest.mark.parametrize("paired", [True, False])
def test_repeats_of_one_answer_count_once(paired: bool) -> None:
    def constant(trial: Trial) -> Answer:
        text = trial.cell if trial.stream is Stream.MAIN else str(trial.index)
        return answer(trial, trial.stream is Stream.MAIN, text)

    one = run(plan_compare(cap=30, paired=paired), constant)
    assert one.verdict == "inconclusive"
    assert one.low < 0.2
    many = run(plan_compare(cells=WORDINGS, cap=60, paired=paired), constant)
    assert (many.verdict, many.n) == (("inconclusive", 60) if paired else ("worse", 5))  # six wordings, six pairs
    fresh = run(plan_compare(cap=30, paired=paired), by_stream(1.0, 0.0))
    assert (fresh.verdict, fresh.checks[0].passed) == ("worse", True)


def test_targets_that_never_vary_are_noticed() -> None:
    def constant(trial: Trial) -> Answer:
        return answer(trial, trial.stream is Stream.MAIN, f"{trial.stream} {trial.cell}")

    verdict: Verdict = run(plan_compare(cells=WORDINGS, cap=40), constant)
    check = next(check for check in verdict.checks if check.name == "distinct answers")
    assert not check.passed
    assert check.detail == "12 of 12 requests that were tried again gave one constant answer"


counts = st.integers(0, 60)


@settings(deadline=None, max_examples=80)
@given(worse=counts, better=counts, same=counts)
def test_the_paired_difference_is_an_interval_that_mirrors(worse: int, better: int, same: int) -> None:
    n = worse + better + same
    low, high = paired_difference(n, worse, better)
    assert -1 <= low <= ((worse - better) / n if n else 0) <= high <= 1
    assert paired_difference(n, better, worse) == pytest.approx((-high, -low), abs=1e-9)
    narrow = paired_difference(n, worse, better, confidence=0.5)
    assert low - 1e-9 <= narrow[0] <= narrow[1] <= high + 1e-9


@settings(deadline=None, max_examples=80)
@given(data=st.data(), old_n=counts, new_n=counts)
def test_the_unpaired_difference_is_an_interval_that_mirrors(data: st.DataObject, old_n: int, new_n: int) -> None:
    old, new = data.draw(st.integers(0, old_n)), data.draw(st.integers(0, new_n))
    low, high = unpaired_difference(old, old_n, new, new_n)
    assert -1 <= low <= high <= 1
    if old_n and new_n:
        assert low <= new / new_n - old / old_n <= high
    assert unpaired_difference(new, new_n, old, old_n) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("both", "worse", "better"), [(0.0, 0.1, 0.1), (0.2, 0.3, 0.05), (0.5, 0.01, 0.2)])
def test_the_difference_covers_at_every_moment(both: float, worse: float, better: float) -> None:
    """The interval is looked at after every tenth of 100 pairs; it may miss the truth in 5 % of runs at most."""
    random, runs, missed = Random(f"{both}{worse}"), 60, 0
    for _ in range(runs):
        up = down = 0
        for n in range(1, 101):
            draw = random.random()
            up += draw < worse
            down += worse <= draw < worse + better
            if n % 10 == 0:
                low, high = paired_difference(n, up, down)
                if not low <= worse - better <= high:
                    missed += 1
                    break
    assert missed <= 0.05 * runs


@pytest.mark.parametrize("call", [lambda: paired_difference(3, 2, 2), lambda: unpaired_difference(3, 2, 0, 0)])
def test_impossible_counts_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match="counts: none can be below 0"):
        call()  # type: ignore[operator]
    with pytest.raises(ValueError, match="confidence: give"):
        paired_difference(3, 1, 1, confidence=1.0)
    assert unpaired_difference(0, 0, 0, 0) == (-1.0, 1.0)
    assert log_e_mcnemar(0, 0) == pytest.approx(log(1))
