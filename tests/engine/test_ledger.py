"""The ledger: answers in any order, no contradictions, and nothing kept of what was read but its outcome."""

from __future__ import annotations

import pytest

from manyeyes.engine.counted import FixedCount, Reading, name_of
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Answer, Cell, Outcome, Plan, Question, Stream
from manyeyes.engine.schedule import Layout

YES, NO, DOUBT = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNDECIDED


def answer(index: int, outcome: Outcome = NO, digest: str | None = "a") -> Answer:
    return Answer(stream=Stream.MAIN, index=index, outcome=outcome, digest=digest)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Layout(Plan(question=Question.REPRODUCE, cap=50)))


def test_an_answer_that_was_read_is_gone_but_its_outcome_is_not(ledger: Ledger) -> None:
    ledger.take([answer(2), answer(0, YES)])
    assert ledger.get(Stream.MAIN, 0) == answer(0, YES)
    ledger.drop(Stream.MAIN, 0)
    assert ledger.get(Stream.MAIN, 0) is None
    assert (ledger.outcome(Stream.MAIN, 0), ledger.outcome(Stream.MAIN, 1)) == (YES, None)
    ledger.take([answer(0, YES, digest="b")])
    assert ledger.get(Stream.MAIN, 0) is None, "an answer that was read does not come back"
    with pytest.raises(ValueError, match="main:0: already on record as success, now failure"):
        ledger.take([answer(0, NO)])
    with pytest.raises(ValueError, match="main:50: the plan has 50 trials"):
        ledger.take([answer(50)])
    assert (ledger.asked, ledger.total, ledger.answered(Stream.MAIN)) == (2, 2, 2)


def test_what_comes_next_is_found_without_walking(ledger: Ledger) -> None:
    assert ledger.ahead(Stream.MAIN, 0) == 0
    given = ledger.hand_out(iter([(Stream.MAIN, index) for index in range(10)]), 3)
    assert [trial.index for trial in given] == [0, 1, 2]
    ledger.take([answer(3), answer(5)])
    assert [ledger.ahead(Stream.MAIN, start) for start in (0, 4, 5, 9)] == [4, 4, 6, 9]
    assert [trial.index for trial in ledger.hand_out(iter([(Stream.MAIN, i) for i in range(10)]), 2)] == [4, 6]
    assert ledger.hand_out(iter([(Stream.MAIN, 9)]), 0) == ()
    assert (ledger.asked, ledger.total) == (7, 2)


@pytest.mark.parametrize("repeats", [1, 1_700])
def test_distinct_texts_are_counted_whole_or_in_portions(repeats: int) -> None:
    count = FixedCount(Cell(key="c"))
    for text in range(3 * repeats):
        count.add(answer(text, (YES, NO, DOUBT)[text % 3], digest=f"text {text // 2}"))
    assert (count.n, count.k, count.undecided) == (3 * repeats, repeats, repeats)
    assert count.distinct == (3 * repeats + 1) // 2
    count.add(answer(0, digest=None))
    assert count.distinct is None


def test_a_reading_tells_texts_apart_and_knows_where_there_was_none() -> None:
    reading = Reading()
    for index, digest in enumerate(["a", "b", None, "a"]):
        reading.add(answer(index, DOUBT if index == 1 else YES, digest=digest))
    rows = list(reading)
    assert len(reading) == 4
    assert [row[0] for row in rows] == [YES, DOUBT, YES, YES]
    assert [row[1] for row in rows] == [name_of("a"), name_of("b"), None, name_of("a")]
    assert name_of("a") != name_of("b")
