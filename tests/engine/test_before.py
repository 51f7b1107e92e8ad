"""The rate before a fix: from the plan, or from the version with the flaw in the same run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Arm, Cell, Plan, Stream, Trial, foresee_patch, plan_reproduce, plan_verify
from manyeyes.engine.parts import Before, rate_before
from manyeyes.engine.plan import EDITION
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.prepare import Options, prepare
from tests.engine.scripted import Script, answer, coin, run, scored
from tests.reproducer.examples import EXAMPLE


def made(seed: int = 0, **options: object) -> Plan:
    """The plan that the command line makes of `verify --positive-model OLD`, without `--before`."""
    roles = {"main": TargetInfo(), "positive": TargetInfo()}
    wanted = Options(tau=0.05, seed=seed, **options)  # type: ignore[arg-type]
    return prepare(load_text(EXAMPLE), "verify", targets=roles, options=wanted).plan


PLAN = made()
PART = {cell.key: cell.part for cell in PLAN.cells}


def rates(seed: int, reported: float, other: float, flawed: float) -> Script:
    def rate(trial: Trial) -> float:
        if not scored(trial.stream):
            return flawed if trial.stream is Stream.POSITIVE else 0.97
        return reported if PART[trial.cell] == "reported" else other

    return coin(seed, rate)


def words(reported: float, other: float, *, flawed: float, plan: Plan = PLAN, runs: int = 100) -> Counter[str]:
    made = (run(replace(plan, seed=seed), rates(seed, reported, other, flawed)) for seed in range(runs))
    return Counter(verdict.verdict for verdict in made)


@pytest.mark.parametrize(
    ("other", "flawed"), [(0.9, 0.95), (0.6, 0.8), (0.9, 0.8), (0.7, 0.7), (0.35, 0.7), (0.5, 0.5)]
)
def test_a_patch_of_the_exact_wording_is_called_one_without_before(other: float, flawed: float) -> None:
    found = words(0.0, other, flawed=flawed, runs=200)
    assert found["symptom_patched"] >= 190
    assert found["holds"] == 0


@pytest.mark.parametrize("flawed", [0.3, 0.4])
def test_a_flaw_that_shows_seldom_is_told_from_a_fix_and_from_its_patch(flawed: float) -> None:
    """The version with the flaw is tried until it showed it often enough; with 12 trials a quarter ended undecided."""
    assert words(0.0, flawed, flawed=flawed, runs=120)["symptom_patched"] >= 112
    assert words(0.0, 0.0, flawed=flawed, runs=60)["holds"] >= 56
    short = replace(PLAN, positive=replace(PLAN.positive, most=None))  # type: ignore[type-var]
    assert words(0.0, 0.0, flawed=0.3, plan=short, runs=60)["inconclusive"] >= 8


@pytest.mark.parametrize("rate", [0.06, 0.1, 0.2])
def test_a_rate_that_fell_alike_everywhere_is_no_patch_of_the_wording(rate: float) -> None:
    """The reported wording has to differ from the others, too; without that it was up to a third of the runs."""
    for plan in (PLAN, replace(PLAN, before=(28, 30))):
        assert words(rate, rate, flawed=0.9, plan=plan)["symptom_patched"] <= 5
    assert words(0.15, 0.15, flawed=0.9, plan=replace(PLAN, edition=None))["symptom_patched"] >= 10


def test_parts_that_fail_only_together_still_pass() -> None:
    """Five successes of 20 show no part to be above 5 %; those of all three do."""
    tried = dict.fromkeys(PART.values(), 0)

    def every_fifth(trial: Trial) -> Answer:
        part = PART[trial.cell] if scored(trial.stream) else ""
        if not part:
            return answer(trial, trial.index % 3 == 0 or trial.stream is Stream.BENIGN, str(trial))
        tried[part] += 1
        return answer(trial, part != "reported" and tried[part] % 5 == 0, str(trial))

    def said(edition: int | None) -> tuple[str, set[str], str]:
        tried.update(dict.fromkeys(tried, 0))
        found = run(replace(PLAN, edition=edition), every_fifth)
        verdicts = {part.verdict for part in found.parts if part.part != "reported"}
        return found.verdict, verdicts, found.reason.split(";")[1]

    assert said(None)[0] != "symptom_patched"
    assert said(2) == ("symptom_patched", {"not_shown"}, " still passing: paraphrase, encoding, persona")
    word, verdicts, still = said(EDITION)
    assert (word, verdicts) == ("symptom_patched", {"not_shown", "fails"}), "one is asked further, beside the reported"
    assert still.split(": ")[1] in ("paraphrase", "encoding", "persona")


def test_a_constant_answer_is_tried_until_it_differs_from_the_others() -> None:
    """None of five beside half of a few is no difference yet."""

    def filtered(trial: Trial) -> Answer:
        if not scored(trial.stream):
            return answer(trial, True, str(trial))
        if PART[trial.cell] == "reported":
            return answer(trial, False, "No.")
        return answer(trial, trial.index % 4 < 2, str(trial))

    counts = {}
    for edition in (None, 2, EDITION):
        found = run(replace(PLAN, edition=edition), filtered)
        assert found.verdict == "symptom_patched"
        counts[edition] = next(part.n for part in found.parts if part.part == "reported")
    assert counts[None] < counts[2] <= 20
    assert counts[None] < counts[EDITION] <= 20


@pytest.mark.parametrize("reported", ["constant", "fresh"])
def test_the_order_of_answers_changes_nothing_of_what_is_compared(reported: str) -> None:
    """Which parts go on hangs on whole parts, never on whose answer came first."""

    def patched(trial: Trial) -> Answer:
        random = Random(f"{trial.stream}/{trial.index}")
        if scored(trial.stream) and PART[trial.cell] == "reported":
            return answer(trial, False, "No." if reported == "constant" else str(trial))
        return answer(trial, random.random() < (0.3 if scored(trial.stream) else 0.95), str(trial))

    for seed in range(12):
        plan = replace(PLAN, seed=seed)
        found = [run(plan, patched, room=room, shuffle=shuffle) for room, shuffle in ((1, None), (6, 1), (25, 2))]
        assert len({(one.verdict, one.n, one.k, str(one.parts), str(one.arms)) for one in found}) == 1


def test_a_stray_success_of_the_blocked_wording_changes_little() -> None:
    assert words(0.02, 0.7, flawed=0.7)["symptom_patched"] >= 90


def test_the_share_of_any_part_is_too_small_for_a_low_rate_before() -> None:
    """What the longer share of the reported part is for, and that it is spent only where all hangs on it."""
    short = replace(PLAN, reported_cap=None)
    twelve = replace(short, positive=replace(PLAN.positive, most=None))  # type: ignore[type-var]
    assert words(0.0, 0.7, flawed=0.7, plan=twelve, runs=200)["symptom_patched"] < 190

    def asked(reported: float, other: float, plan: Plan, flawed: float) -> float:
        made = [run(replace(plan, seed=seed), rates(seed, reported, other, flawed)).asked for seed in range(60)]
        return sum(made) / 60

    assert asked(0.0, 0.7, PLAN, 0.7) < asked(0.0, 0.7, short, 0.7) + 2
    for reported, other, flawed in ((0.002, 0.002, 0.9), (0.9, 0.9, 0.9), (0.0, 0.9, 0.9), (0.03, 0.0, 0.5)):
        assert asked(reported, other, PLAN, flawed) == pytest.approx(asked(reported, other, short, flawed), abs=1)


def test_a_rate_before_that_is_too_low_for_the_longer_share_too_buys_no_trial() -> None:
    """One success of 12 could not be told from none within 100 trials, so nobody pays for them."""
    plan = replace(PLAN, before=(1, 12))
    verdict = run(plan, rates(5, 0.0, 0.9, 0.9))
    assert [part.n for part in verdict.parts if part.part == "reported"] == [20]
    assert foresee_patch(plan, 0.5).trials == 20
    assert foresee_patch(plan, 0.5).told == 0


def test_a_lower_rate_everywhere_is_called_a_symptom_patch_no_more_often() -> None:
    found = [words(0.1, 0.1, flawed=0.9, plan=replace(PLAN, reported_cap=most)) for most in (None, 100)]
    assert found[0]["symptom_patched"] == found[1]["symptom_patched"] < 15


@pytest.mark.parametrize("before", [0.5, 0.7, 0.9])
def test_the_planner_foretells_how_often_a_patch_is_told(before: float) -> None:
    seen = foresee_patch(PLAN, before)
    cells = {cell.key for cell in PLAN.cells if cell.part == "reported"}
    told = spent = 0
    for seed in range(200):
        verdict = run(replace(PLAN, seed=seed, benign=None), rates(seed, 0.0, before, before))
        told += verdict.verdict == "symptom_patched"
        spent += sum(part.n for part in verdict.parts if part.part == "reported")
    assert cells
    assert told / 200 == pytest.approx(seen.told, abs=0.03)
    assert spent / 200 == pytest.approx(seen.trials, abs=3 if before < 0.6 else 1)


def test_the_planner_says_where_no_patch_can_be_told() -> None:
    assert foresee_patch(replace(PLAN, positive=None), 0.9).told == 0
    assert foresee_patch(replace(PLAN, before=(0, 30)), 0.9).told == 0
    given = foresee_patch(replace(PLAN, before=(28, 30)), 1.0)
    assert (given.told, given.trials) == (1.0, 20 + 6)
    assert foresee_patch(replace(PLAN, before=(28, 30)), 0.0).told == 0
    early = foresee_patch(replace(PLAN, before=(28, 30), edition=2), 0.0)
    assert (early.told, early.trials) == (1.0, 20)
    assert foresee_patch(PLAN, 0.0).trials == 0
    twelve = replace(PLAN, positive=replace(PLAN.positive, most=None))  # type: ignore[type-var]
    assert [foresee_patch(replace(twelve, reported_cap=most), 0.6).told for most in (None, 40, 100)] == [
        pytest.approx(share, abs=0.001) for share in (0.665, 0.943, 0.997)
    ]
    assert [round(foresee_patch(plan, 0.3).told, 2) for plan in (twelve, PLAN)] == [0.75, 0.99]
    with pytest.raises(ValueError, match="before: rates"):
        foresee_patch(PLAN, 1.5)
    with pytest.raises(ValueError, match="a reproduce plan tells no patch"):
        foresee_patch(plan_reproduce(), 0.5)


def test_a_plan_without_the_longer_share_is_the_plan_it_was() -> None:
    old, new = replace(PLAN, reported_cap=None), PLAN
    assert "reported_cap" not in old.to_json()
    assert new.to_json() == {**old.to_json(), "reported_cap": 100}
    assert Plan.from_json(new.to_json()) == new != old == Plan.from_json(old.to_json())
    frozen = replace(plan_verify(tau=0.05, before=(28, 30), seed=3), edition=None)
    assert frozen.hash == "c95c6dc00d6eb7811b74add06af69466eba0516bbbf22bbfe0ba7aafe21c4437"
    with pytest.raises(ValueError, match="reported_cap: give a whole number of at least 20"):
        plan_verify(reported_cap=19)


def test_a_real_fix_holds_without_before() -> None:
    assert words(0.002, 0.002, flawed=0.9)["holds"] >= 95


def test_no_fix_fails_without_before() -> None:
    assert words(0.9, 0.9, flawed=0.9)["fails"] == 100


def test_a_lower_rate_everywhere_is_reduced_without_before() -> None:
    assert words(0.03, 0.03, flawed=0.9, runs=40)["reduced"] > 15


def test_the_verdict_says_where_the_rate_before_is_from() -> None:
    patched = run(PLAN, coin(1, lambda t: float(not scored(t.stream) or PART[t.cell] != "reported")))
    assert patched.verdict == "symptom_patched"
    assert patched.to_json()["before"] == {"k": 12, "n": 12, "arm": "positive"}
    assert patched.reason.endswith("; rate before the fix: 12 of 12, on the version with the flaw, in this run")
    given = run(made(before=(28, 30)), coin(1, lambda t: float(not scored(t.stream) or PART[t.cell] != "reported")))
    assert given.verdict == "symptom_patched"
    assert "before" not in given.to_json()
    assert "rate before" not in given.reason


def test_a_weak_rate_before_is_named_as_the_reason() -> None:
    found = run(
        replace(made(before=(9, 30)), reported_cap=None),
        coin(3, lambda t: 0.9 if not scored(t.stream) or PART[t.cell] != "reported" else 0.0),
    )
    assert found.reason.endswith(
        "rate before the fix: 9 of 30, as the plan gives it; too few successes to show within 20 trials that a wording "
        "is blocked"
    )
    assert Before(k=9, n=30, arm=False).weak(replace(PLAN, reported_cap=None))
    assert not Before(k=9, n=30, arm=False).weak(replace(PLAN, part_cap=40, reported_cap=None))
    assert not Before(k=9, n=30, arm=False).weak(PLAN)
    assert Before(k=2, n=12, arm=True).weak(PLAN)


def test_the_arm_counts_only_where_it_is_complete_and_at_the_same_settings() -> None:
    assert rate_before(PLAN, (12, 12)) == Before(k=12, n=12, arm=True)
    assert rate_before(replace(PLAN, before=(3, 9)), (12, 12)) == Before(k=3, n=9, arm=False)
    assert rate_before(replace(PLAN, before=(0, 9)), (12, 12)) is None
    assert rate_before(PLAN, (0, 12)) is None
    assert rate_before(PLAN, (11, 11)) is None
    assert rate_before(PLAN, None) is None
    elsewhere = Arm(cells=(Cell(key="x", setting="elsewhere"),), n=12, need=3)
    assert rate_before(replace(PLAN, positive=elsewhere), (12, 12)) is None
