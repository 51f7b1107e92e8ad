"""The clocks as people read them: on the desk, in the queue, on the researcher's page; recounted on the public one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import conversation, remediation, triage
from manyeyes.cases.clocks import clocks
from manyeyes.programs import policy
from manyeyes.publications.figures import first_responses
from manyeyes.rules import clock
from tests.journeys.test_conversation_kept import as_, words
from tests.people import Cast, make_case, submit

FRIDAY = datetime(2026, 11, 20, 18, 12, tzinfo=UTC)


def promise(cast: Cast, **terms: Any) -> None:
    """Put other promises into force."""
    now = policy.editing(cast.program)
    row = policy.save_draft(
        cast.program, by=cast.lena, number=now.number, revision=now.revision, texts=now.texts,
        terms={**now.terms, **terms},
    )  # fmt: skip
    policy.publish(row, by=cast.lena)
    cast.program.refresh_from_db()


@pytest.fixture
def working(cast: Cast) -> Cast:
    """Larkfield counts working days in Berlin, and Monday the 23rd is off."""
    promise(cast, working_days_for="first_answer decision", zone="Europe/Berlin", holidays="2026-11-23")
    return cast


def test_working_days_are_told_to_both_sides_with_the_moment_they_end(working: Cast) -> None:
    with clock.freeze(FRIDAY):
        case = submit(working)
        mine, desk = words(as_(working.rhea), f"/my/{case.ref}/"), words(as_(working.theo), f"/desk/cases/{case.ref}/")
        queue, program = words(as_(working.theo), "/desk/"), words(Client(), "/p/wicket/")
    for page in (mine, desk):
        assert "Wed 25 Nov 2026, 18:12 UTC" in page
        assert "counted in working days Mon Tue Wed Thu Fri in Europe/Berlin, less 1 holiday" in page
        assert "some count working days" in page
    assert "First answer by a person: within 48 hours" in mine
    assert "These promises stay as they were when you sent it." in mine
    assert "First human answer, working days" in queue
    assert "answered; counted in working days Mon Tue Wed Thu Fri in Europe/Berlin" in program


def test_the_page_before_sending_names_the_moment_that_the_case_then_has(working: Cast) -> None:
    with clock.freeze(FRIDAY):
        assert "Wed 25 Nov 2026, 18:12 UTC" in words(as_(working.rhea), "/p/wicket/report/")


def test_an_answer_on_the_next_working_day_is_in_time_on_the_public_page(working: Cast) -> None:
    with clock.freeze(FRIDAY):
        case = submit(working)
        clock.advance(timedelta(hours=100))
        conversation.say(case, by=working.theo, text="I have read it.", public=True)
        found = first_responses(working.program)
        [first] = [one for one in clocks(case) if one.name == "first_answer"]
    assert (found.in_time, found.late, found.answers) == (1, 0, [(100.0, True)])
    assert not first.late, "the page says what the log says"


def test_a_report_keeps_its_promise_on_the_public_page_when_the_program_promises_less(cast: Cast) -> None:
    with clock.freeze(FRIDAY):
        case = submit(cast)
        promise(cast, first_response_hours=24)
        clock.advance(timedelta(hours=30))
        conversation.say(case, by=cast.theo, text="I have read it.", public=True)
        assert first_responses(cast.program).answers == [(30.0, True)]


def test_late_and_ended_and_waiting_are_told_in_words(cast: Cast) -> None:
    with clock.freeze(FRIDAY):
        late, gone = submit(cast), submit(cast)
        triage.withdraw(gone, by=cast.rhea)
        clock.advance(timedelta(hours=51))
        for path in (f"/my/{late.ref}/", f"/desk/cases/{late.ref}/"):
            assert "3 h late" in words(as_(cast.rhea if "/my/" in path else cast.theo), path)
        for who, path in ((cast.rhea, f"/my/{gone.ref}/"), (cast.theo, f"/desk/cases/{gone.ref}/")):
            page = words(as_(who), path)
            assert "no longer owed" in page
            assert "the case ended" in page
        triage.ask_researcher(late, by=cast.theo, text="Which version?")
        assert "waiting for your answer" in words(as_(cast.rhea), f"/my/{late.ref}/")
        assert "waiting for rhea_k" in words(as_(cast.theo), f"/desk/cases/{late.ref}/")


def test_the_team_says_what_kind_of_fix_it_takes_and_both_sides_read_it(cast: Cast) -> None:
    case = make_case(cast, at="confirmed")
    olga = as_(cast.olga)
    assert "What kind of fix does it take?" in words(olga, f"/desk/cases/{case.ref}/")
    sent = olga.post(f"/desk/cases/{case.ref}/fact/", {"what": "fix_kind", "kind": "retrain"})
    assert sent.status_code == 302
    for client, path in ((olga, f"/desk/cases/{case.ref}/"), (as_(cast.rhea), f"/my/{case.ref}/")):
        assert "said what kind of fix it takes: training the model again" in words(client, path)
    assert next(one for one in clocks(case) if one.name == "fix").promised == timedelta(days=120)


def test_a_mitigation_is_seen_running_and_kept(cast: Cast) -> None:
    case = make_case(cast, at="new", exploited_now=True)
    assert "Mitigation" in words(as_(cast.rhea), f"/my/{case.ref}/").partition("What you can expect")[2][:3000]
    remediation.mitigated(case, by=cast.olga, words="The tool is switched off.")
    answer = as_(cast.rhea).get(f"/my/{case.ref}/").content.decode()
    assert "The tool is switched off." not in answer
