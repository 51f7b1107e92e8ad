"""Promises in figures and their calendar: what may be kept on record, what is read back, what nobody can keep."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta

import pytest

from manyeyes.rules import calendars, promises
from manyeyes.rules.calendars import Calendar, elapsed, longest_gap, midnight, reached, read_calendar
from manyeyes.rules.errors import Invalid
from manyeyes.rules.policy_lint import lint


def test_the_examples_hold() -> None:
    for module in (calendars, promises):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("zone", ("Larkfield/Wicket", "Mon", "")),
        ("weekdays", ("UTC", "", "")),
        ("weekdays", ("UTC", "Mon Funday", "")),
        ("holidays", ("UTC", "Mon", "2026-02-30")),
        ("holidays", ("UTC", "Mon", "25.12.2026")),
        ("holidays", ("UTC", "Mon", " ".join(f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}" for n in range(201)))),
        ("holidays", ("UTC", "Mon", " ".join(f"{date(2026, 1, 5) + timedelta(days=7 * n)}" for n in range(9)))),
    ],
)
def test_a_calendar_that_cannot_be_used_names_the_field(field: str, given: tuple[str, str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_calendar(*given)
    assert list(refused.value.fields) == [field]


def test_a_day_begins_when_the_clocks_of_the_zone_say_so() -> None:
    # Cairo put its clocks forward at midnight on 24 April 2026: the day began at one, and had 23 hours.
    assert midnight(date(2026, 4, 24), "Africa/Cairo") == datetime(2026, 4, 23, 22, tzinfo=UTC)
    length = midnight(date(2026, 4, 25), "Africa/Cairo") - midnight(date(2026, 4, 24), "Africa/Cairo")
    assert length == timedelta(hours=23)


def test_counted_time_is_added_and_measured_alike() -> None:
    calendar = Calendar("America/New_York", frozenset({0, 1, 2, 3, 6}), frozenset({date(2026, 11, 3)}))
    start = datetime(2026, 10, 30, 15, 30, tzinfo=UTC)  # a Friday, which is off there
    due = reached(start, timedelta(hours=60), calendar)
    assert due == datetime(2026, 11, 4, 16, tzinfo=UTC), "Sunday has 25 hours, Tuesday is off"
    assert elapsed(start, due, calendar) == timedelta(hours=60)
    assert elapsed(due, start, calendar) == timedelta()
    assert reached(start, timedelta(), calendar) == start
    assert elapsed(start, due, None) == due - start


def test_the_longest_run_of_days_off_joins_holidays_and_weekends() -> None:
    assert longest_gap(Calendar()) == 2
    assert longest_gap(Calendar(weekdays=frozenset(range(7)))) == 0
    assert longest_gap(Calendar(holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))) == 4


def test_a_promise_that_the_days_off_make_impossible_is_said_so() -> None:
    assert promises.unkept({"first_response_hours": 48}) == ""
    assert "24 hours, but 2 days in a row" in promises.unkept({"first_response_hours": 24})
    assert promises.unkept({"first_response_hours": 24, "weekend_rota": True}) == ""
    assert promises.unkept({"first_response_hours": 24, "working_days_for": "first_answer"}) == ""
    assert "4 days" in promises.unkept({"first_response_hours": 48, "holidays": "2026-04-03 2026-04-06"})


def test_the_linter_warns_of_it_beside_the_figures() -> None:
    said = {"safe_harbor": "We will not sue you."}
    found = lint(said, terms={"first_response_hours": 24}).findings
    assert [(one.level, one.section) for one in found if one.code == "figures.days_off"] == [("warning", "figures")]
    kept = lint(said, terms={"first_response_hours": 24, "weekend_rota": True}).findings
    assert not [one for one in kept if one.code == "figures.days_off"]


def test_what_cannot_be_promised_names_each_field() -> None:
    assert promises.wrong_with(promises.DEFAULTS) == {}
    wrong = promises.wrong_with({"exploited_hours": "soon", "working_days_for": "mitigation", "zone": "Wicket"})
    assert set(wrong) == {"exploited_hours", "working_days_for", "zone"}


def test_a_version_that_kept_nothing_promises_the_usual() -> None:
    usual = promises.read({})
    assert (usual.word_hours, usual.exploited_hours, usual.fix_days["None"]) == (168, 72, 90)
    assert usual.calendar_of("decision") is None
    kept = promises.read({"working_days_for": "decision", "fix_days_low": 7, "decision_hours": 24})
    assert (kept.fix_days["None"], kept.decision_hours) == (7, 24)
    assert kept.calendar_of("decision") == Calendar()


def test_promises_are_told_in_sentences() -> None:
    told = promises.sentences(promises.DEFAULTS)
    assert told == [
        "Next word to the researcher: within 7 days",
        "Mitigation within: where exploited 3 days, of Critical and High 7 days",
        "Days to a fix: Critical 14, High 30, Medium 60, Low 90",
        "Days to a fix by its kind: prompt or settings 14, filter 30, training 120, maker of a part 90",
    ]
    assert promises.sentences({"word_hours": 30}) == ["Next word to the researcher: within 30 hours"]
    off = Calendar(holidays=frozenset({date(2026, 12, 25)}))
    assert promises.counted_words(off) == "working days Mon Tue Wed Thu Fri in UTC, less 1 holiday"
