"""Honesty checks: what each one finds, what follows, and that an honest target hardly ever fails one."""

from __future__ import annotations

from collections import Counter
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
    plan_reproduce,
    plan_verify,
)
from manyeyes.engine.checks import LEVEL, halves_p_value, runs_p_value
from manyeyes.engine.counted import Reading
from manyeyes.engine.fingerprints import MANY
from manyeyes.engine.honesty import clump_p_value
from manyeyes.engine.plan import Outcome
from manyeyes.engine.planner import edges
from tests.engine.scripted import MIXTURE, answer, run

ONE = (Cell(key="a", wording="a"),)
Versions = Callable[[Trial], str | None]


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def versioned(rate: Callable[[Trial], bool], version: Versions) -> Callable[[Trial], Answer]:
    return lambda trial: replace(answer(trial, rate(trial), str(trial)), model=version(trial))


def changes_at(index: int) -> Versions:
    return lambda trial: "m-1" if trial.index < index else "m-2"


# --- one version ---------------------------------------------------------------------------------------------------


def test_a_fix_does_not_hold_on_a_mixture_of_versions() -> None:
    plan = plan_verify(tau=0.05)
    assert run(plan, versioned(lambda t: False, lambda t: "m-1")).verdict == "holds"
    verdict = run(plan, versioned(lambda t: False, changes_at(40)))
    assert (verdict.verdict, verdict.n, failed(verdict)) == ("inconclusive", 63, {"one version"})
    assert "the target named m-1 (40), m-2 (23)" in verdict.reason


def test_a_change_after_the_boundary_is_nobodys_business() -> None:
    verdict = run(plan_verify(tau=0.05), versioned(lambda t: False, changes_at(63)), room=20)
    assert (verdict.verdict, failed(verdict)) == ("holds", set())


def test_a_version_in_the_side_arm_counts_and_that_of_another_target_does_not() -> None:
    benign, positive = (Arm(cells=(Cell(key=key),), n=4, need=2) for key in "bp")
    plan = plan_verify(tau=0.05, benign=benign, positive=positive)

    def named(other: Stream) -> Callable[[Trial], Answer]:
        return versioned(lambda t: t.stream is not Stream.MAIN, lambda t: "m-0" if t.stream is other else "m-1")

    assert run(plan, named(Stream.BENIGN)).verdict == "inconclusive"
    assert run(plan, named(Stream.POSITIVE)).verdict == "holds"


def test_nothing_reproduced_on_several_versions_is_no_answer() -> None:
    verdict = run(plan_reproduce(), versioned(lambda t: False, changes_at(30)))
    assert (verdict.verdict, verdict.n) == ("inconclusive", 63)


@pytest.mark.parametrize("control", [(), (Cell(key="c"),)], ids=["floor", "control"])
def test_a_reproduction_stands_where_one_version_shows_it_alone(control: tuple[Cell, ...]) -> None:
    plan = plan_reproduce(control=control, min_successes=3, cap=60)

    def exploit(t: Trial) -> bool:
        return t.stream is Stream.MAIN and t.index >= 4

    both = run(plan, versioned(exploit, lambda t: "m-1" if t.index < 4 else "m-2"))
    assert (both.verdict, failed(both)) == ("reproduced", {"one version"})
    # Every second trial by another version: neither has enough by itself where the boundary is only just reached.
    split = run(plan, versioned(exploit, lambda t: f"m-{t.index % 2}"))
    assert (split.verdict, failed(split)) == ("inconclusive", {"one version"})


def test_a_block_counts_for_a_version_only_if_that_gave_both_answers() -> None:
    plan = plan_reproduce(control=(Cell(key="c"),), cap=60)
    verdict = run(
        plan, versioned(lambda t: t.stream is Stream.MAIN, lambda t: "m-1" if t.stream is Stream.MAIN else "m-2")
    )
    assert verdict.verdict == "inconclusive"


def test_a_reproduction_needs_its_own_versions_to_be_known() -> None:
    plan = plan_reproduce(score=[Fixed(cell=ONE[0], n=4)], rated="a")
    unnamed = versioned(lambda t: True, lambda t: None if t.stream is Stream.MAIN else f"m-{t.index}")
    assert run(plan, unnamed).verdict == "inconclusive"
    assert run(plan, versioned(lambda t: True, lambda t: None)).verdict == "reproduced"


def test_a_fix_refuted_on_several_versions_stays_refuted() -> None:
    verdict = run(plan_verify(tau=0.05), versioned(lambda t: t.index % 3 == 2, changes_at(2)))
    assert (verdict.verdict, failed(verdict)) == ("not_shown", {"one version"})


def test_so_many_versions_that_they_share_a_number() -> None:
    reading = Reading()
    for index in range(300):
        reading.add(Answer(stream=Stream.MAIN, index=index, outcome=Outcome.SUCCESS, model=f"m-{index}"))
    numbers = reading.models.numbers.of
    assert [numbers["m-0"], numbers["m-253"], numbers["m-299"]] == [1, 254, MANY]
    assert reading.models.codes[299] == MANY
    plan = plan_reproduce(p0=0.01, p_min=0.02, min_successes=2, cap=600)
    said = run(plan, versioned(lambda t: t.index > 255 and t.index % 20 == 0, lambda t: f"m-{t.index}"))
    assert said.verdict == "inconclusive"


# --- caches --------------------------------------------------------------------------------------------------------


def forgetful(life: int, words: int = 1000) -> Callable[[Trial], str]:
    """A cache that keeps an answer for `life` trials of the replay, whatever the seed says."""
    return lambda trial: f"{trial.cell} {Random(f'{trial.cell}/{trial.index // life}').randrange(words)}"


@pytest.mark.parametrize("cells", [ONE, MIXTURE[:3]], ids=["one wording", "three wordings"])
def test_a_cache_that_forgets_is_found_and_nothing_holds_on_it(cells: tuple[Cell, ...]) -> None:
    plan, text = plan_verify(tau=0.05, cells=cells), forgetful(21)
    verdict = run(plan, lambda t: answer(t, False, text(t)))
    assert verdict.verdict == "inconclusive"
    assert "cache" in failed(verdict)
    assert "repeats of one answer count once" in verdict.reason


def test_a_reproduction_stands_on_its_different_texts_alone() -> None:
    plan = plan_reproduce(cells=ONE, min_successes=12, cap=200)
    cached = run(plan, lambda t: answer(t, True, f"{t.index // 4}"))
    assert (cached.verdict, cached.n, cached.k, failed(cached)) == ("inconclusive", 12, 12, {"cache"})

    def only_refusals(trial: Trial) -> Answer:
        return answer(trial, trial.index >= 24, str(trial.index if trial.index >= 24 else trial.index // 12))

    fresh = run(plan, only_refusals)
    assert (fresh.verdict, fresh.k, failed(fresh)) == ("reproduced", 12, {"cache", "halves", "runs"})


def test_a_constant_answer_needs_no_test() -> None:
    verdict = run(plan_verify(tau=0.05, cells=ONE), lambda t: answer(t, False, "No."))
    assert failed(verdict) == {"distinct answers"}


def test_a_few_phrases_in_any_order_are_honest() -> None:
    """Refusals drawn from five phrases: the share of runs in which the cache check fails is at most its level."""
    random, alarms, runs = Random(5), 0, 4000
    weights = (50, 20, 15, 10, 5)
    for count in range(runs):
        rows = [("a", random.choices("ABCDE", weights)[0]) for _ in range(30)]
        alarms += clump_p_value(rows, seed=count) < LEVEL
    assert alarms <= 4000 * LEVEL + 3 * (4000 * LEVEL) ** 0.5


def test_the_p_value_of_clumps_is_uniform_or_above() -> None:
    random = Random(6)
    values = [clump_p_value([(i % 2, random.choice("ABC")) for i in range(40)], seed=i) for i in range(800)]
    for level in (0.01, 0.05, 0.2, 0.5):
        share = sum(value <= level for value in values) / 800
        assert share <= level + 3 * (level * (1 - level) / 800) ** 0.5


def test_texts_that_are_all_different_or_unknown_say_nothing() -> None:
    assert clump_p_value([("a", str(i)) for i in range(9)], seed=1) == 1.0
    assert clump_p_value([("a", None)] * 9, seed=1) == 1.0
    assert clump_p_value([], seed=1) == 1.0


# --- halves and runs -----------------------------------------------------------------------------------------------


def stopped(plan: Plan, p: float, runs: int, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Words of honest runs at rate p, and how often halves or runs fail in those that hold."""
    table = list(edges(plan))
    random = Random(seed)
    words: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for _ in range(runs):
        bits: list[bool] = []
        k, word = 0, "inconclusive"
        for low, high, _ in table:
            bits.append(random.random() < p)
            k += bits[-1]
            if k <= low:
                word = "low"
            elif hit := [name for name, least in high if k >= least]:
                word = hit[0]
            if word != "inconclusive":
                break
        words[word] += 1
        if k >= 2 and word == "low":
            alarms["halves"] += halves_p_value(bits) < LEVEL
            alarms["runs"] += runs_p_value(bits) < LEVEL
    return words, alarms


@pytest.mark.parametrize(("tau", "p", "runs"), [(0.2, 0.05, 6000), (0.2, 0.1, 4000), (0.05, 0.012, 2500)])
def test_an_honest_target_hardly_ever_fails_halves_or_runs(tau: float, p: float, runs: int) -> None:
    words, alarms = stopped(plan_verify(tau=tau), p, runs, seed=3)
    assert words["low"] > runs / 3
    for name in ("halves", "runs"):
        assert alarms[name] <= runs * LEVEL + 3 * (runs * LEVEL) ** 0.5, alarms
