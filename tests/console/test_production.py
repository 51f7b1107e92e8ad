"""The production log of a reported conversation: held against the report, kept apart, deciding nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.cases import facts, production, reproduction
from manyeyes.replays.models import Trial
from tests.people import SECRET, STEPS, Cast, make_case

As = Callable[[str], Client]
pytestmark = pytest.mark.django_db
LOGGED = f"system: You are Wicket.\nuser: {STEPS}\nassistant: The code is {SECRET}."


def given(**changes: Any) -> dict[str, Any]:
    return {"transcript": LOGGED, "temperature": "1.2", "happened_at": "2026-11-20T08:15", **changes}


def test_a_log_is_held_against_the_report_and_decides_nothing(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged", settings={"temperature": "0.7"})
    address = f"/desk/cases/{case.ref}/log/"
    assert as_("theo").post(address, given(version=str(cast.v2.pk))).status_code == 302
    page = as_("theo").get(address).content.decode()
    assert "The logged user messages are those of the report, word for word." in page
    assert "finds a success in the logged answer" in page
    assert "<td>0.7</td><td>1.2</td>" in page
    assert "production_log" in page
    assert not facts.facts_of(case).reproduced
    assert reproduction.finding(case) is None
    assert not Trial.objects.exists()
    said = events.log(case.subject).filter(kind="log.attached").get()
    assert (said.public, said.data["origin"], said.data["found"]) == (False, "production_log", "success")
    outside = as_("rhea").get(f"/my/{case.ref}/").content.decode()
    assert "production" not in outside
    assert as_("rhea").get(address).status_code == 404


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("user: Something else?\nassistant: No.", "finds no success in the logged answer"),
        ("user: Something else?", "No machine can tell of the logged answer"),
    ],
)
def test_a_log_that_does_not_fit_says_so(cast: Cast, as_: As, transcript: str, words: str) -> None:
    case = make_case(cast, at="triaged")
    address = f"/desk/cases/{case.ref}/log/"
    as_("mina").post(address, given(transcript=transcript, temperature=""))
    page = as_("mina").get(address).content.decode()
    assert "are not those of the report" in page
    assert words in page
    assert "Settings that differ" not in page


def test_the_same_number_written_otherwise_does_not_differ(cast: Cast) -> None:
    case = make_case(cast, at="triaged", settings={"temperature": "0.70", "max_tokens": "48"})
    production.attach(
        case, by=cast.theo, transcript=LOGGED, settings={"temperature": "0.7", "max_tokens": "64", "top_p": "1"}
    )
    (match,) = production.matches(case)
    assert match.differs == (("top_p", "", "1"), ("max_tokens", "48", "64"))


def test_what_cannot_be_a_log_is_refused_with_what_was_typed(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged")
    address = f"/desk/cases/{case.ref}/log/"
    for changes in ({"transcript": ""}, {"transcript": "It told the code."}, {"happened_at": "2126-01-01T00:00"}):
        answer = as_("theo").post(address, given(**changes))
        assert answer.status_code == 422
        assert 'value="1.2"' in answer.content.decode()
    assert as_("aud").post(address, given()).status_code == 403
    assert case.production_logs.count() == 0


def test_what_was_logged_lies_encrypted_and_closed_content_is_not_shown(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="triaged", hazard="iwp")
    production.attach(case, by=cast.theo, transcript=LOGGED, settings={})
    assert SECRET not in as_("theo").get(f"/desk/cases/{case.ref}/log/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("select * from cases_productionlog")
        assert SECRET not in repr(cursor.fetchall())
