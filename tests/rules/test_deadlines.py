"""Clocks recomputed from the log: what counts, what pauses, what is late."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules.calendars import Calendar
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


def rated(hours: float, band: str) -> Entry:
    return Entry(at=hour(hours), kind="rated", human=True, detail=band)


def test_the_fix_is_due_by_severity() -> None:
    log = [word(24, "move.confirm")]
    assert the("fix", log, 30) is None
    assert running("fix", [rated(20, "Critical"), *log], 30).due == hour(24 + 14 * 24)
    assert the("fix", [rated(20, "High")], 30) is None
    done = running("fix", [rated(20, "Low"), *log, word(100, "move.deploy_fix")], 30 * 24 * 2)
    assert (done.done_at, done.late) == (hour(100), False)


def test_the_kind_of_the_fix_decides_once_somebody_names_it() -> None:
    log = [rated(20, "Critical"), word(24, "move.confirm")]
    kind = Entry(at=hour(30), kind="fix.kind", human=True, public=True, detail="retrain")
    assert running("fix", [*log, kind], 40).due == hour(24 + 120 * 24)
    assert running("fix", [*log, kind], 29).due == hour(24 + 14 * 24)
    unpromised = Promises(kind_days={})
    assert running("fix", [*log, kind], 40, promises=unpromised).due == hour(24 + 14 * 24)


def test_what_becomes_known_after_a_clock_has_ended_moves_it_no_more() -> None:
    log = [rated(20, "Low"), word(24, "move.confirm"), word(1000, "move.deploy_fix")]
    before = running("fix", log, 1001)
    assert not before.late
    assert running("fix", [*log, rated(1002, "Critical")], 5000).due == before.due
    shut = [rated(20, "Low"), word(24, "move.confirm"), word(100, "move.close")]
    stopped = running("fix", shut, 9999)
    assert (stopped.done_at, stopped.stopped_at, stopped.late, stopped.running) == (None, hour(100), False, False)
    assert the("fix", [*shut, word(200, "move.reopen")], 300) is None, "it is confirmed anew, or never"


def test_who_takes_the_report_back_is_owed_no_answer() -> None:
    log = [word(10, "move.withdraw", by_team=False)]
    gone = running("first_answer", log, 999)
    assert (gone.done_at, gone.stopped_at, gone.late, gone.running) == (None, hour(10), False, False)
    assert running("first_answer", [word(60, "move.withdraw", by_team=False)], 999).late
    assert running("first_answer", [*log, word(100)], 999).done_at is None, "a word too many is no late answer"
    assert running("first_answer", [word(5), *log], 999).done_at == hour(5)


def fact(hours: float, kind: str, detail: str = "") -> Entry:
    return Entry(at=hour(hours), kind=kind, human=True, public=True, detail=detail)


def test_a_mitigation_is_owed_at_once_where_the_flaw_is_exploited() -> None:
    assert the("mitigation", [], 5) is None
    log = [fact(0, "exploited")]
    assert running("mitigation", log, 5).due == hour(72)
    assert running("mitigation", [*log, fact(20, "mitigated")], 500).done_at == hour(20)
    assert running("mitigation", [*log, word(30, "move.close")], 500).stopped_at == hour(30)
    shut = [*log, fact(20, "mitigated"), word(30, "move.close"), fact(40, "mitigated")]
    anew = running("mitigation", [*shut, word(50, "move.reopen")], 60)
    assert (anew.started_at, anew.done_at) == (hour(50), None)


def test_a_grave_finding_is_owed_a_mitigation_before_the_fix() -> None:
    log = [rated(20, "High"), word(24, "move.confirm")]
    assert running("mitigation", log, 30).due == hour(24 + 168)
    assert the("mitigation", [rated(20, "Medium"), word(24, "move.confirm")], 30) is None
    assert running("mitigation", [*log, fact(0, "exploited")], 30).due == hour(72), "the sooner of the two"
    fixed = [*log, word(60, "move.deploy_fix")]
    assert running("mitigation", fixed, 70).done_at == hour(60)
    assert running("mitigation", [*fixed, fact(65, "mitigated")], 70).done_at == hour(60)
    assert running("mitigation", [*fixed, word(65, "move.fix_refuted")], 70).done_at is None
    early = running("mitigation", [fact(1, "mitigated"), *log, fact(23, "exploited")], 70)
    assert (early.done_at, early.fraction) == (hour(1), 0.0)


def test_publication_is_free_when_the_policy_says_or_both_sides_agreed() -> None:
    log = [word(24, "move.confirm")]
    assert the("publication", [], 30) is None
    assert running("publication", log, 30).due == hour(90 * 24)
    agreed = [*log, fact(40, "embargo.agreed", hour(500).isoformat())]
    assert running("publication", agreed, 50).due == hour(500)
    assert running("publication", [*agreed, fact(60, "embargo.ended")], 70).due == hour(60)
    assert running("publication", [*agreed, fact(600, "embargo.ended")], 700).due == hour(500)
    assert running("publication", [*agreed, word(60, "move.resolve"), fact(80, "advisory.published")], 99).done_at
    assert the("publication", [*agreed, word(60, "move.close")], 70) is None
    past = [*log, fact(40, "embargo.agreed", hour(-5).isoformat())]
    assert running("publication", past, 50).due == START


def test_a_word_while_the_researcher_owes_an_answer_does_not_start_the_clock_again() -> None:
    log = [word(5, "move.ask_researcher"), word(20)]
    clock = running("next_word", log, 400)
    assert (clock.paused_since, clock.pause, clock.late) == (hour(5), "researcher", False)


def test_a_pause_after_the_end_of_a_promise_heals_nothing() -> None:
    log = [word(250, "move.ask_researcher")]
    late = running("decision", log, 900)
    assert (late.due, late.late) == (hour(240), True)
    log.append(word(800, "move.answer", by_team=False))
    assert running("decision", log, 900).due == hour(240)


BERLIN = Calendar("Europe/Berlin", frozenset(range(5)), frozenset({date(2026, 11, 23)}))


def test_working_days_count_where_the_promise_says_so() -> None:
    by_days = Promises(calendar=BERLIN, working=frozenset({"first_answer", "next_word"}))
    # Friday 19:12 in Berlin: 4 h 48 min are left of it, Monday is a holiday, 43 h 12 min come after Tuesday begins.
    clock = running("first_answer", [], 30, promises=by_days)
    assert clock.due == datetime(2026, 11, 25, 18, 12, tzinfo=UTC)
    assert clock.fraction == pytest.approx(4.8 / 48)
    assert running("decision", [], 30, promises=by_days).due == hour(240), "every other clock counts every hour"
    asked = [word(1, "move.close"), fact(2, "appealed")]
    assert running("appeal", asked, 5, promises=by_days).calendar == BERLIN
    assert running("first_answer", [], 30).calendar is None


def test_a_refuted_fix_was_none_and_the_clock_goes_on_from_the_confirmation() -> None:
    log = [rated(20, "Critical"), word(24, "move.confirm")]
    log += [word(100, "move.deploy_fix"), word(120, "move.fix_refuted")]
    again = running("fix", log, 130)
    assert (again.done_at, again.due) == (None, hour(24 + 14 * 24))
    assert again.running
    assert running("fix", log, 110).done_at == hour(100)
    assert running("fix", log, 500).late
    log.append(word(400, "move.deploy_fix"))
    late = running("fix", log, 500)
    assert (late.done_at, late.late) == (hour(400), True)


def test_entries_after_the_moment_do_not_count_yet() -> None:
    assert running("first_answer", [word(30)], 10).done_at is None


def test_a_promise_of_no_time_is_late_at_once() -> None:
    clock = running("first_answer", [], 1, promises=Promises(first_answer_hours=0))
    assert clock.late
    assert clock.fraction == 1.0


KINDS = ["said", "move.ask_researcher", "move.answer", "move.accept", "move.confirm", "move.close", "move.reopen"]
FIXES = ["move.deploy_fix", "move.fix_refuted"]
KINDS += FIXES
logs = st.lists(st.tuples(st.integers(0, 500), st.sampled_from(KINDS), st.booleans()), max_size=12)


@given(logs, st.integers(0, 600))
def test_any_log_gives_clocks_whose_parts_agree(rows: list[tuple[int, str, bool]], at: int) -> None:
    log = [word(hours, kind, by_team=team) for hours, kind, team in rows]
    for clock in clocks([rated(0, "High"), *log], opened=START, at=hour(at)):
        assert clock.fraction >= 0
        assert clock.late == ((clock.done_at or clock.stopped_at or hour(at)) > clock.due)
        assert not (clock.done_at and clock.paused_since)
        assert not (clock.done_at and clock.stopped_at)
        # Exactly used up and standing still since, it is late only by the hands of the clock.
        assert clock.late >= (clock.fraction > 1 + 1e-12)
        assert clock.fraction >= 1 - 1e-12 or not clock.late


@given(logs)
def test_the_order_of_the_lines_does_not_matter(rows: list[tuple[int, str, bool]]) -> None:
    unique = list({hours: (hours, kind, team) for hours, kind, team in rows}.values())
    log = [word(hours, kind, by_team=team) for hours, kind, team in unique]
    forward = clocks(log, opened=START, at=hour(600))
    assert forward == clocks(log[::-1], opened=START, at=hour(600))


@given(logs)
def test_only_a_fix_that_was_not_refuted_stops_the_clock_of_the_fix(rows: list[tuple[int, str, bool]]) -> None:
    unique = list({hours: (hours, kind, team) for hours, kind, team in rows}.values())
    log = sorted((word(hours, kind, by_team=team) for hours, kind, team in unique), key=lambda entry: entry.at)
    clock = the("fix", [rated(0, "High"), *log], 600)
    opened = max((place for place, entry in enumerate(log) if entry.kind == "move.reopen"), default=-1)
    confirmed = [entry.at for entry in log[opened + 1 :] if entry.kind == "move.confirm"]
    if clock is None:
        assert not confirmed
        return
    assert clock.due == confirmed[0] + timedelta(days=30)
    shut = next((entry.at for entry in log[opened + 1 :] if entry.kind == "move.close"), hour(9999))
    fixes = [entry for entry in log[opened + 1 :] if entry.kind in FIXES and entry.at < shut]
    stands = bool(fixes) and fixes[-1].kind == "move.deploy_fix"
    assert (clock.done_at is not None) == stands
    assert clock.stopped_at == (shut if not stands and shut < hour(9999) else None)
