"""Side arms and repeats: which interval may be shown for what a rule ended, and the fixed trials of a control."""

from __future__ import annotations

import pytest
from scipy import stats

from manyeyes.engine import Cell, Fixed, anytime_interval, characteristics, drive, plan_reproduce, plan_verify
from manyeyes.engine.intervals import exact_interval
from manyeyes.engine.patched import arm_ends
from manyeyes.engine.plan import Answer, Arm, Plan, Stream, Trial
from tests.engine.scripted import answer, run, run_and_keep

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


SELDOM = Arm(cells=(CONTROL,), n=12, need=3, most=40)


@pytest.mark.parametrize(
    ("every", "n", "ok"), [(1, 12, True), (2, 12, True), (3, 18, True), (5, 30, True), (9, 40, True), (99, 38, False)]
)
@pytest.mark.parametrize("room", [1, 9])
def test_an_arm_goes_on_until_it_saw_enough(every: int, n: int, ok: bool, room: int) -> None:
    """Never ahead of what it needs for certain, so that no call is made for nothing; in whatever order answers come."""
    benign = Arm(cells=(Cell(key="b"),), n=20, need=17)
    plan = plan_verify(tau=0.05, positive=SELDOM, benign=benign)

    def flawed(trial: Trial) -> Answer:
        seldom = trial.index % every == every - 1
        return answer(trial, trial.stream is Stream.BENIGN or (trial.stream is Stream.POSITIVE and seldom), str(trial))

    found, given = run_and_keep(plan, flawed, room=room, shuffle=room)
    positive = found.arms[0]
    assert (positive.n, positive.k, positive.ok) == (n, n // every, ok)
    limits = exact_interval if ok else anytime_interval
    assert (positive.low, positive.high) == limits(positive.k, positive.n)
    assert found.verdict == ("holds" if ok else "inconclusive")
    asked = {one.index for one in given if one.stream is Stream.POSITIVE}
    assert asked == set(range(n)) or not ok
    assert ok or found.reason == "assay not sensitive: positive arm had 0 of 38, needs 3 of 40"


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.3, 0.35, 0.5, 0.9])
def test_the_exact_interval_covers_an_arm_that_went_on_as_well(rate: float) -> None:
    ends = arm_ends(SELDOM, rate)
    low = sum(chance for (k, n), chance in ends if exact_interval(k, n)[0] > rate)
    high = sum(chance for (k, n), chance in ends if exact_interval(k, n)[1] < rate)
    assert max(low, high) <= 0.025
    assert sum(chance for _, chance in ends) > (0.99 if rate >= 0.3 else 0.75)
    assert arm_ends(Arm(cells=(CONTROL,), n=2, need=2), 0.5) == [((2, 2), 0.25)]


def test_an_arm_that_goes_on_is_priced_and_kept_in_the_plan() -> None:
    plan = plan_verify(positive=SELDOM)
    assert (characteristics(plan, [0.0]).side, characteristics(plan, [0.0]).side_least) == (40, 12)
    assert Plan.from_json(plan.to_json()) == plan
    assert "most" not in plan_verify(positive=Arm(cells=(CONTROL,), n=12, need=3)).to_json()["positive"]
    with pytest.raises(ValueError, match=r"positive\.most: give a whole number of at least 12"):
        plan_verify(positive=Arm(cells=(CONTROL,), n=12, need=3, most=11))


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
