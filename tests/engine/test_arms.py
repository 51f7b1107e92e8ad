"""Side arms and repeats: which interval may be shown for what a rule ended, and the fixed trials of a control."""

from __future__ import annotations

import pytest
from scipy import stats

from manyeyes.engine import Cell, Fixed, anytime_interval, characteristics, drive, plan_reproduce, plan_verify
from manyeyes.engine.intervals import exact_interval
from manyeyes.engine.plan import Answer, Arm, Plan, Stream, Trial
from tests.engine.scripted import answer, run

EXPLOIT, CONTROL = Cell(key="a"), Cell(key="c")


def blocks(**options: int) -> Plan:
    return plan_reproduce(
        cells=[EXPLOIT], control=[CONTROL], score=[Fixed(cell=EXPLOIT, n=5)], rated="a", seed=2, **options
    )


def only_the_exploit(trial: Trial) -> Answer:
    return answer(trial, trial.cell == "a", str(trial))


def test_a_control_that_ends_with_the_exploit_has_no_fixed_n_interval() -> None:
    (control,) = run(blocks(), only_the_exploit).arms
    assert (control.arm, control.k) == ("control", 0)
    assert (control.low, control.high) == anytime_interval(0, control.n) != exact_interval(0, control.n)


@pytest.mark.parametrize("room", [1, 7, 40])
def test_fresh_trials_of_the_control_follow_a_reproduction(room: int) -> None:
    verdict = run(blocks(control_n=12), only_the_exploit, room=room, shuffle=room)
    beside, fixed = verdict.arms
    assert (beside.arm, beside.n) == ("control in blocks", verdict.n)
    assert (fixed.arm, fixed.n, fixed.k) == ("control", 12, 0)
    assert fixed.high == pytest.approx(stats.binomtest(0, 12).proportion_ci(0.95, "exact").high)
    assert verdict.asked - verdict.overrun == 2 * verdict.n + 5 + 12


def test_an_undecided_control_counts_against_the_claim() -> None:
    def unclear(trial: Trial) -> Answer:
        fixed = trial.stream is Stream.CONTROL and trial.index >= 400
        return answer(trial, None if fixed else trial.cell == "a", str(trial))

    assert run(blocks(control_n=6), unclear).arms[1].k == 6


def test_without_a_reproduction_no_further_control_is_asked() -> None:
    verdict = drive(blocks(control_n=12), lambda trial: False)
    assert (verdict.verdict, [arm.arm for arm in verdict.arms]) == ("not_reproduced", ["control"])
    assert verdict.asked == 2 * verdict.n


def test_a_plan_counts_the_control_beforehand_and_needs_one() -> None:
    assert characteristics(blocks(control_n=12), [0.5], runs=5).side == 12
    assert Plan.from_json(blocks(control_n=12).to_json()) == blocks(control_n=12)
    with pytest.raises(ValueError, match="control_n: there is no control"):
        plan_reproduce(control_n=3)


def test_an_arm_that_a_rule_ended_shows_the_anytime_interval() -> None:
    plan = plan_verify(benign=Arm(cells=(CONTROL,), n=8, need=4))
    (benign,) = drive(plan, lambda trial: False).arms
    assert (benign.n, benign.ok) == (5, False)
    assert (benign.low, benign.high) == anytime_interval(0, 5)


def test_repeats_of_one_answer_never_make_the_interval_narrow() -> None:
    plan = plan_verify(tau=0.05, cap=100)
    same = run(plan, lambda trial: answer(trial, False, "no"))
    told = run(plan, lambda trial: answer(trial, False, str(trial)))
    assert (same.verdict, same.n, told.verdict) == ("inconclusive", 100, "holds")
    assert "more distinct wordings are needed" in same.reason
    assert same.high == anytime_interval(0, 1)[1] > 0.9 > 0.2 > told.high


def test_an_arm_that_nobody_asked_is_not_shown() -> None:
    plan = plan_reproduce(benign=Arm(cells=(CONTROL,), n=4))
    assert drive(plan, lambda trial: False).arms == ()
    assert [arm.n for arm in drive(plan, lambda trial: True).arms] == [4]
