"""Corners of the engine's small parts that no replay of ordinary length comes to."""

from __future__ import annotations

from math import exp

import pytest
from scipy import special

from manyeyes.engine import Answer, Cell, Feed, Stream, plan_reproduce, plan_verify, replay
from manyeyes.engine.counted import FixedCount, Reading, name_of
from manyeyes.engine.plan import Outcome
from manyeyes.engine.special import log_betainc
from manyeyes.engine.tally import Tally


@pytest.mark.parametrize(("a", "b", "x"), [(3e5, 4e5, 0.428), (1e6, 1e6, 0.4995), (900_000.5, 0.5, 0.9999991)])
def test_the_incomplete_beta_function_of_very_long_runs(a: float, b: float, x: float) -> None:
    assert exp(log_betainc(x, a, b)) == pytest.approx(special.betainc(a, b, x), rel=1e-6)


def test_an_answer_without_a_text_is_never_a_repeat_under_the_strict_rule() -> None:
    cell, tally = Cell(key="a", wording="a"), Tally(plan_verify(tau=0.05), strict=True)
    for digest in (None, "No.", None, "No.", "Never.", "No."):
        tally.add(cell, Outcome.FAILURE, digest)
    assert tally.supporting == (4, 0)
    tally.add(cell, Outcome.SUCCESS, "No.")
    assert tally.supporting == (5, 1)


def test_under_the_strict_rule_a_repeated_success_brings_nothing_against_a_control() -> None:
    cell, plan = Cell(key="a", wording="a"), plan_reproduce(control=(Cell(key="c"),))
    loose, strict = Tally(plan), Tally(plan, strict=True)
    for index in range(12):
        for tally in (loose, strict):
            tally.add(cell, Outcome.SUCCESS, f"{index % 2}", control=Outcome.FAILURE)
    assert loose.log_evalues()["reproduced"] > strict.log_evalues()["reproduced"]
    assert (loose.supporting, strict.supporting) == ((12, 12), (2, 2))


def test_what_was_read_can_be_read_again() -> None:
    reading = Reading()
    for index, digest in enumerate(("a", None, "a")):
        reading.add(Answer(stream=Stream.MAIN, index=index, outcome=tuple(Outcome)[index], digest=digest))
    assert len(reading) == 3
    assert list(reading) == [
        (Outcome.SUCCESS, name_of("a")),
        (Outcome.FAILURE, None),
        (Outcome.UNDECIDED, name_of("a")),
    ]


def test_many_texts_are_counted_in_portions() -> None:
    count = FixedCount(Cell(key="a"))
    assert count.first_text is None
    for index in range(5000):
        answer = Answer(stream=Stream.SCORE, index=index, outcome=Outcome.FAILURE, digest=str(index % 4999))
        count.add(answer)
    assert (count.n, count.distinct) == (5000, 4999)
    assert count.first_text == hash("0")


def test_without_room_no_trial_is_handed_out() -> None:
    run = replay(plan_verify(tau=0.05))
    next(run)
    assert run.send(Feed(room=0)).trials == ()
    assert run.send(Feed(room=-3)).trials == ()
    assert len(run.send(Feed(room=2)).trials) == 2
