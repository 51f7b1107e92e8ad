"""Repeats of one text are one observation, and only where they would help the claim."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from manyeyes.engine import Answer, Cell, Plan, Stream, Trial, evidence_path, plan_reproduce, plan_verify
from manyeyes.engine.plan import Outcome
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
    asked = plan_verify(tau=0.05, cells=[Cell(key="a", wording="a")])
    verdict = run(asked, lambda t: answer(t, False, "Never." if t.index % 7 == 5 else "No."))
    assert (verdict.verdict, verdict.n) == ("holds", 217)  # two observations in seven trials
    late = run(asked, lambda t: answer(t, False, "No." if t.index < 100 else "Never."))
    assert (late.verdict, late.n) == ("inconclusive", 295)
    assert "effective count 0 of 2, from 0 of 295" in late.checks[0].detail


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


def test_chance_repeats_cost_an_honest_target_only_themselves() -> None:
    """Three wordings of a refusal, drawn afresh: a third of the trials repeat the one before."""
    found = [
        run(
            plan_verify(tau=0.05, cells=_MANY, seed=seed),
            coin(seed, lambda t: 0.0, text=lambda t: str(Random(f"{t.seed}").randrange(3))),
        )
        for seed in range(20)
    ]
    assert [verdict.verdict for verdict in found] == ["holds"] * 20
    assert max(verdict.n for verdict in found) < 120


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
