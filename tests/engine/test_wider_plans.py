"""Plans of the wider questions: old plans keep their hash, new ones survive JSON, wrong arguments are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from manyeyes.engine import (
    Arm,
    Cell,
    Fixed,
    Plan,
    plan_compare,
    plan_map,
    plan_reproduce,
    plan_score,
    plan_sweep,
    plan_verify,
)
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.plan import CompareRule, SweepItem, SweepRule, WorstRule

A, B = Cell(key="a"), Cell(key="b")
ITEM = SweepItem(key="a")

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
    first = replace(plan, edition=None)
    assert first.hash == pinned
    assert Plan.from_json(first.to_json()).hash == pinned
    assert {"worst", "compare", "sweep", "judge", "edition"}.isdisjoint(first.to_json())


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


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (plan_map, {"cells": []}, "cells: give at least one cell"),
    (plan_map, {"cells": [A]}, "cells: give at least two"),
    (plan_map, {"cells": [A, A]}, "cells: each cell needs its own key"),
    (plan_map, {"cells": [A, B], "epsilon": 0}, "epsilon: give a rate above 0"),
    (plan_map, {"cells": [A, B], "delta": 1}, "delta:"),
    (plan_map, {"cells": [A, B], "certificate": "sure"}, "certificate: choose one of practical, rigorous"),
    (plan_map, {"cells": [A, B], "budget": 0}, "budget:"),
    (plan_map, {"cells": [A, B], "round": 0}, "round:"),
    (plan_map, {"cells": [A, B], "score_n": -1}, "score_n:"),
    (plan_map, {"cells": [A, B], "cap": 1}, "cap: give a whole number of at least 2"),
    (plan_map, {"cells": [A, B], "retry_budget": 0}, "retry_budget:"),
    (plan_map, {"cells": [A, B], "benign": Arm(cells=(), n=1)}, "benign.cells:"),
    (plan_compare, {"cells": []}, "cells: give at least one"),
    (plan_compare, {"alpha": 0}, "alpha:"),
    (plan_compare, {"cap": 0}, "cap:"),
    (plan_compare, {"margin": 0.1}, "margin: pairs have none; give paired=False, or margin 0"),
    (plan_compare, {"margin": 1.0, "paired": False}, "margin: give a number from 0 up to below 1"),
    (plan_compare, {"positive": Arm(cells=(A,), n=2, need=3)}, "positive.need:"),
    (plan_sweep, {"items": []}, "items: give at least one closed exploit"),
    (plan_sweep, {"items": [ITEM, ITEM]}, "items: each needs its own key, given twice: a"),
    (plan_sweep, {"items": [SweepItem(key="a", tau=0)]}, "items: tau of a: give a rate"),
    (plan_sweep, {"items": [SweepItem(key="a", tau=0.2)]}, "items: tau of a must be below p_reg = 0.2"),
    (plan_sweep, {"items": [ITEM], "q": 1}, "q:"),
    (plan_sweep, {"items": [ITEM], "beta": 0}, "beta:"),
    (plan_sweep, {"items": [ITEM], "cap": 0}, "cap:"),
    (plan_sweep, {"items": [ITEM], "round": 1.5}, "round:"),
    (plan_sweep, {"items": [ITEM], "cells": [Cell(key="x", part="b")]}, "cells: every cell's part names an item"),
    (plan_sweep, {"items": [ITEM], "cells": [A]}, "cells: every cell's part names an item"),
]


@pytest.mark.parametrize(("make", "wrong", "message"), WRONG)
def test_a_wrong_argument_is_named_with_its_mend(make: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        make(**wrong)
    assert str(error.value).startswith(message)


def test_the_wider_plans_survive_the_trip_through_json() -> None:
    arm = Arm(cells=(B,), n=3, need=1)
    plans = [
        plan_map(cells=[A, Cell(key="c", deterministic=True)], benign=arm, notes={"x": "y"}),
        plan_map(cells=[A, B], certificate="rigorous"),
        plan_compare(cells=[A, B], positive=arm),
        plan_sweep(items=[ITEM], cells=[Cell(key="x", part="a"), Cell(key="y", part="a")], benign=arm),
    ]
    assert [plan.cap for plan in plans] == [13, 200, 400, 60]
    for plan in plans:
        assert Plan.from_json(plan.to_json()) == plan
    assert len({plan.hash for plan in plans}) == len(plans)
