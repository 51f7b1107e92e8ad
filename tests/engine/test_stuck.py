"""A run whose answers repeat ends when they can no longer reach its claim, and hardly ever when they can."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Cell, Plan, Stream, Trial, plan_compare, plan_reproduce, plan_verify, resumed
from manyeyes.engine.tally import STUCK_REPEATS
from tests.engine.scripted import answer, run


def wordings(count: int, **values: object) -> list[Cell]:
    return [Cell(key=str(i), wording=str(i), **values) for i in range(count)]  # type: ignore[arg-type]


def varying(seed: int, share: float) -> Callable[[Trial], str]:
    """Each wording keeps its text, except that one answer in so many is a new one."""
    random, kept = Random(seed), dict[str, str]()

    def text(trial: Trial) -> str:
        if trial.cell not in kept or random.random() < share:
            kept[trial.cell] = str(random.random())
        return kept[trial.cell]

    return text


@pytest.mark.parametrize(("tau", "count", "most"), [(0.05, 1, 30), (0.05, 13, 50), (0.01, 13, 50), (0.01, 100, 150)])
def test_a_constant_guard_ends_a_verification_long_before_its_cap(tau: float, count: int, most: int) -> None:
    plan = plan_verify(tau=tau, cells=wordings(count), ends_stuck=True)
    verdict = run(plan, lambda t: answer(t, False, "No."), room=5)
    assert verdict.verdict == "inconclusive"
    assert verdict.n <= most < plan.cap
    told = re.match(r"(\d+) of (\d+) answers to a wording asked before brought no new text", verdict.reason)
    assert told
    assert told[1] == told[2]
    assert int(told[1]) == verdict.n - count or count == 100
    assert run(replace(plan, ends_stuck=None), lambda t: answer(t, False, "No.")).n == plan.cap


def test_a_run_that_too_few_trials_are_left_to_ends_at_its_first_repeat() -> None:
    plan = plan_verify(tau=0.05, cap=63, cells=wordings(13), ends_stuck=True)
    assert run(plan, lambda t: answer(t, False, "No.")).n == 14


def test_a_wording_that_runs_out_of_texts_is_seen_by_what_comes_lately() -> None:
    """Four texts each are 52 of the 63 that it takes; a plan of the first edition counts every change among them."""
    plan = plan_verify(tau=0.05, cells=wordings(13), ends_stuck=True)
    found, old = (
        run(replace(plan, edition=edition), lambda t: answer(t, False, str(Random(t.seed).randrange(4))))
        for edition in (plan.edition, None)
    )
    assert (found.verdict, found.n < 280) == ("inconclusive", True)
    assert (old.verdict, old.n < 120) == ("holds", True)


def test_one_answer_to_each_of_enough_wordings_holds() -> None:
    plan = plan_verify(tau=0.05, cells=wordings(63), ends_stuck=True)
    assert run(plan, lambda t: answer(t, False, "No.")).verdict == "holds"
    cold = plan_verify(tau=0.05, cells=wordings(63, deterministic=True), ends_stuck=True)
    assert run(cold, lambda t: answer(t, False, "No.")).verdict == "holds"


def test_answers_that_vary_often_enough_are_waited_for() -> None:
    """At .25 new ones the boundary comes before the cap; at .1 it never would."""
    plan = plan_verify(tau=0.05, cells=wordings(13), ends_stuck=True)

    def ends(plan: Plan, share: float) -> list[str]:
        texts = [varying(seed, share) for seed in range(60)]
        return [run(plan, lambda t, text=text: answer(t, False, text(t))).verdict for text in texts]  # type: ignore[misc]

    assert ends(plan, 0.25) == ["holds"] * 60
    assert ends(plan, 0.1) == ["inconclusive"] * 60 == ends(replace(plan, ends_stuck=None), 0.1)


def test_a_fix_with_a_success_or_unknown_texts_goes_on() -> None:
    plan = plan_verify(tau=0.05, cells=wordings(3), ends_stuck=True)
    assert run(plan, lambda t: answer(t, t.index == 7, "No.")).n > 60
    assert run(plan, lambda t: answer(t, False)).verdict == "holds"


def test_who_goes_on_with_a_stuck_run_goes_on_to_the_cap() -> None:
    plan = plan_verify(tau=0.05, cells=wordings(3), ends_stuck=True)
    longer = resumed(plan, cap=400)
    assert run(longer, lambda t: answer(t, False, "No.")).n == 400


def test_constant_successes_that_are_too_few_end_a_reproduction() -> None:
    plan = plan_reproduce(cells=wordings(2), min_successes=3, ends_stuck=True)
    verdict = run(plan, lambda t: answer(t, True, "Yes."))
    assert (verdict.verdict, verdict.n) == ("inconclusive", 2 + STUCK_REPEATS)
    assert "repeats of one answer count once" in verdict.reason
    late = run(plan, lambda t: answer(t, True, "Yes." if t.index < 30 else str(t.index)))
    assert late.verdict == "reproduced"
    refused = run(plan, lambda t: answer(t, t.index in (90, 130, 170), "No." if t.index % 40 != 10 else str(t.index)))
    assert refused.n > 170, "constant failures say nothing of a rare success"


def test_a_wording_not_asked_yet_may_still_decide() -> None:
    cells = [Cell(key="often", wording="often"), Cell(key="rare", wording="rare", weight=0.001)]
    plan = plan_reproduce(cells=cells, min_successes=3, ends_stuck=True)
    assert run(plan, lambda t: answer(t, True, "Yes.")).n > 200


def test_a_verification_waits_for_the_wordings_not_asked_yet() -> None:
    """One wording is asked ten times as often, so its repeats come before the others that are enough to hold."""
    cells = [Cell(key="often", wording="often", weight=10.0), *wordings(80)]
    verdict = run(plan_verify(tau=0.05, cells=cells, ends_stuck=True), lambda t: answer(t, False, "No."))
    assert (verdict.verdict, verdict.n > 63) == ("holds", True)


def test_two_versions_with_one_text_each_end_a_comparison() -> None:
    def one_each(trial: Trial) -> Answer:
        return answer(trial, trial.stream is Stream.MAIN, f"{trial.stream}")

    plan = plan_compare(cells=wordings(2), ends_stuck=True)
    verdict = run(plan, one_each)
    assert (verdict.verdict, verdict.n < 40) == ("inconclusive", True)
    assert "repeats of one answer count once" in verdict.reason
    assert run(replace(plan, ends_stuck=None), one_each).n == plan.cap
    assert run(plan, lambda t: answer(t, False, "No.")).n == plan.cap, "they may still differ now and then"
    assert run(plan_compare(cells=wordings(20), ends_stuck=True), one_each).verdict == "worse"


def test_a_plan_without_the_rule_is_the_plan_it_was() -> None:
    for make in (plan_verify, plan_reproduce, plan_compare):
        old, new = make(), make(ends_stuck=True)  # type: ignore[operator]
        assert "ends_stuck" not in old.to_json()
        assert new.to_json() == {**old.to_json(), "ends_stuck": True}
        assert Plan.from_json(new.to_json()) == new
