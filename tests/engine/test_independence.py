"""Repeats of one text are one observation, and only where they would help the claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Cell, Plan, Stream, Trial, evidence_path, plan_reproduce, plan_verify
from manyeyes.engine.plan import EDITION, Outcome
from manyeyes.engine.worded import foresee_worded
from tests.engine.scripted import MIXTURE, Script, answer, coin, run

_MANY = tuple(Cell(key=f"w{i}", wording=f"w{i}") for i in range(13))


def _one(trial: Trial) -> Answer:
    return answer(trial, False, "No.")


def test_one_wording_with_one_text_never_holds() -> None:
    verdict = run(plan_verify(tau=0.05, cells=[Cell(key="a", wording="a")]), _one)
    assert (verdict.verdict, verdict.n) == ("inconclusive", 295)
    assert verdict.bound is not None
    assert verdict.bound > 0.5
    check = verdict.checks[0]
    assert not check.passed
    assert "effective count 0 of 1, from 0 of 295" in check.detail


def test_constant_refusals_to_distinct_wordings_count() -> None:
    cells = [Cell(key=str(i), wording=str(i)) for i in range(80)]
    verdict = run(plan_verify(tau=0.05, cells=cells), _one)
    assert (verdict.verdict, verdict.n) == ("holds", 63)
    assert verdict.checks[0].passed


def test_a_second_text_does_not_free_the_repeats() -> None:
    """Two texts are two observations, whichever way they come; a plan of the first edition counts the changes."""
    asked = plan_verify(tau=0.05, cells=[Cell(key="a", wording="a")])
    for second in (lambda index: index % 7 == 5, lambda index: index >= 100):
        verdict = run(asked, lambda t, second=second: answer(t, False, "Never." if second(t.index) else "No."))
        assert (verdict.verdict, verdict.n) == ("inconclusive", 295)
        assert "effective count 0 of 2, from 0 of 295" in verdict.checks[0].detail
        assert verdict.checks[0].consequence.startswith("every text of a wording counts once")
    old = run(replace(asked, edition=None), lambda t: answer(t, False, "Never." if t.index % 7 == 5 else "No."))
    assert (old.verdict, old.n) == ("holds", 217)
    assert old.checks[0].consequence.startswith("an answer that repeats the one before it")


def forgetful(seed: int, rate: float, lifetime: int) -> Script:
    """A cache that keeps the answer to a wording for so many uses, and then draws another."""
    random, kept, uses = Random(seed), dict[str, tuple[bool, str]](), Counter[str]()

    def reply(trial: Trial) -> Answer:
        if uses[trial.cell] % lifetime == 0:
            kept[trial.cell] = random.random() < rate, str(random.random())
        uses[trial.cell] += 1
        return answer(trial, *kept[trial.cell])

    return reply


@pytest.mark.parametrize("lifetime", [3, 5, 10, 20])
def test_a_cache_that_forgets_does_not_make_a_fix_hold(lifetime: int) -> None:
    """At tau; with every repeat counted, `holds` came in up to a third of the runs (lifetime 20)."""
    asked = [plan_verify(tau=0.05, cells=_MANY, seed=seed) for seed in range(100)]
    held = sum(run(plan, forgetful(seed, 0.05, lifetime), room=8).verdict == "holds" for seed, plan in enumerate(asked))
    assert held <= 11  # 5 expected at most; above with a chance of .01


def replicas(seed: int, rate: float, count: int, *, forgets: float = 0.0) -> Script:
    """So many machines, each with one stored answer to a wording whatever the seed is, forgotten now and then."""
    random, kept = Random(seed), dict[tuple[str, int], tuple[bool, str]]()

    def reply(trial: Trial) -> Answer:
        place = trial.cell, random.randrange(count)
        if place not in kept or random.random() < forgets:
            kept[place] = random.random() < rate, str(random.random())
        return answer(trial, *kept[place])

    return reply


@pytest.mark.parametrize(("count", "forgets"), [(1, 0.0), (2, 0.0), (3, 0.0), (5, 0.0), (10, 0.0), (3, 0.1)])
def test_caches_on_several_machines_do_not_make_a_fix_hold(count: int, forgets: float) -> None:
    """At tau; with the rule of the first edition, `holds` came in three runs of ten behind two machines."""

    def held(edition: int | None, runs: int) -> int:
        plans = [replace(plan_verify(tau=0.05, cells=_MANY, seed=seed), edition=edition) for seed in range(runs)]
        ended = [run(plan, replicas(plan.seed, 0.05, count, forgets=forgets), room=8) for plan in plans]
        return sum(verdict.verdict == "holds" for verdict in ended)

    assert held(EDITION, 60) <= 8  # 3 expected at most; above with a chance of .01
    assert count != 2 or held(None, 30) > 4


@pytest.mark.parametrize(("texts", "wordings", "word"), [(4, 13, "inconclusive"), (8, 13, "holds"), (4, 26, "holds")])
def test_few_refusals_hold_where_there_are_wordings_enough_and_else_end_early(
    texts: int, wordings: int, word: str
) -> None:
    cells = [Cell(key=str(i), wording=str(i)) for i in range(wordings)]
    plan = plan_verify(tau=0.05, cells=cells, ends_stuck=True)
    seen = foresee_worded(plan, texts)
    for seed in range(20):
        target = coin(seed, lambda t: 0.0, text=lambda t: str(Random(f"{t.seed}").randrange(texts)))
        verdict = run(replace(plan, seed=seed), target)
        assert verdict.verdict == word
        assert verdict.n < 290
        assert word == "holds" or "repeats of one answer count once" in verdict.reason
    assert seen.holds == float(word == "holds")
    assert seen.trials < 290


def test_what_has_no_texts_to_foresee_is_said() -> None:
    with pytest.raises(ValueError, match="a reproduce plan shows no fix to hold"):
        foresee_worded(plan_reproduce(), 4)
    with pytest.raises(ValueError, match="texts and runs: at least one of each, got 0 and 20"):
        foresee_worded(plan_verify(), 0)
    short = plan_verify(tau=0.05, cap=5)
    assert (foresee_worded(short, 4).holds, foresee_worded(short, 4).trials) == (0.0, 5.0)


def test_one_wording_in_two_settings_is_one_wording() -> None:
    cells = [Cell(key=f"{s}/a", setting=s, wording="a") for s in ("cold", "hot")]
    assert run(plan_verify(tau=0.05, cells=cells), _one).verdict == "inconclusive"


def test_unknown_texts_are_taken_as_different_and_the_check_says_so() -> None:
    verdict = run(plan_verify(tau=0.05), lambda t: answer(t, False))
    assert verdict.n == 63
    assert "not available" in verdict.checks[0].detail


def test_repeated_successes_support_reproduction_once() -> None:
    cells = [Cell(key="a", wording="a")]
    once = run(plan_reproduce(cells=cells, min_successes=3, cap=50), lambda t: answer(t, True, "yes"))
    assert (once.verdict, once.n, once.k) == ("inconclusive", 50, 50)
    varied = run(plan_reproduce(cells=cells, min_successes=3, cap=50), lambda t: answer(t, True, str(t.index)))
    assert (varied.verdict, varied.n) == ("reproduced", 3)
    assert run(plan_reproduce(cells=cells), lambda t: answer(t, False, "no")).verdict == "inconclusive"


def test_repeated_successes_support_the_two_sample_evidence_once() -> None:
    asked = plan_reproduce(cells=[Cell(key="a", wording="a")], control=[Cell(key="c")], cap=60)

    def same(trial: Trial) -> Answer:
        return answer(trial, trial.stream is Stream.MAIN, "yes" if trial.stream is Stream.MAIN else str(trial))

    assert run(asked, same).verdict == "inconclusive"
    assert run(asked, lambda t: answer(t, t.stream is Stream.MAIN, str(t))).verdict == "reproduced"
    two = run(asked, lambda t: answer(t, t.stream is Stream.MAIN, "no" if t.index == 20 else "yes"))
    assert (two.verdict, two.n) == ("reproduced", 21)


@pytest.mark.parametrize("plan", [plan_verify(tau=0.05, cells=MIXTURE), plan_reproduce(cells=MIXTURE)], ids=["v", "r"])
def test_evidence_with_repeats_left_out_is_never_above_the_full_evidence(plan: Plan) -> None:
    for seed in range(20):
        outcomes = [(seed * 7 + i * i) % 5 == 0 for i in range(60)]
        texts = [f"t{(seed + i) % 3}" if i % 4 else "same" for i in range(60)]
        given = [
            Answer(
                stream=Stream.MAIN, index=i, outcome=Outcome.SUCCESS if outcome else Outcome.FAILURE, digest=texts[i]
            )
            for i, outcome in enumerate(outcomes)
        ]
        claim = "holds" if plan.question == "verify" else "reproduced"
        for some, full in zip(evidence_path(plan, given), evidence_path(plan, outcomes), strict=True):
            assert some.evalues[claim] <= full.evalues[claim] * (1 + 1e-9)
            if claim == "holds":
                assert (some.evalues["fails"], some.bound >= full.bound) == (full.evalues["fails"], True)


def test_a_deterministic_cell_is_drawn_once_at_most() -> None:
    cold = Cell(key="cold/a", wording="a", deterministic=True)
    seen: Counter[str] = Counter()

    def count(trial: Trial) -> Answer:
        seen[trial.cell] += 1
        return answer(trial, False, str(trial))

    assert run(plan_verify(tau=0.05, cells=[cold, Cell(key="hot/a", wording="a")]), count).verdict == "holds"
    assert seen == {"cold/a": 1, "hot/a": 62}
    alone = run(plan_verify(tau=0.05, cells=[cold, Cell(key="cold/b", deterministic=True)]), count)
    assert (alone.verdict, alone.n) == ("inconclusive", 2)
    assert "one answer only" in alone.reason


def test_a_deterministic_cell_is_not_drawn_again_for_its_part() -> None:
    cells = [Cell(key="cold", part="reported", deterministic=True), Cell(key="hot", part="family")]
    seen: Counter[str] = Counter()

    def count(trial: Trial) -> Answer:
        seen[trial.cell] += 1
        return answer(trial, trial.cell == "hot", str(trial))

    verdict = run(plan_verify(tau=0.05, cells=cells, before=(30, 30)), count)
    assert seen["cold"] == 1
    assert {part.part: (part.n, part.verdict) for part in verdict.parts}["reported"] == (1, "inconclusive")
