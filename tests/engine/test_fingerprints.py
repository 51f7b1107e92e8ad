"""Fingerprints: a provider that alternates between builds is believed, one that is changed during a run is not."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import (
    Answer,
    Arm,
    Cell,
    Fixed,
    Plan,
    Stream,
    Trial,
    Verdict,
    fingerprints,
    plan_compare,
    plan_map,
    plan_reproduce,
    plan_score,
    plan_verify,
)
from manyeyes.engine.checks import LEVEL, halves_p_value
from manyeyes.engine.fingerprints import MANY, Numbers, Prints, change_p_value, counted, listed, split_p_value
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.schedule import Layout
from tests.engine.scripted import answer, run

ONE = Cell(key="a", wording="a")
Printed = Callable[[Trial], str | None]


def printed(rate: Callable[[Trial], bool], build: Printed) -> Callable[[Trial], Answer]:
    return lambda trial: replace(answer(trial, rate(trial), str(trial)), model="m-1", fingerprint=build(trial))


def alternating(trial: Trial) -> str:
    return Random(f"{trial.stream}/{trial.index}").choice(("fp-a", "fp-b", "fp-b"))


def switching(at: int) -> Printed:
    return lambda trial: "fp-a" if trial.index < at else "fp-b"


def check(verdict: Verdict, name: str = "fingerprints") -> bool | None:
    return next((one.passed for one in verdict.checks if one.name == name), None)


def never(trial: Trial) -> bool:
    return False


def test_doctests() -> None:
    assert doctest.testmod(fingerprints).failed == 0


def test_a_fix_holds_on_a_provider_that_alternates() -> None:
    verdict = run(plan_verify(tau=0.05), printed(never, alternating))
    assert (verdict.verdict, check(verdict), check(verdict, "one version")) == ("holds", True, True)
    detail = next(one.detail for one in verdict.checks if one.name == "fingerprints")
    assert "fp-b (" in detail
    assert check(run(plan_verify(tau=0.05), printed(never, lambda t: "fp-a"))) is None
    assert check(run(plan_verify(tau=0.05), printed(never, lambda t: None))) is None


def test_strict_turns_are_one_mix_too() -> None:
    verdict = run(plan_verify(tau=0.05), printed(never, lambda t: f"fp-{t.index % 3}"))
    assert (verdict.verdict, check(verdict)) == ("holds", True)


@pytest.mark.parametrize("at", [8, 32, 55])
def test_nothing_holds_on_a_provider_that_was_switched(at: int) -> None:
    verdict = run(plan_verify(tau=0.05), printed(never, switching(at)))
    assert (verdict.verdict, check(verdict), check(verdict, "one version")) == ("inconclusive", False, True)
    assert "changing in time" in verdict.reason


def test_one_set_of_builds_after_another_is_a_change() -> None:
    verdict = run(plan_verify(tau=0.02), printed(never, lambda t: f"fp-{t.index % 2 + 2 * (t.index >= 80)}"))
    assert (verdict.verdict, check(verdict)) == ("inconclusive", False)


def test_a_switch_between_the_harmless_requests_and_the_exploit_is_one() -> None:
    benign = Arm(cells=(Cell(key="b"),), n=8, need=2)
    arms = printed(lambda t: t.stream is Stream.BENIGN, lambda t: "fp-a" if t.stream is Stream.BENIGN else "fp-b")
    assert run(plan_verify(tau=0.05, benign=benign), arms).verdict == "inconclusive"


@pytest.mark.parametrize("control", [(), (Cell(key="c"),)], ids=["floor", "control"])
def test_a_reproduction_stands_on_a_mix_and_on_one_build_alone(control: tuple[Cell, ...]) -> None:
    plan = plan_reproduce(control=control, min_successes=3, cap=60)

    def late(t: Trial) -> bool:
        return t.stream is Stream.MAIN and t.index >= 20

    assert check(run(plan, printed(late, lambda t: f"fp-{t.index % 2}"))) is True
    switched = run(plan, printed(late, switching(12)))
    assert (switched.verdict, check(switched)) == ("reproduced", False)


def test_a_reproduction_that_two_builds_share_after_a_switch_is_not_decided() -> None:
    plan = plan_reproduce(min_successes=12, cap=200)

    def half(t: Trial) -> bool:
        return t.index % 4 == 1

    verdict = run(plan, printed(half, switching(24)))
    assert (verdict.verdict, check(verdict)) == ("inconclusive", False)


def test_the_wider_questions_have_it_for_both_targets() -> None:
    some = [Cell(key=f"s{place}", setting=f"s{place}") for place in range(12)]
    wide = plan_map(cells=some, score_n=0)
    assert check(run(wide, printed(lambda t: t.cell == "s1", alternating))) is True
    found = run(wide, printed(lambda t: t.cell == "s1", switching(24)))
    assert (found.verdict, check(found), found.certificate) == ("budget", False, "none")
    plan = plan_compare(cells=[ONE], cap=60)

    def new(t: Trial) -> bool:
        return t.stream is Stream.MAIN and t.index % 2 == 0

    mixed = run(plan, printed(new, alternating))
    assert (mixed.verdict, check(mixed), check(mixed, "fingerprints, old")) == ("worse", True, True)


def test_an_old_target_that_was_switched_shows_nothing() -> None:
    plan = plan_compare(cells=[ONE], cap=60)
    moved = run(
        plan, printed(lambda t: t.index % 9 == 0, lambda t: "fp" if t.stream is Stream.MAIN else switching(30)(t))
    )
    assert (moved.verdict, check(moved), check(moved, "fingerprints, old")) == ("inconclusive", None, False)


def test_a_score_tells_it() -> None:
    plan: Plan = plan_score(score=[Fixed(cell=ONE, n=40)], rated="a")
    assert check(run(plan, printed(never, switching(20)))) is False


def test_the_split_is_fishers_test() -> None:
    bits = [True] * 5 + [False] * 3 + [True] + [False] * 7
    assert split_p_value(5, 8, 6, 16) == pytest.approx(halves_p_value(bits))
    assert split_p_value(0, 3, 4, 4 + 3) == pytest.approx(1 / 35)


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (5, 3, 1, 1)])
@pytest.mark.parametrize("length", [16, 63, 300])
def test_a_steady_mix_is_hardly_ever_accused(weights: tuple[int, ...], length: int) -> None:
    random, alarms, runs = Random(length), 0, 400
    for _ in range(runs):
        alarms += change_p_value(random.choices(range(1, len(weights) + 1), weights, k=length)) < LEVEL
    assert alarms <= runs * LEVEL + 3 * (runs * LEVEL) ** 0.5


def test_a_build_that_succeeds_and_so_ends_the_run_is_hardly_ever_accused() -> None:
    """The rule stops by outcomes, and one build alone gives way: order and build are then not independent."""
    plan = plan_reproduce(min_successes=3, cap=200)
    random, alarms, runs = Random(7), 0, 200
    for _ in range(runs):
        builds = [random.choice(("fp-a", "fp-b")) for _ in range(200)]
        verdict = run(plan, printed(lambda t, b=builds: b[t.index] == "fp-b", lambda t, b=builds: b[t.index]))  # type: ignore[misc]
        alarms += check(verdict) is False
    assert alarms <= runs * LEVEL + 3 * (runs * LEVEL) ** 0.5


def test_what_cannot_be_told_apart_accuses_nobody() -> None:
    assert change_p_value([]) == change_p_value([1]) == change_p_value([0, 0]) == change_p_value([1, 2]) == 1.0
    # A fingerprint of its own for every answer says nothing, also where they run out of numbers.
    numbers = Numbers()
    codes = [numbers[f"fp-{place}"] for place in range(400)]
    assert codes[-1] == MANY
    assert change_p_value(codes) == 1.0
    assert change_p_value([1] * 20 + [MANY] * 20) < LEVEL


def test_prints_may_come_in_any_order() -> None:
    prints = Prints()
    prints.set(3, 1)
    prints.set(1, 2)
    assert bytes(prints.codes) == bytes([0, 2, 0, 1])


def test_many_are_told_in_few_words() -> None:
    assert (
        listed({f"fp-{place}": 9 - place for place in range(7)}) == "fp-0 (9), fp-1 (8), fp-2 (7), fp-3 (6) and 3 more"
    )
    numbers = Numbers()
    codes = [numbers[f"fp-{place}"] for place in range(300)]
    assert counted([0, *codes], numbers)["others"] == 46


def test_what_has_not_come_has_no_fingerprint() -> None:
    ledger = Ledger(Layout(plan_verify()))
    ledger.drop(Stream.MAIN, 0)
    assert ledger.prints == ledger.models == ledger.judges == {}
