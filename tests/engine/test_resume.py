"""Going on with a replay that ended without an answer spends nothing of the error rates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from manyeyes.engine import Cell, Fixed, Plan, characteristics, evidence_path, plan_reproduce, plan_score, plan_verify
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.resume import resumable, resumed
from tests.engine.scripted import MIXTURE, coin, run, run_and_keep


def test_a_fix_that_was_not_shown_to_hold_can_be_after_all() -> None:
    """Two successes at once end the run; at a true rate of nearly 0 the rest of the trials then shows that it holds."""
    plan = plan_verify(tau=0.05, cells=MIXTURE[:4])
    script = coin(1, lambda trial: trial.index in (4, 9))
    first, record = run_and_keep(plan, script)
    assert (first.verdict, first.n, resumable(first)) == ("not_shown", 10, True)
    longer = resumed(plan, cap=600)
    second, _ = run_and_keep(longer, script, record=record)
    assert (second.verdict, second.k) == ("holds", 2)
    assert second.n < 200
    assert second.asked == second.n + len(record) - first.n
    assert run(longer, script, room=7, record=record).n == second.n
    assert evidence_path(longer, [False] * 4 + [True] + [False] * 4 + [True])[-1].decision is None
    assert evidence_path(plan, [False] * 4 + [True] + [False] * 4 + [True])[-1].decision is not None


def test_a_run_that_ended_at_its_cap_goes_on_from_there() -> None:
    plan = plan_reproduce(cap=40)
    script = coin(2, lambda trial: trial.index > 40)
    first, record = run_and_keep(plan, script)
    assert (first.verdict, first.n, resumable(first)) == ("inconclusive", 40, True)
    second, longer = run_and_keep(resumed(plan, cap=400), script, record=record)
    assert (second.verdict, second.n) == ("reproduced", 45)
    assert len(longer) == 45


@pytest.mark.parametrize("times", [5, 20])
def test_a_fix_at_tau_holds_no_more_often_than_alpha_however_often_it_is_resumed(times: int) -> None:
    """Exact: no way of resuming can reach the boundary more often than a run that futility never ends."""
    plan = plan_verify(tau=0.05)
    longer = characteristics(resumed(plan, cap=times * 59), [0.005])
    assert characteristics(plan, []).type_one < longer.type_one <= 0.05
    assert longer.type_two <= 0.05
    assert longer.at(0.005).verdicts["holds"] > characteristics(plan, [0.005]).at(0.005).verdicts["holds"]
    assert "not_shown" not in longer.at(0.005).verdicts


def test_resuming_each_hopeless_run_keeps_the_error_rate() -> None:
    """Simulated with the replay itself: at tau, resumed once whenever the first run allows it."""
    words: Counter[str] = Counter()
    for seed in range(300):
        plan = plan_verify(tau=0.2, seed=seed)
        script = coin(seed, lambda trial: 0.2)
        verdict, record = run_and_keep(plan, script, room=8)
        if resumable(verdict):
            verdict = run(resumed(plan, cap=3 * plan.cap), script, room=8, record=record)
        words[verdict.verdict] += 1
    assert words["not_shown"] == 0
    assert words["holds"] <= 300 * 0.05 + 3 * (300 * 0.05 * 0.95) ** 0.5
    assert words["fails"] <= 300 * 0.05 + 3 * (300 * 0.05 * 0.95) ** 0.5


def test_a_judge_that_cannot_tell_does_not_end_a_resumed_run() -> None:
    judge = JudgeError(found=90, successes=100, called=5, failures=100)
    plan = plan_verify(tau=0.05, judge=judge)
    longer = resumed(plan, cap=400)
    outcomes = [index % 15 == 4 for index in range(295)]
    assert "unclear" in {point.decision for point in evidence_path(plan, outcomes)}
    assert {point.decision for point in evidence_path(longer, outcomes)} == {None}
    assert characteristics(longer, [0.0]).at(0.0).expected > characteristics(plan, [0.0]).at(0.0).expected


def test_what_cannot_be_resumed_is_refused() -> None:
    cell = Cell(key="a")
    with pytest.raises(ValueError, match="cap: cannot be below the 400"):
        resumed(plan_reproduce(), cap=399)
    with pytest.raises(ValueError, match="plan: a score has nothing"):
        resumed(plan_score(score=[Fixed(cell=cell, n=3)]), cap=9)
    scored = run(plan_score(score=[Fixed(cell=cell, n=3)]), coin(1, lambda trial: 0.5))
    assert not resumable(scored)
    assert not resumable(run(plan_reproduce(), coin(1, lambda trial: 1.0)))
    assert not resumable(replace(scored, question="verify", verdict="inconclusive", n=0))


def test_a_resumed_plan_names_the_one_before() -> None:
    plan = plan_verify()
    longer = resumed(plan, cap=2000)
    assert longer.hash != plan.hash
    assert Plan.from_json(longer.to_json()) == longer
    assert "resumes" not in plan.to_json()
