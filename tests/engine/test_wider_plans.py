"""Plans of the wider questions: old plans keep their hash, new ones survive JSON, wrong arguments are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manyeyes.engine import Arm, Cell, Fixed, Plan, plan_reproduce, plan_score, plan_verify
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.plan import CompareRule, SweepItem, SweepRule, WorstRule

A, B = Cell(key="a"), Cell(key="b")

PINNED = [
    (plan_reproduce(), "515f0252bf69cdc318edd4aa5446bd8c8734d698f3e91c911ea3284bd28df992"),
    (
        plan_reproduce(
            score=[Fixed(cell=A, n=3)], control=[B], claim=(7, 10), control_n=2, margin=0.05, min_successes=3
        ),
        "53df9b87d92b7561703507837b8ea031c5ff25de3a8cdc3a23a477ea952a963b",
    ),
    (plan_score(score=[Fixed(cell=A, n=3)]), "e1888f1f7406e26162132830f76575ff79ef5823a5994cdf4ad60d0e6e2814a3"),
    (
        plan_verify(
            cells=[
                Cell(key="a", setting="s", wording="w", weight=2.0),
                Cell(key="b", part="encoding", deterministic=True),
            ],
            benign=Arm(cells=(Cell(key="h"),), n=3, need=1),
            before=(28, 30),
            seed=4,
            notes={"detector": "canary/1"},
        ),
        "b3bf64d3289f0feb83a6357f454a901b2e0255f25937c4c22b3a376570e4e1f9",
    ),
]


@pytest.mark.parametrize(("plan", "pinned"), PINNED)
def test_plans_of_the_first_release_keep_their_hash(plan: Plan, pinned: str) -> None:
    """A plan frozen before these questions existed must be resumable: its JSON may not gain a field."""
    assert plan.hash == pinned
    assert Plan.from_json(plan.to_json()).hash == pinned
    assert {"worst", "compare", "sweep", "judge"}.isdisjoint(plan.to_json())


def test_the_wider_rules_survive_json_and_change_the_hash() -> None:
    plain = plan_reproduce()
    rules = [
        {"worst": WorstRule(epsilon=0.2)},
        {"compare": CompareRule(margin=0.1)},
        {"sweep": SweepRule(items=(SweepItem(key="a", title="A"), SweepItem(key="b", tau=0.1)))},
        {"judge": JudgeError(found=90, successes=100)},
    ]
    hashes = {plain.hash}
    for rule in rules:
        plan = replace(plain, **rule)  # type: ignore[arg-type]
        assert Plan.from_json(plan.to_json()) == plan
        hashes.add(plan.hash)
    assert len(hashes) == 5
