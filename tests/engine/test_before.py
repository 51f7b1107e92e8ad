"""The rate before a fix: from the plan, or from the version with the flaw in the same run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from manyeyes.engine import Arm, Cell, Plan, Stream, Trial
from manyeyes.engine.parts import Before, rate_before
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.prepare import Options, prepare
from tests.engine.scripted import coin, run, scored
from tests.reproducer.examples import EXAMPLE


def made(seed: int = 0, **options: object) -> Plan:
    """The plan that the command line makes of `verify --positive-model OLD`, without `--before`."""
    roles = {"main": TargetInfo(), "positive": TargetInfo()}
    wanted = Options(tau=0.05, seed=seed, **options)  # type: ignore[arg-type]
    return prepare(load_text(EXAMPLE), "verify", targets=roles, options=wanted).plan


PLAN = made()
PART = {cell.key: cell.part for cell in PLAN.cells}


def words(reported: float, other: float, *, flawed: float, plan: Plan = PLAN, runs: int = 100) -> Counter[str]:
    def rate(trial: Trial) -> float:
        if not scored(trial.stream):
            return flawed if trial.stream is Stream.POSITIVE else 0.97
        return reported if PART[trial.cell] == "reported" else other

    return Counter(run(replace(plan, seed=seed), coin(seed, rate)).verdict for seed in range(runs))


@pytest.mark.parametrize(("other", "flawed"), [(0.9, 0.95), (0.6, 0.8), (0.9, 0.8)])
def test_a_patch_of_the_exact_wording_is_called_one_without_before(other: float, flawed: float) -> None:
    found = words(0.0, other, flawed=flawed)
    assert found["symptom_patched"] >= 95
    assert found["holds"] == 0


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
        made(before=(9, 30)), coin(3, lambda t: 0.9 if not scored(t.stream) or PART[t.cell] != "reported" else 0.0)
    )
    assert found.reason.endswith(
        "rate before the fix: 9 of 30, as the plan gives it; too few successes to show within 20 trials that a wording "
        "is blocked"
    )
    assert Before(k=9, n=30, arm=False).weak(PLAN)
    assert not Before(k=9, n=30, arm=False).weak(replace(PLAN, part_cap=40))


def test_the_arm_counts_only_where_it_is_complete_and_at_the_same_settings() -> None:
    assert rate_before(PLAN, (12, 12)) == Before(k=12, n=12, arm=True)
    assert rate_before(replace(PLAN, before=(3, 9)), (12, 12)) == Before(k=3, n=9, arm=False)
    assert rate_before(replace(PLAN, before=(0, 9)), (12, 12)) is None
    assert rate_before(PLAN, (0, 12)) is None
    assert rate_before(PLAN, (11, 11)) is None
    assert rate_before(PLAN, None) is None
    elsewhere = Arm(cells=(Cell(key="x", setting="elsewhere"),), n=12, need=3)
    assert rate_before(replace(PLAN, positive=elsewhere), (12, 12)) is None
