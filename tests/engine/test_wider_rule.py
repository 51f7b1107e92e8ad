"""Map, compare and sweep: the verdict depends on the answers alone, not on order, batches, concurrency or resuming."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyeyes.engine import (
    Answer,
    Arm,
    Cell,
    Feed,
    Outcome,
    Plan,
    Stream,
    SweepItem,
    Trial,
    characteristics,
    comparison,
    evidence_path,
    grid,
    plan_compare,
    plan_map,
    plan_reproduce,
    plan_sweep,
    replay,
    sweep,
)
from manyeyes.engine.wider import layout_of
from tests.engine.scripted import Script, answer, run, run_and_keep

GRID = tuple(Cell(key=f"s{i}", setting=f"s{i}", deterministic=i in (3, 5)) for i in range(7))
BENIGN = Arm(cells=(Cell(key="b"),), n=4, need=1)
AFTER = Arm(cells=(Cell(key="p"),), n=3)
ITEMS = tuple(SweepItem(key=f"i{i}", tau=0.01 if i % 2 else 0.05) for i in range(6))
CELLS = tuple(
    Cell(key=f"i{i}/{j}", part=f"i{i}", wording=str(j), deterministic=i == 4) for i in range(6) for j in range(3)
)
PLANS = {
    "map": plan_map(cells=GRID, benign=BENIGN, round=3, score_n=4, budget=6, seed=1),
    "found": plan_map(cells=GRID, certificate="rigorous", epsilon=0.4, round=5, cap=200, positive=AFTER, seed=2),
    "compare": plan_compare(cells=GRID, benign=BENIGN, cap=60, seed=3),
    "blocks": plan_compare(cells=GRID, paired=False, margin=0.05, cap=60, positive=AFTER, seed=4),
    "sweep": plan_sweep(items=ITEMS, cells=CELLS, benign=BENIGN, positive=AFTER, cap=20, seed=5),
    "rounds": plan_sweep(items=ITEMS, cells=CELLS, cap=20, round=3, seed=6),
}


def script(seed: int, *, repeats: bool = False) -> Script:
    """Rates that differ by cell and stream, now and then undecided; texts that differ unless `repeats`."""

    def reply(trial: Trial) -> Answer:
        random = Random(f"{seed}/{trial.stream}/{trial.index}")
        rate = 0.9 if trial.stream is Stream.BENIGN else Random(f"{seed}/{trial.cell}/{trial.stream}").random() ** 3
        draw = random.random()
        if trial.stream in (Stream.MAIN, Stream.OLD) and draw > 0.97:
            return answer(trial, None, str(draw))
        return answer(trial, draw < rate, f"{trial.cell} {draw < rate}" if repeats else str(draw))

    return reply


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(PLANS)),
    seed=st.integers(0, 10**6),
    room=st.integers(2, 40),
    cut=st.floats(0, 1),
    repeats=st.booleans(),
)
def test_order_batches_and_resuming_change_nothing(name: str, seed: int, room: int, cut: float, repeats: bool) -> None:
    plan, target = replace(PLANS[name], seed=seed), script(seed, repeats=repeats)
    plain, record = run_and_keep(plan, target)
    wide, longer = run_and_keep(plan, target, room=room, shuffle=seed)
    Random(seed).shuffle(longer)
    resumed = run(plan, target, room=3, record=longer[: int(cut * len(longer))])
    generator = replay(plan)
    next(generator)
    with pytest.raises(StopIteration) as stop:
        generator.send(Feed(answers=longer, room=0))
    for other in (wide, resumed, stop.value.value):
        assert replace(other, overrun=0, asked=0) == replace(plain, overrun=0, asked=0)
    assert plain.asked == len(record)
    assert plain.overrun == (0 if name != "rounds" else plain.overrun)
    assert stop.value.value.overrun == len({(a.stream, a.index) for a in longer}) - (plain.asked - plain.overrun)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_every_trial_is_the_same_for_the_same_plan_and_answers(name: str) -> None:
    def walk(seed: int) -> list[Trial]:
        trials: list[Trial] = []
        target = script(7)

        def keep(trial: Trial) -> Answer:
            trials.append(trial)
            return target(trial)

        run(replace(PLANS[name], seed=seed), keep, room=4)
        return trials

    assert walk(1) == walk(1) != walk(2)
    places = [(trial.stream, trial.index) for trial in walk(1)]
    assert len(places) == len(set(places))


def test_pairs_share_cell_and_seed_and_blocks_only_the_cell() -> None:
    for name, same in (("compare", True), ("blocks", False)):
        layout = layout_of(PLANS[name])
        for index in range(10):
            new, old = layout.trial(Stream.MAIN, index), layout.trial(Stream.OLD, index)
            assert new.cell == old.cell
            assert (new.seed == old.seed) is same
        assert layout.limit(Stream.OLD) == layout.limit(Stream.MAIN) == 60
        assert layout.limit(Stream.SCORE) == layout.limit(Stream.CONTROL) == 0


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_target_that_refuses_everything_is_no_result(name: str) -> None:
    plan = replace(PLANS[name], benign=BENIGN)
    verdict = run(plan, lambda trial: answer(trial, trial.stream is not Stream.BENIGN), room=5)
    assert (verdict.verdict, verdict.n, verdict.k) == ("inconclusive", 0, 0)
    assert verdict.reason.startswith("assay not sensitive: benign arm had 0 of 4, needs 1 of 4")
    assert (verdict.leader, verdict.certificate) == ("", "")
    assert not next(check for check in verdict.checks if check.name == "benign arm").passed


@pytest.mark.parametrize("name", sorted(PLANS))
def test_progress_says_where_it_stands(name: str) -> None:
    plan = replace(PLANS[name], benign=None, positive=None)
    generator = replay(plan)
    first = next(generator).progress
    assert (first.n, first.k, first.asked) == (0, 0, 0)
    batch = generator.send(Feed(room=6))
    later = generator.send(Feed(answers=[answer(trial, True) for trial in batch.trials], room=0)).progress
    assert later.n == (3 if plan.compare else 6)
    assert later.phase == ("sweep" if plan.sweep else "main")
    assert later.threshold > 1
    assert all(value >= 0 for value in later.evalues.values())


def test_answers_beyond_a_stream_are_refused() -> None:
    for name, stream, index in (
        ("map", Stream.MAIN, PLANS["map"].cap),
        ("map", Stream.SCORE, 4),
        ("compare", Stream.OLD, 60),
        ("sweep", Stream.MAIN, 120),
        ("sweep", Stream.SCORE, 0),
    ):
        generator = replay(PLANS[name])
        next(generator)
        with pytest.raises(ValueError, match=f"{stream}:{index}: the plan has"):
            generator.send(Feed(answers=[Answer(stream=stream, index=index, outcome=Outcome.FAILURE)]))


def test_a_plan_without_the_rule_of_its_question_is_refused() -> None:
    plain: Plan = plan_reproduce()
    for module, name in ((grid, "worst"), (comparison, "compare"), (sweep, "sweep")):
        with pytest.raises(ValueError, match=f"^{name}: this plan has no"):
            module.rule_of(plain)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(PLANS))
def test_these_plans_have_no_one_path(name: str) -> None:
    with pytest.raises(ValueError, match="has no one path of evidence"):
        evidence_path(PLANS[name], [])
    with pytest.raises(ValueError, match="has no such rule"):
        characteristics(PLANS[name], [0.1])


def test_nothing_is_laid_out_beyond_what_is_known() -> None:
    layout = layout_of(PLANS["map"])
    with pytest.raises(IndexError):
        layout.cell(Stream.MAIN, 0)
    with pytest.raises(IndexError, match="no leader yet"):
        layout.cell(Stream.SCORE, 0)
    assert layout.cell(Stream.BENIGN, 0).key == "b"
    assert layout_of(PLANS["sweep"]).cell(Stream.POSITIVE, 0).key == "p"


@pytest.mark.parametrize(
    ("name", "word", "certificate"),
    [
        ("map", "budget", "none"),
        ("found", "inconclusive", "none"),
        ("compare", "inconclusive", ""),
        ("sweep", "regressed", ""),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_a_target_that_changes_its_version_proves_nothing(
    name: str, word: str, certificate: str, several: bool
) -> None:
    def script(trial: Trial) -> Answer:
        hit = trial.stream is Stream.BENIGN or (trial.stream is not Stream.OLD and trial.cell[:2] in ("s2", "i1"))
        said = answer(trial, hit or (name == "compare" and trial.stream is Stream.MAIN), f"{trial.stream}{trial.index}")
        late = several and trial.stream is Stream.MAIN and trial.index > 2
        return replace(said, model="m-2" if late else "m-1")

    verdict = run(PLANS[name], script)
    check = next(check for check in verdict.checks if check.name == "one version")
    assert check.passed is not several
    plain = {"map": ("budget", "practical"), "found": ("found", "rigorous"), "compare": ("worse", "")}
    kept = plain.get(name, (word, certificate))
    assert (verdict.verdict, verdict.certificate) == ((word, certificate) if several else kept)


def test_the_old_version_must_be_one_version_too() -> None:
    def script(trial: Trial) -> Answer:
        said = answer(trial, trial.stream is not Stream.OLD, f"{trial.stream}{trial.index}")
        return replace(said, model=f"m-{trial.index}" if trial.stream is Stream.OLD else "m")

    verdict = run(PLANS["compare"], script)
    assert verdict.verdict == "inconclusive"
    assert {check.name: check.passed for check in verdict.checks}["one version, old"] is False
    assert {check.name: check.passed for check in verdict.checks}["one version"] is True
