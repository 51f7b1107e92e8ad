"""Everybody who reports a case says for themselves how they are thanked and which share they ask for, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from manyeyes.accounts import receipts
from manyeyes.cases import claiming, coreporters
from manyeyes.cases.models import Case
from manyeyes.publications import advisory, credit, hall
from tests.people import Cast, make_case

As = Callable[[str], Client]


@pytest.fixture
def shared(cast: Cast) -> Case:
    """A resolved case that rhea sent and eve reports with her."""
    case = make_case(cast, at="resolved")
    coreporters.invite(case, by=cast.rhea, handle=cast.eve.handle)
    coreporters.accept(coreporters.waiting_for(cast.eve)[0], by=cast.eve)
    return case


def choose(browser: Client, case: Case, mode: str, **more: Any) -> Any:
    return browser.post(f"/my/{case.ref}/credit/", {"mode": mode, "name": "", "link": "", **more})


def published(cast: Cast, case: Case) -> str:
    """The address of the advisory."""
    advisory.draft(case, by=cast.pia, title="The code was told", summary="Anybody could ask for it.")
    return f"/advisories/{advisory.publish(case, by=cast.pia).slug}/"


def test_each_chooses_and_the_public_reads_both(cast: Cast, as_: As, shared: Case) -> None:
    link = {"name": "Rhea K.", "link": "https://rhea.example/", "share": "60"}
    assert choose(as_("rhea"), shared, "name", **link).status_code == 302
    assert choose(as_("eve"), shared, "handle", share="40").status_code == 302
    page = as_("nobody").get(published(cast, shared)).content.decode()
    assert '<a href="https://rhea.example/" rel="nofollow noopener">Rhea K.</a>, eve_x' in page
    thanks = as_("nobody").get("/thanks/").content.decode()
    assert "Rhea K." in thanks
    assert "eve_x" in thanks
    assert "60" not in page.partition("Found by")[2].partition("</dd>")[0], "no share is public"
    choose(as_("eve"), shared, "anonymous")
    page = as_("nobody").get("/thanks/").content.decode()
    assert "eve_x" not in page
    assert credit.UNNAMED in page
    assert "Rhea K." in page, "nobody chose for her"


def test_who_wants_no_mention_gets_none_whatever_the_other_wants(cast: Cast, as_: As, shared: Case) -> None:
    choose(as_("rhea"), shared, "none")
    choose(as_("eve"), shared, "handle")
    page = as_("nobody").get(published(cast, shared)).content.decode()
    assert "eve_x" in page
    assert "rhea_k" not in page
    assert [line.name for line in hall.of_fame(cast.program)] == ["eve_x"]


@pytest.mark.parametrize(
    ("asked", "status"), [("40", 302), ("0", 302), ("", 302), ("41", 422), ("101", 422), ("-1", 422)]
)
def test_all_shares_together_come_to_a_hundred_at_most(
    cast: Cast, as_: As, shared: Case, asked: str, status: int
) -> None:
    choose(as_("rhea"), shared, "handle", share="60")
    answer = choose(as_("eve"), shared, "handle", share=asked)
    assert answer.status_code == status
    chosen = credit.of(shared, cast.eve)
    assert (chosen is not None) is (status == 302)
    if status == 422:
        assert "There is a problem" in answer.content.decode()
        assert f'value="{asked}"' in answer.content.decode(), "what was typed stays"
    assert choose(as_("rhea"), shared, "handle", share="60").status_code == 302, (
        "one's own share does not stand in the way"
    )


def test_they_see_what_the_other_asks_for_and_the_team_sees_both(cast: Cast, as_: As, shared: Case) -> None:
    choose(as_("rhea"), shared, "name", name="Rhea K.", share="60")
    assert "rhea_k asks for 60 %." in as_("eve").get(f"/my/{shared.ref}/credit/").content.decode()
    desk = as_("pia").get(f"/desk/cases/{shared.ref}/advisory/").content.decode()
    assert "asks for 60 % of a reward" in desk
    assert "eve_x" not in desk, "she has not chosen yet"


def test_who_reports_alone_is_asked_for_no_share(cast: Cast, as_: As) -> None:
    case = make_case(cast)
    assert "share" not in as_("rhea").get(f"/my/{case.ref}/credit/").content.decode()


def test_nobody_chooses_for_another(cast: Cast, as_: As, shared: Case) -> None:
    assert choose(as_("theo"), shared, "handle").status_code == 404
    choose(as_("eve"), shared, "handle")
    assert credit.of(shared, cast.rhea) is None


def test_who_left_the_report_is_thanked_no_more(cast: Cast, as_: As, shared: Case) -> None:
    choose(as_("rhea"), shared, "handle")
    choose(as_("eve"), shared, "handle", share="70")
    assert {line.name for line in hall.of_fame(cast.program)} == {"rhea_k", "eve_x"}
    invitation = shared.co_reporters.get(person=cast.eve)
    as_("eve").post(f"/my/{shared.ref}/people/", {"action": f"end:{invitation.pk}"})
    assert {line.name for line in hall.of_fame(cast.program)} == {"rhea_k"}
    assert credit.bylines(shared) == [("rhea_k", "")]
    assert credit.choose(shared, by=cast.rhea, mode="handle", share=100).share == 100, "their share is free again"


def test_a_choice_made_with_a_receipt_goes_along_into_the_account(cast: Cast, as_: As) -> None:
    case = make_case(cast, at="confirmed")
    bearer, digits = receipts.new_bearer()
    Case.objects.filter(pk=case.pk).update(reporter=bearer)
    case.refresh_from_db()
    browser = as_("nobody")
    browser.post("/return/", {"digits": digits})
    assert choose(browser, case, "name", name="R. K.").status_code == 302
    claiming.claim(bearer, by=cast.rhea, end_receipt=False)
    case.refresh_from_db()
    assert 'value="R. K."' in as_("rhea").get(f"/my/{case.ref}/credit/").content.decode()
    choose(as_("rhea"), case, "handle")
    assert credit.bylines(case) == [("rhea_k", "")], "one human, one line"
