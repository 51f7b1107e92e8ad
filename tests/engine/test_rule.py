"""The stopping rule: the golden numbers, and that the verdict depends on the answers alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manyeyes.engine import (
    Answer,
    Arm,
    Cell,
    Feed,
    Fixed,
    Outcome,
    Plan,
    Stream,
    Trial,
    drive,
    plan_reproduce,
    plan_verify,
    replay,
)
from tests.engine.scripted import MIXTURE, coin, run, run_and_keep, scored


@pytest.mark.parametrize(("tau", "least", "most", "exact"), [(0.01, 299, 325, 322), (0.05, 59, 64, 63)])
def test_all_failures_hold_after_hardly_more_than_the_rule_of_three(
    tau: float, least: int, most: int, exact: int
) -> None:
    verdict = drive(plan_verify(tau=tau), lambda trial: False)
    assert (verdict.verdict, verdict.n, verdict.k) == ("holds", exact, 0)
    assert least <= verdict.n <= most
    assert verdict.bound is not None
    assert tau * 0.99 < verdict.bound <= tau


@pytest.mark.parametrize("tau", [0.01, 0.05])
@pytest.mark.parametrize("room", [1, 8])
def test_all_successes_never_hold(tau: float, room: int) -> None:
    verdict = drive(plan_verify(tau=tau), lambda trial: True, room=room)
    assert verdict.verdict in ("fails", "not_shown")
    assert (verdict.n, verdict.overrun) == (1, room - 1)


@pytest.mark.parametrize(("tau", "first", "last", "n"), [(0.01, 9, 322, 626), (0.05, 2, 63, 124)])
def test_one_success_anywhere_costs_the_same(tau: float, first: int, last: int, n: int) -> None:
    plan = plan_verify(tau=tau)

    def once(at: int) -> Callable[[Trial], bool]:
        return lambda trial: trial.index == at - 1

    for at in {first, first + 1, (first + last) // 2, last - 1, last}:
        verdict = drive(plan, once(at))
        assert (verdict.verdict, verdict.n, verdict.k, verdict.first_success) == ("holds", n, 1, at - 1)
    for at in range(1, first):
        verdict = drive(plan, once(at))
        assert verdict.verdict in ("fails", "not_shown")
        assert verdict.n == at
    late = drive(plan, lambda trial: trial.index == last)
    assert (late.verdict, late.n) == ("holds", last)


def test_reproduce_reaches_each_of_its_words() -> None:
    assert drive(plan_reproduce(min_successes=3), lambda trial: True).n == 3
    never = drive(plan_reproduce(), lambda trial: False)
    assert (never.verdict, never.n, never.bound_side, never.bound_confidence) == ("not_reproduced", 63, "upper", 0.95)
    assert 0.049 < (never.bound or 1) < 0.05
    some = drive(plan_reproduce(cap=40), lambda trial: trial.index % 20 == 19)
    assert (some.verdict, some.n, some.k) == ("inconclusive", 40, 2)
    assert "cap" in some.reason


def test_undecided_counts_against_the_claim_and_apart() -> None:
    verify = drive(plan_verify(tau=0.05), lambda trial: None)
    assert verify.verdict == "not_shown"
    assert (verify.k, verify.undecided, verify.first_success) == (1, 1, None)
    reproduce = drive(plan_reproduce(), lambda trial: None)
    assert (reproduce.verdict, reproduce.k, reproduce.undecided) == ("not_reproduced", 0, 63)
    control = (Cell(key="c"),)
    blocked = drive(
        plan_reproduce(control=control, cap=30), lambda trial: True if trial.stream is Stream.MAIN else None
    )
    assert blocked.verdict == "inconclusive"
    assert blocked.arms[0].k == 30


PLANS: dict[str, tuple[Plan, float]] = {
    "verify": (plan_verify(tau=0.05, seed=5), 0.01),
    "mixture": (plan_verify(tau=0.05, cells=MIXTURE, before=(28, 30), part_cap=12, seed=6), 0.2),
    "armed": (
        plan_verify(
            tau=0.2,
            cells=MIXTURE,
            positive=Arm(cells=(Cell(key="p"),), n=4, need=1),
            benign=Arm(cells=(Cell(key="b"),), n=5, need=2),
            seed=7,
        ),
        0.1,
    ),
    "reproduce": (plan_reproduce(seed=8), 0.06),
    "control": (
        plan_reproduce(
            cells=MIXTURE[:2],
            control=(Cell(key="c"),),
            margin=0.05,
            min_successes=3,
            score=[Fixed(cell=MIXTURE[0], n=5)],
            benign=Arm(cells=(Cell(key="b"),), n=3),
        ),
        0.5,
    ),
}


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(PLANS)), seed=st.integers(0, 10**6), room=st.integers(2, 40), cut=st.floats(0, 1))
def test_order_batches_and_resuming_change_nothing(name: str, seed: int, room: int, cut: float) -> None:
    plan, rate = PLANS[name]
    script = coin(seed, lambda t: rate if scored(t.stream) else 0.02 if t.stream is Stream.CONTROL else 0.7)
    plain, record = run_and_keep(plan, script)
    wide, longer = run_and_keep(plan, script, room=room, shuffle=seed)
    Random(seed).shuffle(longer)
    resumed = run(plan, script, room=3, record=longer[: int(cut * len(longer))])
    generator = replay(plan)
    next(generator)
    with pytest.raises(StopIteration) as stop:
        generator.send(Feed(answers=longer, room=0))
    for other in (wide, resumed, stop.value.value):
        assert (other.verdict, other.n, other.k) == (plain.verdict, plain.n, plain.k)
        assert other.parts == plain.parts
        assert other.settings == plain.settings
        assert other.arms == plain.arms
    assert plain.asked == len(record)
    assert stop.value.value.overrun == len({(a.stream, a.index) for a in longer}) - (plain.asked - plain.overrun)


def test_a_missing_answer_blocks_the_look() -> None:
    generator = replay(plan_reproduce())
    next(generator)
    late = [Answer(stream=Stream.MAIN, index=i, outcome=Outcome.SUCCESS) for i in range(1, 9)]
    batch = generator.send(Feed(answers=late, room=1))
    assert [trial.index for trial in batch.trials] == [0]
    assert (batch.progress.n, batch.progress.asked) == (0, 9)
    with pytest.raises(StopIteration) as stop:
        generator.send(Feed(answers=[Answer(stream=Stream.MAIN, index=0, outcome=Outcome.FAILURE)], room=0))
    assert (stop.value.value.verdict, stop.value.value.n, stop.value.value.overrun) == ("reproduced", 3, 6)


def test_no_trial_is_handed_out_twice_and_no_more_than_there_is_room() -> None:
    generator = replay(plan_verify(tau=0.05))
    assert next(generator).trials == ()
    seen: list[Trial] = []
    for room in (0, 1, 2, 4, 8):
        batch = generator.send(Feed(room=room))
        assert len(batch.trials) == room
        seen += batch.trials
    assert [trial.index for trial in seen] == list(range(15))


def test_contradictions_and_unknown_trials_are_refused() -> None:
    def feed(*answers: Answer) -> None:
        generator = replay(plan_verify(tau=0.05))
        next(generator)
        generator.send(Feed(answers=answers))

    first = Answer(stream=Stream.MAIN, index=0, outcome=Outcome.FAILURE, digest="a")
    feed(first, first)
    with pytest.raises(ValueError, match="main:0: already on record as failure"):
        feed(first, Answer(stream=Stream.MAIN, index=0, outcome=Outcome.UNDECIDED))
    for stream, index in ((Stream.MAIN, 295), (Stream.MAIN, -1), (Stream.CONTROL, 0), (Stream.ATTRIBUTE, 0)):
        with pytest.raises(ValueError, match=f"{stream}:{index}: the plan has"):
            feed(Answer(stream=stream, index=index, outcome=Outcome.FAILURE))


def test_progress_is_for_people() -> None:
    generator = replay(plan_verify(tau=0.05))
    start = next(generator).progress
    assert (start.phase, start.n, start.low, start.high, start.cap) == ("assay", 0, 0.0, 1.0, 295)
    batch = generator.send(Feed(room=4))
    fed = [Answer(stream=t.stream, index=t.index, outcome=Outcome.FAILURE) for t in batch.trials]
    later = generator.send(Feed(answers=fed, room=1)).progress
    assert (later.phase, later.n, later.k, later.threshold) == ("main", 4, 0, 20)
    assert later.evalues["holds"] > 1 > later.evalues["fails"]


def test_drive_needs_room() -> None:
    with pytest.raises(ValueError, match="room"):
        drive(plan_verify(), lambda trial: False, room=0)


def test_the_engine_needs_neither_django_nor_a_network() -> None:
    import subprocess

    code = (
        "import sys, manyeyes.engine; print([m for m in ('django', 'socket', 'aiohttp', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
