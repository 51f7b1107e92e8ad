"""A judge that errs: its labels move the boundaries, and where they cannot help the replay says so."""

from __future__ import annotations

from math import log
from random import Random

import pytest
from scipy import stats

from manyeyes.engine import (
    Cell,
    Fixed,
    Outcome,
    Plan,
    Stream,
    Trial,
    characteristics,
    drive,
    plan_reproduce,
    plan_verify,
)
from manyeyes.engine.evidence import log_e_below
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.tally import Tally

NOISY = JudgeError(found=90, successes=100, called=5, failures=100, version="v1")
"""Se .9, Sp .95, from 100 labels of each kind."""
CONFIRMED = JudgeError(found=90, successes=100, called=5, failures=100, confirmed=True)


def _zeros(judge: JudgeError, tau: float) -> int:
    """The first n at which no judge positive is enough."""
    low, high = 1, 100_000
    while low < high:
        n = (low + high) // 2
        enough = log_e_below(n, 0, judge.lowered(tau)) >= -log(judge.for_claim(0.05))
        low, high = (low, n) if enough else (n + 1, high)
    return low


@pytest.mark.parametrize(("labels", "calls"), [(20, 541), (50, 460), (100, 431), (200, 412), (500, 400)])
def test_a_good_fix_costs_what_the_table_says(labels: int, calls: int) -> None:
    """Exact over the labels: binomial, Se .9, tau 1 %, every positive confirmed."""
    found = range(labels + 1)
    chances = stats.binom.pmf(found, labels, 0.9)
    expected = sum(
        chance * _zeros(JudgeError(found=k, successes=labels, confirmed=True), 0.01)
        for k, chance in zip(found, chances, strict=True)
        if chance > 1e-7
    )
    assert expected == pytest.approx(calls, rel=0.01)


def test_a_hundred_labels_and_no_positive_hold_after_428_trials() -> None:
    verdict = drive(plan_verify(judge=CONFIRMED), lambda trial: False)
    assert (verdict.verdict, verdict.n) == ("holds", 428)
    assert verdict.bound == pytest.approx(0.01, rel=0.01)
    assert (verdict.bound_confidence, verdict.judge["sensitivity_lower"]) == (0.95, CONFIRMED.sensitivity_lower)
    assert drive(plan_verify(), lambda trial: False).n == 322


@pytest.mark.parametrize("labels", [50, 100])
def test_a_fix_at_tau_holds_no_more_often_than_alpha_over_all_labels(labels: int) -> None:
    """Exact over the labels and the trials, where the judge's Se is .9; the table has .019 and .024 at tau 1 %."""
    tau, total = 0.05, 0.0
    for found, chance in enumerate(stats.binom.pmf(range(labels + 1), labels, 0.9)):
        if chance > 1e-4:
            plan = plan_verify(tau=tau, judge=JudgeError(found=found, successes=labels, confirmed=True))
            at = tau * 0.9 / (found / labels)
            total += chance * characteristics(plan, [at]).at(at).verdicts["holds"]
    assert 0.005 < total <= 0.05
    assert total == pytest.approx({50: 0.019, 100: 0.024}[labels], abs=0.004)


def test_ignoring_what_the_judge_misses_breaks_alpha() -> None:
    assert characteristics(plan_verify(), [0.009]).at(0.009).verdicts["holds"] > 0.06


def _through(judge: JudgeError, rate: float, seed: int, *, tau: float = 0.01) -> tuple[str, str, int]:
    """A run whose trials truly succeed at a rate, judged with Se .9 and Sp .95, every positive confirmed or none."""
    random = Random(seed)

    def said(trial: Trial) -> bool:
        success = random.random() < rate
        return random.random() < 0.9 if success else not judge.confirmed and random.random() < 0.05

    verdict = drive(plan_verify(tau=tau, judge=judge), said)
    return verdict.verdict, verdict.reason, verdict.n


def test_a_good_fix_is_never_called_a_failed_one() -> None:
    assert {_through(CONFIRMED, 0.0, seed)[:1] for seed in range(20)} == {("holds",)}
    alone = [_through(NOISY, 0.0, seed) for seed in range(40)]
    assert {word for word, _, _ in alone} == {"inconclusive"}
    assert all("cannot tell" in reason and "confirmed" in reason for _, reason, _ in alone)
    assert sum(n for _, _, n in alone) / 40 < 200
    exact = characteristics(plan_verify(judge=NOISY), [0.0, 0.01])
    assert exact.at(0.0).verdicts["fails"] < 0.004
    assert exact.at(0.01).verdicts["fails"] < 0.01
    assert exact.type_one <= 0.05
    assert exact.type_two <= 0.05
    assert drive(plan_verify(), lambda trial: trial.index % 20 == 7).verdict in ("fails", "not_shown")


def test_a_fix_that_does_nothing_still_fails() -> None:
    for judge in (CONFIRMED, NOISY):
        assert {_through(judge, 0.6, seed)[0] for seed in range(20)} <= {"fails", "not_shown"}
    assert characteristics(plan_verify(judge=NOISY), [0.6]).at(0.6).verdicts["fails"] > 0.999


def test_a_judge_without_labelled_failures_refutes_nothing() -> None:
    unknown = JudgeError(found=90, successes=100)
    verdict = drive(plan_verify(judge=unknown), lambda trial: True)
    assert verdict.verdict == "inconclusive"
    assert verdict.n == 299
    assert "100.0% of true failures" in verdict.reason
    assert drive(plan_verify(judge=unknown), lambda trial: False).verdict == "holds"


def test_too_few_labels_are_refused_for_a_fix() -> None:
    with pytest.raises(ValueError, match=r"judge: a verification needs at least 50 labelled true successes.* got 49"):
        plan_verify(judge=JudgeError(found=49, successes=49))
    with pytest.raises(ValueError, match="no better than guessing"):
        plan_verify(judge=JudgeError(found=30, successes=60, called=5, failures=10))
    with pytest.raises(ValueError, match=r"alpha_cal = 0\.01 must be below alpha = 0\.005"):
        plan_verify(alpha=0.005, judge=NOISY)
    with pytest.raises(ValueError, match="judge: found of successes: need 0 <= k <= n, got 3 of 2"):
        JudgeError(found=3, successes=2)
    with pytest.raises(ValueError, match="judge: called of failures"):
        JudgeError(found=0, successes=0, called=-1)
    with pytest.raises(ValueError, match="alpha_cal"):
        JudgeError(found=1, successes=2, alpha_cal=1.0)


def test_a_reproduction_needs_a_control_or_confirmation() -> None:
    with pytest.raises(ValueError, match="judge: its false positives could pass"):
        plan_reproduce(judge=NOISY)
    control = (Cell(key="c"),)
    beside = plan_reproduce(judge=NOISY, control=control)
    assert drive(beside, lambda trial: trial.stream is Stream.MAIN).verdict == "reproduced"
    # Both arms through one judge that invents one success in twenty: no reproduction.
    words = []
    for seed in range(40):
        random = Random(seed)
        words.append(drive(beside, lambda trial, random=random: random.random() < 0.05).verdict)  # type: ignore[misc]
    assert words.count("reproduced") <= 4
    confirmed = plan_reproduce(judge=CONFIRMED)
    assert drive(confirmed, lambda trial: trial.index % 3 == 0).verdict == "reproduced"


def test_a_reproduction_is_refuted_only_as_far_as_the_judge_sees() -> None:
    plain, judged = plan_reproduce(), plan_reproduce(judge=CONFIRMED)
    assert (drive(plain, lambda trial: False).n, drive(judged, lambda trial: False).n) == (63, 85)
    blind = plan_reproduce(judge=JudgeError(found=0, successes=0, confirmed=True), cap=120)
    verdict = drive(blind, lambda trial: False)
    assert (verdict.verdict, verdict.n, verdict.evalues["not_reproduced"], verdict.bound) == (
        "inconclusive",
        120,
        0.0,
        0.0,
    )
    assert Tally(blind).bound_against() == 1.0


def test_false_positives_are_taken_off_the_lower_bound() -> None:
    plan = plan_reproduce(judge=NOISY, control=(Cell(key="c"),))
    tally, plain = Tally(plan), Tally(plan_reproduce(control=plan.control))
    for one in (tally, plain):
        for _ in range(20):
            one.add(Cell(key="a"), Outcome.SUCCESS, None, control=Outcome.FAILURE)
    false = NOISY.false_positive_upper
    assert 0 < tally.bound() < (plain.bound() - false) / (1 - false)


def test_the_true_rate_is_described_with_both_errors() -> None:
    """The table's half widths are .095 and .044, by the delta method; ours is a little wider where labels are few."""
    for labels, n, half in ((50, 200, 0.099), (200, 1000, 0.045)):
        judge = JudgeError(found=labels * 9 // 10, successes=labels, called=labels // 20, failures=labels)
        rate, low, high = judge.true_rate(round(n * (0.3 * 0.9 + 0.7 * 0.05)), n) or (0, 0, 0)
        assert rate == pytest.approx(0.3, abs=0.01)
        assert (high - low) / 2 == pytest.approx(half, abs=0.001)
    assert judge.true_rate(0, 0) is None
    assert JudgeError(found=45, successes=50).true_rate(3, 10) is None
    assert JudgeError(found=0, successes=0, confirmed=True).true_rate(3, 10) is None
    assert JudgeError(found=5, successes=10, called=5, failures=10).true_rate(3, 10) is None
    rate, low, high = JudgeError(found=90, successes=100, confirmed=True).true_rate(18, 100) or (0, 0, 0)
    assert rate == pytest.approx(0.2)
    assert low < 0.2 < high


@pytest.mark.parametrize("p", [0.01, 0.05, 0.3, 0.7])
@pytest.mark.parametrize("labels", [50, 200])
def test_the_interval_of_the_true_rate_covers(p: float, labels: int) -> None:
    random, inside, runs = Random(f"{p}/{labels}"), 0, 1000

    def count(n: int, rate: float) -> int:
        return sum(random.random() < rate for _ in range(n))

    for _ in range(runs):
        judge = JudgeError(
            found=count(labels, 0.9), successes=labels, called=count(labels, 0.05), failures=labels, version="s"
        )
        _, low, high = judge.true_rate(count(200, 0.9 * p + 0.05 * (1 - p)), 200) or (1, 1, 1)
        inside += low <= p <= high
    assert inside / runs > 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5


def test_the_verdict_tells_the_labels_and_the_described_rate() -> None:
    cell = Cell(key="a")
    plan = plan_reproduce(cells=[cell], judge=CONFIRMED, score=[Fixed(cell=cell, n=30)], rated="a")
    verdict = drive(plan, lambda trial: trial.index % 2 == 0)
    assert verdict.judge["rate"]["asr"] == pytest.approx(0.5 / 0.9)
    assert verdict.settings[0].asr == 0.5
    check = next(check for check in verdict.checks if check.name == "judge")
    assert check.detail == "it found 90 of 100 labelled successes, called 5 of 100 labelled failures a success"
    assert "judge" not in drive(plan_verify(tau=0.05), lambda trial: False).to_json()
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json()).hash == plan.hash


def test_labels_change_the_hash_and_plans_without_a_judge_keep_theirs() -> None:
    plain = plan_verify()
    assert "judge" not in plain.to_json()
    assert plain.hash != plan_verify(judge=CONFIRMED).hash != plan_verify(judge=NOISY).hash
