"""A search over settings of which some have temperature 0, on targets that honour it and on targets that do not."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Cell, Plan, Trial, plan_map
from tests.engine.scripted import Script, answer, run

GRID = [Cell(key=f"s{i}", setting=f"t{i}") for i in range(6)]
COLD, HOT = Cell(key="cold", deterministic=True), Cell(key="hot")


def refusing(seed: int, rate: dict[str, float]) -> Script:
    """A target that ignores temperature 0 and refuses in one way only."""
    random = Random(seed)

    def reply(trial: Trial) -> Answer:
        hit = random.random() < rate.get(trial.cell, 0.2)
        return answer(trial, hit, str(random.random()) if hit else "No.")

    return reply


def led(plan: Plan, cell: str, rate: dict[str, float], runs: int = 200) -> float:
    """How often the search ends with this leader."""
    found = [run(replace(plan, seed=seed), refusing(seed, rate)).leader == cell for seed in range(runs)]
    return sum(found) / runs


def test_a_leader_at_temperature_0_is_not_lost_to_two_refusals_in_the_same_words() -> None:
    """It is asked again: two such refusals are no more than chance for a target that works most of the time."""
    alone = plan_map(cells=[COLD, *GRID[:5]], cold_n=2, score_n=0)
    assert led(replace(alone, edition=None), "cold", {"cold": 0.7}) < 0.93 <= led(alone, "cold", {"cold": 0.7}) - 0.02


@pytest.mark.parametrize(("edition", "leader", "tried"), [(None, "hot", 2), (2, "second", 5)])
def test_one_cell_that_does_not_honour_temperature_0_unsettles_the_others(
    edition: int | None, leader: str, tried: int
) -> None:
    first, second = (Cell(key=key, deterministic=True) for key in ("first", "second"))
    plan = plan_map(cells=[first, second, HOT], cold_n=2, score_n=0, budget=100, seed=1)
    seen: list[int] = []

    def reply(trial: Trial) -> Answer:
        if trial.cell == "second":
            seen.append(trial.index)
            return answer(trial, len(seen) > 2, "No." if len(seen) <= 2 else str(trial))
        return answer(trial, trial.cell == "hot" and trial.index % 2 == 0, str(trial))

    verdict = run(replace(plan, edition=edition), reply)
    row = next(row for row in verdict.settings if row.cell == "second")
    assert verdict.leader == leader
    assert row.n >= tried if edition else row.n == tried


def test_what_fails_in_one_answer_is_asked_six_times_at_most() -> None:
    plan = plan_map(cells=[COLD, *GRID], cold_n=2, budget=60, epsilon=0.01)

    def honest(trial: Trial) -> Answer:
        return answer(
            trial, trial.index % 2 == 0 and trial.cell != "cold", "No." if trial.cell == "cold" else str(trial)
        )

    for round, tries in ((16, 6), (400, 3)):
        assert plan.worst is not None
        verdict = run(replace(plan, worst=replace(plan.worst, round=round)), honest)
        row = next(row for row in verdict.settings if row.cell == "cold")
        assert (row.n, row.one_answer) == (tries, True)
