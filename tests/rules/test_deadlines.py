"""Clocks recomputed from the log: what counts, what pauses, what is late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.deadlines import Clock, Entry, Promises, clocks

START = datetime(2026, 11, 20, 18, 12, tzinfo=UTC)


def hour(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def word(hours: float, kind: str = "said", **flags: bool) -> Entry:
    return Entry(at=hour(hours), kind=kind, **{"human": True, "public": True, "by_team": True, **flags})


def the(name: str, log: list[Entry], at: float, **options: object) -> Clock | None:
    found = {clock.name: clock for clock in clocks(log, opened=START, at=hour(at), **options)}  # type: ignore[arg-type]
    return found.get(name)


def running(name: str, log: list[Entry], at: float, **options: object) -> Clock:
    clock = the(name, log, at, **options)
    assert clock is not None
    return clock


def test_a_new_case_owes_an_answer_and_a_decision() -> None:
    found = clocks([], opened=START, at=hour(24))
    assert [clock.name for clock in found] == ["first_answer", "decision"]
    assert found[0].due == hour(48)
    assert found[0].fraction == 0.5
    assert found[0].running
    assert found[1].due == hour(240)


@pytest.mark.parametrize("flag", ["human", "public", "by_team"])
def test_only_a_public_word_of_a_person_of_the_team_is_an_answer(flag: str) -> None:
    clock = running("first_answer", [word(1, **{flag: False})], 2)
    assert clock.done_at is None
    assert running("first_answer", [word(1)], 2).done_at == hour(1)


def test_an_answer_in_time_is_never_late_afterwards_and_a_late_one_stays_late() -> None:
    assert not running("first_answer", [word(47)], 400).late
    assert running("first_answer", [word(49)], 400).late
    assert running("first_answer", [], 49).late
    assert running("first_answer", [], 49).fraction > 1


def test_a_question_pauses_the_decision() -> None:
    log = [word(10, "move.ask_researcher")]
    paused = running("decision", log, 500)
    assert paused.paused_since == hour(10)
    assert not paused.late
    assert not paused.running
    assert paused.fraction == pytest.approx(10 / 240)
    log.append(word(110, "move.answer", by_team=False))
    resumed = running("decision", log, 500)
    assert resumed.paused_since is None
    assert resumed.due == hour(340)
    assert resumed.late
    assert running("decision", log, 330).fraction == pytest.approx(230 / 240)


def test_accepting_ends_the_pause_and_a_second_question_does_not_restart_it() -> None:
    log = [word(10, "move.ask_researcher"), word(12, "move.ask_researcher"), word(20, "move.accept")]
    assert running("decision", log, 30).due == hour(250)


def test_a_decision_ends_the_clock_even_out_of_a_pause() -> None:
    log = [word(10, "move.ask_researcher"), word(300, "move.close")]
    clock = running("decision", log, 400)
    assert (clock.done_at, clock.late, clock.paused_since) == (hour(300), False, None)
    assert running("decision", [word(5, "move.confirm")], 9).done_at == hour(5)


def test_reopening_starts_the_decision_anew() -> None:
    log = [word(10, "move.close"), word(100, "move.reopen")]
    clock = running("decision", log, 150)
    assert (clock.done_at, clock.due) == (None, hour(340))


def test_the_next_word_is_owed_while_the_case_is_open() -> None:
    assert the("next_word", [], 5) is None
    assert running("next_word", [word(5)], 10).due == hour(173)
    assert running("next_word", [word(5), word(50)], 60).due == hour(218)
    assert the("next_word", [word(5), word(50, "move.close")], 60) is None
    assert the("next_word", [word(5), word(50, "move.resolve")], 60) is None
    reopened = [word(5), word(50, "move.close"), word(80, "move.reopen")]
    assert running("next_word", reopened, 90).due == hour(248)


def test_the_next_word_pauses_while_the_researcher_owes_an_answer() -> None:
    log = [word(5, "move.ask_researcher")]
    assert running("next_word", log, 400).paused_since == hour(5)
    log.append(word(105, "move.answer", by_team=False))
    assert running("next_word", log, 110).due == hour(5 + 168 + 100)


def test_the_fix_is_due_by_severity() -> None:
    log = [word(24, "move.confirm")]
    assert the("fix", log, 30) is None
    assert running("fix", log, 30, band="Critical").due == hour(24 + 14 * 24)
    assert the("fix", [], 30, band="High") is None
    done = running("fix", [*log, word(100, "move.deploy_fix")], 30 * 24 * 2, band="Low")
    assert (done.done_at, done.late) == (hour(100), False)


def test_a_refuted_fix_was_none_and_the_clock_goes_on_from_the_confirmation() -> None:
    log = [word(24, "move.confirm"), word(100, "move.deploy_fix"), word(120, "move.fix_refuted")]
    again = running("fix", log, 130, band="Critical")
    assert (again.done_at, again.due) == (None, hour(24 + 14 * 24))
    assert again.running
    assert running("fix", log, 110, band="Critical").done_at == hour(100)
    assert running("fix", log, 500, band="Critical").late
    log.append(word(400, "move.deploy_fix"))
    late = running("fix", log, 500, band="Critical")
    assert (late.done_at, late.late) == (hour(400), True)


def test_entries_after_the_moment_do_not_count_yet() -> None:
    assert running("first_answer", [word(30)], 10).done_at is None


def test_a_promise_of_no_time_is_late_at_once() -> None:
    clock = running("first_answer", [], 1, promises=Promises(first_answer_hours=0))
    assert clock.late
    assert clock.fraction == 1.0


KINDS = ["said", "move.ask_researcher", "move.answer", "move.accept", "move.confirm", "move.close", "move.reopen"]
KINDS += ["move.deploy_fix", "move.fix_refuted"]
logs = st.lists(st.tuples(st.integers(0, 500), st.sampled_from(KINDS), st.booleans()), max_size=12)


@given(logs, st.integers(0, 600))
def test_any_log_gives_clocks_whose_parts_agree(rows: list[tuple[int, str, bool]], at: int) -> None:
    log = [word(hours, kind, by_team=team) for hours, kind, team in rows]
    for clock in clocks(log, opened=START, at=hour(at), band="High"):
        assert clock.fraction >= 0
        assert clock.late == ((clock.done_at or hour(at)) > clock.due)
        assert not (clock.done_at and clock.paused_since)
        assert clock.late == (clock.fraction > 1 + 1e-12)


@given(logs)
def test_the_order_of_the_lines_does_not_matter(rows: list[tuple[int, str, bool]]) -> None:
    unique = list({hours: (hours, kind, team) for hours, kind, team in rows}.values())
    log = [word(hours, kind, by_team=team) for hours, kind, team in unique]
    forward = clocks(log, opened=START, at=hour(600), band="High")
    assert forward == clocks(log[::-1], opened=START, at=hour(600), band="High")


@given(logs)
def test_only_a_fix_that_was_not_refuted_stops_the_clock_of_the_fix(rows: list[tuple[int, str, bool]]) -> None:
    unique = list({hours: (hours, kind, team) for hours, kind, team in rows}.values())
    log = sorted((word(hours, kind, by_team=team) for hours, kind, team in unique), key=lambda entry: entry.at)
    clock = the("fix", log, 600, band="High")
    confirmed = [entry.at for entry in log if entry.kind == "move.confirm"]
    if clock is None:
        assert not confirmed
        return
    assert clock.due == confirmed[-1] + timedelta(days=30)
    refuted = [entry.at for entry in log if entry.kind == "move.fix_refuted" and entry.at > confirmed[-1]]
    since = refuted[-1] if refuted else confirmed[-1]
    ended = [entry.at for entry in log if entry.kind in ("move.deploy_fix", "move.close") and entry.at > since]
    assert clock.done_at == (ended[0] if ended else None)
