"""The page of the promises: into the draft of the policy, never into what is in force."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from manyeyes.cases.clocks import clocks
from manyeyes.programs import launch, policy
from manyeyes.rules import promises, sharing
from tests import people
from tests.people import Cast

PAGE = "/desk/program/wicket/policy/promises/"


@pytest.fixture
def lena(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.lena)
    return client


def filled(cast: Cast, **changes: object) -> dict[str, object]:
    """The form as the page offers it, with changes."""
    now = policy.editing(cast.program)
    terms = {name: now.terms[name] for name in (*promises.DEFAULTS, *sharing.DEFAULTS)}
    lists = {name: str(terms[name]).split() for name in ("working_days_for", "weekdays")}
    form = {**terms, **lists, "number": now.number, "revision": now.revision, **changes}
    return {name: value for name, value in form.items() if value is not False}


def test_what_is_stored_holds_for_reports_after_it_is_published(cast: Cast, lena: Client) -> None:
    before = people.submit(cast)
    stored = lena.post(PAGE, filled(
        cast, exploited_hours=24, working_days_for=["first_answer"], zone="Europe/Berlin",
        holidays="2026-12-25\n2026-01-01",
    ))  # fmt: skip
    assert stored.status_code == 302
    draft = policy.editing(cast.program)
    assert (draft.terms["exploited_hours"], draft.terms["holidays"]) == (24, "2026-01-01 2026-12-25")
    assert "exploited_hours" not in (cast.program.policy.terms if cast.program.policy else {}) or (
        cast.program.policy is not None and cast.program.policy.terms["exploited_hours"] == 72
    )
    assert draft.row is not None
    policy.publish(draft.row, by=cast.lena)
    after = people.submit(cast, exploited_now=True)
    before.refresh_from_db()
    told = {one.name: one for one in clocks(after)}
    assert told["mitigation"].promised == timedelta(hours=24)
    assert told["first_answer"].calendar is not None
    assert told["first_answer"].calendar.zone == "Europe/Berlin"
    assert next(one for one in clocks(before) if one.name == "first_answer").calendar is None
    page = Client().get(f"/p/wicket/policy/{draft.number}/").content.decode()
    assert "Mitigation within: where exploited 24 hours" in page
    assert "Counted in working days (Mon Tue Wed Thu Fri in Europe/Berlin, less 2 holidays): first answer." in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone": "Wicket"}, "Wicket is no time zone"),
        ({"holidays": "25.12.2026"}, "25.12.2026 is no date"),
        ({"weekdays": []}, "at least one working day"),
        ({"word_hours": 5}, "24"),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_its_field(
    cast: Cast, lena: Client, changes: dict[str, object], said: str
) -> None:
    refused = lena.post(PAGE, filled(cast, **changes))
    assert refused.status_code == 422
    assert said in refused.content.decode()
    assert policy.editing(cast.program).row is None, "nothing was stored"


def test_two_managers_at_once_do_not_overwrite_each_other(cast: Cast, lena: Client) -> None:
    old = filled(cast, word_hours=48)
    assert lena.post(PAGE, filled(cast, word_hours=72)).status_code == 302
    late = lena.post(PAGE, old)
    assert late.status_code == 409
    assert "Somebody else changed the policy" in late.content.decode()
    assert policy.editing(cast.program).terms["word_hours"] == 72


def test_a_day_without_anybody_on_weekends_is_warned_of(cast: Cast, lena: Client) -> None:
    now = policy.editing(cast.program)
    policy.save_draft(
        cast.program, by=cast.lena, number=now.number, revision=now.revision, texts=now.texts,
        terms={**now.terms, "first_response_hours": 24},
    )  # fmt: skip
    assert "promised within 24 hours, but 2 days in a row are off" in lena.get(PAGE).content.decode()
    draft = policy.editing(cast.program).row
    assert draft is not None
    policy.publish(draft, by=cast.lena)
    line = next(row for row in launch.standing(cast.program).lines if row.name == "days_off")
    assert (line.line.state, "2 days in a row" in line.line.missing) == ("missing", True)
    lena.post(PAGE, filled(cast, weekend_rota="on"))
    assert "in a row are off" not in lena.get(PAGE).content.decode()


def test_the_promises_are_the_managers(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.theo)
    assert client.get(PAGE).status_code == 403
