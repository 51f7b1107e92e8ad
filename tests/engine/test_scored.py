"""The fixed trials: what is looked at before a rate is scored, and that nothing is scored where a check fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Cell, Fixed, Plan, Stream, Trial, Verdict, plan_map, plan_reproduce, plan_score
from manyeyes.engine.checks import LEVEL
from manyeyes.engine.counted import FixedCount
from manyeyes.engine.drift import Timed
from manyeyes.engine.intervals import exact_interval
from manyeyes.engine.plan import Outcome
from manyeyes.engine.scored import scored_checks
from tests.engine.scripted import answer, run


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


# --- settings ------------------------------------------------------------------------------------------------------
COLD, MILD, HOT = (
    Cell(key=f"{name}/a", setting=name, wording="a", deterministic=name == "t0") for name in ("t0", "t.5", "t1")
)
GRID = [Fixed(cell=HOT, n=30), Fixed(cell=MILD, n=8), Fixed(cell=COLD, n=2)]


def scored(text: Callable[[Trial], str | None], grid: list[Fixed] = GRID) -> Verdict:
    return run(plan_score(score=grid), lambda t: answer(t, False, text(t)))


def test_settings_that_change_nothing_count_as_one() -> None:
    verdict = scored(lambda t: "Always this.")
    check = next(check for check in verdict.checks if check.name == "settings")
    assert not check.passed
    assert check.detail == "one and the same text at all 3 settings"
    assert check.p_value == pytest.approx(0.8**38)


def test_settings_that_matter_pass_and_few_answers_prove_nothing() -> None:
    assert failed(scored(lambda t: str(t.index) if t.cell != "t0/a" else "cold")) == set()
    assert "settings" not in failed(scored(lambda t: t.cell))
    assert "settings" not in failed(scored(lambda t: "same", [Fixed(cell=HOT, n=8), Fixed(cell=COLD, n=2)]))
    names = {check.name for check in scored(lambda t: None).checks}
    assert names == {"halves, scored", "trend, scored", "runs, scored"}
    assert scored(lambda t: "x", [Fixed(cell=COLD, n=2)]).checks == ()


def test_a_target_that_answers_differently_one_time_in_five_is_hardly_ever_accused() -> None:
    random, alarms = Random(8), 0
    for _ in range(1000):
        alarms += "settings" in failed(scored(lambda t: "other" if t.cell != "t0/a" and random.random() < 0.2 else "a"))
    assert alarms <= 1000 * LEVEL + 3 * (1000 * LEVEL) ** 0.5


def test_different_answers_at_temperature_0_are_told() -> None:
    verdict = scored(lambda t: str(t.index))
    assert failed(verdict) == {"temperature 0"}
    check = next(check for check in verdict.checks if check.name == "temperature 0")
    assert check.detail == "different answers at t0 (2 of 2)"
    assert (verdict.settings[2].one_answer, verdict.settings[2].n) == (False, 2)


def test_the_settings_are_looked_at_after_a_reproduction_too() -> None:
    plan = plan_reproduce(cells=[HOT], score=GRID, rated="t1/a", min_successes=1)
    assert "settings" in failed(run(plan, lambda t: answer(t, True, "Yes.")))


# --- one rate, of fresh answers, by one version ----------------------------------------------------------------------

ALONE = [Fixed(cell=HOT, n=30)]


def fixed(hit: Callable[[int], bool], text: Callable[[int], str] = str, plan: Plan | None = None) -> Verdict:
    return run(plan or plan_score(score=ALONE), lambda t: answer(t, hit(t.index), text(t.index)))


def test_an_honest_run_is_scored() -> None:
    verdict = fixed(lambda i: i % 3 == 0)
    assert (verdict.verdict, verdict.n, verdict.k, failed(verdict)) == ("scored", 30, 10, set())
    looked = ["halves", "trend", "runs", "cache", "distinct answers"]
    assert [check.name for check in verdict.checks] == [f"{name}, scored" for name in looked]
    assert verdict.settings[0].rated


@pytest.mark.parametrize(
    ("hit", "names"),
    [
        (lambda i: i < 12, {"halves, scored", "trend, scored", "runs, scored"}),
        (lambda i: i // 5 % 2 == 0, {"runs, scored"}),
    ],
    ids=["a rate that fell", "clumps"],
)
def test_what_was_not_one_rate_is_not_scored(hit: Callable[[int], bool], names: set[str]) -> None:
    verdict = fixed(hit)
    assert (verdict.verdict, failed(verdict)) == ("inconclusive", names)
    assert verdict.reason.startswith("no rate is scored: the fixed trials did not show one rate: ")
    assert not any(row.rated for row in verdict.settings)
    assert (verdict.bound, verdict.residual_at_k) == (None, None)
    assert (verdict.n, verdict.k) == (30, sum(map(hit, range(30)))), "the counts stay to be seen"


def test_a_plan_from_before_the_mixed_order_plays_as_it_did() -> None:
    grid = [Fixed(cell=HOT, n=30), Fixed(cell=MILD, n=30)]
    old = replace(plan_score(score=grid), edition=None)
    verdict = fixed(lambda i: i % 2 == 0 if i < 30 else i < 45, plan=old)
    assert [check.name for check in verdict.checks] == ["halves, scored", "runs, scored", "cache, scored", "settings"]
    assert (verdict.verdict, failed(verdict)) == ("inconclusive", {"halves, scored", "runs, scored"})
    assert "compared, at t.5/a" in verdict.reason


def test_answers_out_of_a_cache_are_not_scored_and_count_once() -> None:
    verdict = fixed(lambda i: i // 5 % 2 == 0, lambda i: f"text {i // 5}")
    assert "cache, scored" in failed(verdict)
    slow = fixed(lambda i: True, lambda i: f"text {i // 5}")
    assert (slow.verdict, failed(slow)) == ("inconclusive", {"cache, scored"})
    assert slow.reason.endswith("equal answers came in a row among the fixed trials, as from a cache")
    assert (slow.settings[0].low, slow.settings[0].high) == exact_interval(6, 6)


def test_several_versions_or_judges_are_not_scored() -> None:
    def by(change: Callable[[Answer, int], Answer]) -> Verdict:
        return run(plan_score(score=ALONE), lambda t: change(answer(t, t.index % 2 == 0, str(t.index)), t.index))

    models = by(lambda given, i: replace(given, model="m-1" if i < 20 else "m-2"))
    assert (models.verdict, failed(models)) == ("inconclusive", {"one version"})
    assert models.reason == "no rate is scored: the target was not one version: the target named m-1 (20), m-2 (10)"
    prints = by(lambda given, i: replace(given, model="m", fingerprint="a" if i < 15 else "b"))
    assert (prints.verdict, failed(prints)) == ("inconclusive", {"fingerprints"})
    judges = by(lambda given, i: replace(given, judges=(("judge", f"j-{i % 2}"),)))
    assert (judges.verdict, failed(judges)) == ("inconclusive", {"one judge"})
    assert "a judge was not one model" in judges.reason


def test_a_reproduction_stands_without_a_scored_rate() -> None:
    plan = plan_reproduce(cells=[HOT], score=ALONE, rated="t1/a", min_successes=3, claim=(9, 10))

    def fades(trial: Trial) -> Answer:
        return answer(trial, trial.stream is Stream.MAIN or trial.index < 15, str(trial))

    verdict = run(plan, fades)
    assert (verdict.verdict, verdict.settings[0].rated) == ("reproduced", False)
    assert "; no rate is scored: the fixed trials did not show one rate" in verdict.reason
    assert (verdict.claim["low"], verdict.claim["high"]) == (verdict.low, verdict.high)
    updated = run(plan, lambda t: replace(answer(t, True, str(t)), model=f"m-{int(t.stream is Stream.SCORE)}"))
    assert (updated.verdict, updated.settings[0].rated) == ("reproduced", False)
    unasked = run(replace(plan, score=(), rated=""), lambda t: replace(answer(t, True, str(t)), model="m"))
    assert (unasked.verdict, "scored" in unasked.reason) == ("reproduced", False)


def test_the_fresh_trials_of_a_map_are_looked_at_too() -> None:
    plan = plan_map(cells=[HOT, MILD], budget=20, score_n=30)

    def found(fresh: Callable[[int], bool], model: Callable[[Trial], str] = lambda t: "m") -> Verdict:
        def reply(trial: Trial) -> Answer:
            hit = fresh(trial.index) if trial.stream is Stream.SCORE else trial.cell == "t1/a"
            return replace(answer(trial, hit, str(trial)), model=model(trial))

        return run(plan, reply)

    assert [row.rated for row in found(lambda i: i % 2 == 0).settings] == [True, False, False]
    for verdict in (found(lambda i: i < 15), found(lambda i: i % 2 == 0, lambda t: f"m-{t.index // 15}")):
        assert (verdict.leader, verdict.settings[0].n) == ("t1/a", 30)
        assert not any(row.rated for row in verdict.settings)
    assert "no rate is scored" in found(lambda i: i < 15).reason


def test_an_honest_target_is_hardly_ever_left_unscored() -> None:
    """Over a whole grid, each check fails no more often than its level."""
    random, runs = Random(11), 3000
    alarms: dict[str, int] = {}
    for number in range(runs):
        counts = [FixedCount(cell) for cell in (HOT, MILD)]
        for count, n, p in zip(counts, (30, 12), (0.4, 0.6), strict=True):
            for index in range(n):
                outcome = Outcome.SUCCESS if random.random() < p else Outcome.FAILURE
                count.add(Answer(stream=Stream.SCORE, index=index, outcome=outcome, digest=random.choice("ABCDEF")))
        timed = {count.cell.key: Timed(range(place, 2 * count.n, 2), count.bits) for place, count in enumerate(counts)}
        for check in scored_checks(counts, seed=number, timed=timed if number % 2 else None):
            alarms[check.name] = alarms.get(check.name, 0) + (not check.passed)
    assert set(alarms) == {*(f"{name}, scored" for name in ("halves", "trend", "runs", "cache")), "settings"}
    assert max(alarms.values()) <= runs * LEVEL + 3 * (runs * LEVEL) ** 0.5


def test_texts_that_are_not_known_count_by_themselves() -> None:
    count = FixedCount(HOT)
    for index, text in enumerate(["a", "a", None, None, "b"]):
        count.add(Answer(stream=Stream.SCORE, index=index, outcome=Outcome.SUCCESS, digest=text))
    assert (count.once, count.distinct, count.first_text) == ((4, 4), None, None)
