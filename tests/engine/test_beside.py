"""A patch of the wording told from time: both asked by turns, whatever happens to the target meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from manyeyes.engine import Answer, Arm, Cell, Plan, Stream, Trial, plan_verify
from manyeyes.engine.patched import arm_most
from manyeyes.engine.schedule import Layout
from tests.engine.scripted import PART_OF, answer, coin, run, run_and_keep, scored

CELLS = tuple(
    Cell(key=key, wording=key, part=part, weight=1 if part == "reported" else 1 / 4)
    for key, part in PART_OF.items()
    if part != "reported" or key.endswith("0")
)
PLAN = plan_verify(
    cells=CELLS,
    tau=0.05,
    positive=Arm(cells=(Cell(key="flawed"),), n=12, need=3, most=arm_most(3, 0.3)),
    reported_cap=100,
)


def falling(seed: int, before: float, after: float, at: int) -> Callable[[Trial], Answer]:
    """All wordings alike: the rate changes after so many trials of the target under question."""
    random, seen = Random(seed), [0]

    def reply(trial: Trial) -> Answer:
        if not scored(trial.stream):
            return answer(trial, random.random() < 0.9, str(trial))
        seen[0] += 1
        return answer(trial, random.random() < (before if seen[0] <= at else after), str(trial))

    return reply


def cached(seed: int, rate: float, machines: int) -> Callable[[Trial], Answer]:
    """Each machine keeps one answer to each wording, whatever the seed."""
    random, kept = Random(seed), dict[tuple[str, int], tuple[bool, str]]()

    def reply(trial: Trial) -> Answer:
        if not scored(trial.stream):
            return answer(trial, random.random() < 0.9, str(random.random()))
        place = trial.cell, random.randrange(machines)
        kept.setdefault(place, (random.random() < rate, str(random.random())))
        return answer(trial, *kept[place])

    return reply


def words(make: Callable[[int], Callable[[Trial], Answer]], runs: int, *, edition: int | None = 3) -> Counter[str]:
    plans = (replace(PLAN, seed=seed, edition=edition) for seed in range(runs))
    return Counter(run(plan, make(plan.seed), room=8).verdict for plan in plans)


@pytest.mark.parametrize(("before", "after", "at"), [(0.3, 0.0, 15), (0.5, 0.0, 10), (0.9, 0.05, 8), (0.2, 0.0, 20)])
def test_a_rate_that_falls_everywhere_meanwhile_is_no_patch_of_the_wording(
    before: float, after: float, at: int
) -> None:
    assert words(lambda seed: falling(seed, before, after, at), 60)["symptom_patched"] <= 3


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_behind_caches_no_patch_of_the_wording_is_named(machines: int) -> None:
    for rate in (0.05, 0.2):
        assert words(lambda seed, rate=rate: cached(seed, rate, machines), 60)["symptom_patched"] <= 3  # type: ignore[misc]


def test_plans_of_the_second_edition_play_as_they_did() -> None:
    assert words(lambda seed: falling(seed, 0.3, 0.0, 15), 60, edition=2)["symptom_patched"] >= 6
    assert words(lambda seed: cached(seed, 0.2, 1), 40, edition=2)["symptom_patched"] >= 10
    old = replace(PLAN, edition=2)
    assert (old.pairs, PLAN.pairs) == (0, 60)
    assert Layout(PLAN).limit(Stream.ATTRIBUTE) - Layout(old).limit(Stream.ATTRIBUTE) == 60 * 4


def patched(seed: int, rate: float, *, text: Callable[[Trial], str] = str) -> Callable[[Trial], Answer]:
    def rates(trial: Trial) -> float:
        if not scored(trial.stream):
            return 0.9
        return 0.0 if PART_OF[trial.cell] == "reported" else rate

    return coin(seed, rates, text=text)


def test_pairs_are_asked_one_right_after_the_other_in_an_order_of_the_seed() -> None:
    for seed in range(6):
        layout = Layout(replace(PLAN, seed=seed))
        verdict, given = run_and_keep(layout.plan, patched(seed, 0.5))
        asked = [one.index for one in given if one.stream is Stream.ATTRIBUTE and layout.pair(one.index) is not None]
        pairs = [layout.pair(index) for index in asked]
        assert pairs == [pair for pair in range(verdict.beside["n"]) for _ in "ab"]
        kinds = ["reported" if layout.parts[index % 4] == "reported" else "other" for index in asked]
        first = Counter(kinds[::2])
        assert all(set(two) == {"reported", "other"} for two in zip(kinds[::2], kinds[1::2], strict=True))
        assert len(first) == 2, "neither is always first"
        assert verdict.beside["shown"]
        assert verdict.beside["evalue"] >= 20


def test_neither_the_order_of_answers_nor_a_resume_changes_what_pairs_say() -> None:
    def reply(trial: Trial) -> Answer:
        passes = Random(f"{trial.stream}/{trial.index}").random() < 0.35
        return answer(trial, passes and (not scored(trial.stream) or PART_OF[trial.cell] != "reported"), str(trial))

    plan: Plan = replace(PLAN, seed=4, positive=None, before=(28, 30))
    verdict, given = run_and_keep(plan, reply)
    assert verdict.beside["n"] > 6
    for room, shuffle in ((7, 1), (30, 2)):
        assert run(plan, reply, room=room, shuffle=shuffle).beside == verdict.beside
    for cut in (5, 60, len(given) - 3):
        assert run(plan, reply, record=given[:cut]).to_json() == verdict.to_json()
    again = run(plan, reply, record=given)
    assert (again.overrun, again.to_json()) == (verdict.overrun, verdict.to_json())


def test_a_success_whose_text_came_before_is_no_evidence() -> None:
    """Every wording passes with one text of its own: a cache's, for all that can be told."""
    found = run(PLAN, patched(1, 1.0, text=lambda trial: trial.cell))
    assert found.verdict != "symptom_patched"
    check = next(check for check in found.checks if check.name == "by turns")
    assert (check.passed, found.beside["reported"]) == (False, 0)
    assert found.beside["other"] == found.beside["n"] > 0
    assert "no patch of the wording alone is named" in check.consequence


def test_what_is_undecided_counts_against_the_patch() -> None:
    """Of the reported wording as passing, of the other as not; and where the reported one alone passes, against it."""

    def reply(trial: Trial) -> Answer:
        pair = Layout(PLAN).pair(trial.index) if trial.stream is Stream.ATTRIBUTE else None
        reported = scored(trial.stream) and PART_OF[trial.cell] == "reported"
        if pair is None:
            return answer(trial, not reported, str(trial))
        return answer(trial, [None, False, True][pair % 3] if reported else [True, None, False][pair % 3], str(trial))

    found = run(PLAN, reply)
    assert found.verdict != "symptom_patched"
    assert (found.beside["shown"], found.beside["evalue"] < 1) == (False, True)


def test_wordings_that_can_be_asked_but_once_are_asked_in_no_pairs() -> None:
    cold = replace(PLAN, cells=tuple(replace(cell, deterministic=cell.part == "reported") for cell in CELLS))
    found = run(
        cold, lambda trial: answer(trial, not scored(trial.stream) or PART_OF[trial.cell] != "reported", str(trial))
    )
    assert found.beside == {}
    assert found.verdict != "symptom_patched"
