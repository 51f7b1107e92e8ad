"""A judge is one model throughout, or what it said together decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from manyeyes.engine import Answer, Cell, Stream, Trial, Verdict, plan_compare, plan_reproduce, plan_verify
from manyeyes.engine.judge import JudgeError
from tests.engine.scripted import answer, run

KNOWN = JudgeError(found=95, successes=100, called=2, failures=100, confirmed=True)
Names = Callable[[Trial], tuple[tuple[str, str], ...]]


def judged(rate: Callable[[Trial], bool], names: Names) -> Callable[[Trial], Answer]:
    return lambda trial: replace(answer(trial, rate(trial), str(trial)), judges=names(trial))


def one(trial: Trial) -> tuple[tuple[str, str], ...]:
    return (("judge", "j-1"),)


def changed(at: int) -> Names:
    return lambda trial: (("judge", "j-1" if trial.index < at else "j-2"),)


def check(verdict: Verdict) -> bool | None:
    return next((row.passed for row in verdict.checks if row.name == "one judge"), None)


@pytest.mark.parametrize("names", [one, lambda trial: ()], ids=["named", "silent"])
def test_a_fix_holds_by_the_word_of_one_judge(names: Names) -> None:
    verdict = run(plan_verify(tau=0.05), judged(lambda t: False, names))
    assert (verdict.verdict, check(verdict)) == ("holds", True if names is one else None)


def test_a_fix_does_not_hold_by_the_word_of_two() -> None:
    verdict = run(plan_verify(tau=0.05), judged(lambda t: False, changed(60)))
    assert (verdict.verdict, check(verdict)) == ("inconclusive", False)
    assert verdict.reason == "a judge was not one model: the judge named j-1 (60), j-2 (3)"


def test_nothing_is_gone_by_the_word_of_two() -> None:
    assert run(plan_reproduce(), judged(lambda t: False, changed(10))).verdict == "inconclusive"


def test_a_judge_that_changed_shows_nothing_unless_each_success_was_confirmed() -> None:
    def often(t: Trial) -> bool:
        return t.index % 2 == 1

    assert run(plan_reproduce(min_successes=3), judged(often, changed(3))).verdict == "inconclusive"
    plan = plan_reproduce(min_successes=3, judge=KNOWN)
    assert run(plan, judged(often, changed(3))).verdict == "reproduced"
    two = changed(3)

    def both(t: Trial) -> tuple[tuple[str, str], ...]:
        return (*two(t), *((("confirm", f"c-{t.index}"),) if often(t) else ()))

    assert run(plan, judged(often, both)).verdict == "inconclusive"


def test_two_versions_are_not_compared_by_two_judges() -> None:
    plan = plan_compare(cells=[Cell(key="a")], cap=60)

    def new(t: Trial) -> bool:
        return t.stream is Stream.MAIN

    assert run(plan, judged(new, one)).verdict == "worse"
    assert run(plan, judged(new, changed(2))).verdict == "inconclusive"
