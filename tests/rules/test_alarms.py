"""The steps of an alarm: when each is due, each once, none for what stands still or is done."""

from __future__ import annotations

from datetime import timedelta

from manyeyes.rules import alarms
from manyeyes.rules.deadlines import Promises, clocks
from tests.rules.test_deadlines import START, hour, word

FIRST = Promises(decision_hours=9000)


def taken_at(hours: float, taken: dict[str, int]) -> list[tuple[str, int]]:
    found = clocks([], opened=START, at=hour(hours), promises=FIRST)
    return [(one.clock.name, one.step) for one in alarms.due(found, taken, hour(hours))]


def test_the_steps_of_48_hours_come_at_36_48_60_and_72() -> None:
    told = {hours: taken_at(hours, {}) for hours in (35, 36, 47, 48, 60, 72)}
    assert told == {
        35: [], 36: [("first_answer", 0)], 47: [("first_answer", 0)], 48: [("first_answer", 1)],
        60: [("first_answer", 2)], 72: [("first_answer", 3)],
    }  # fmt: skip


def test_a_step_is_taken_once_and_the_next_one_waits_at_most_a_day() -> None:
    [first, decision] = clocks([], opened=START, at=hour(40), promises=FIRST)
    run = alarms.run_of(first)
    assert taken_at(40, {run: 0}) == []
    assert alarms.next_at([first], {}) == hour(36)
    assert alarms.next_at([first], {run: 0}) == hour(48)
    assert alarms.next_at([first], {run: 3}) is None
    late = alarms.moments(decision)
    assert late[3] - late[2] == late[2] - late[1] == timedelta(days=1)


def test_what_stands_still_or_is_done_rings_nobody() -> None:
    asked = [word(1, "move.ask_researcher")]
    found = clocks(asked, opened=START, at=hour(999))
    assert alarms.due(found, {}, hour(999)) == []
    assert alarms.next_at(found, {}) is None


def test_a_clock_that_starts_again_rings_again() -> None:
    log = [word(1)]
    [again] = [one for one in clocks([*log, word(50)], opened=START, at=hour(200)) if one.name == "next_word"]
    [before] = [one for one in clocks(log, opened=START, at=hour(49)) if one.name == "next_word"]
    assert alarms.run_of(again) != alarms.run_of(before)
    assert [one.step for one in alarms.due([again], {alarms.run_of(before): 3}, hour(200))] == [0]
