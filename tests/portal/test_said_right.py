"""Slips are refused in words that name the field and the mend; floods wait by sender; no dead link at the foot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from manyeyes.cases.models import Case
from manyeyes.programs.models import Program
from tests.people import Cast
from tests.portal.test_pages import sound
from tests.portal.test_report import PAGE, answers

As = Callable[[str], Client]


@pytest.fixture(autouse=True)
def no_limits_before() -> None:
    cache.clear()


@pytest.mark.parametrize(("k", "n"), [("-1", "10"), ("1" * 50, "10"), ("7", "9" * 50), ("many", "10"), ("1.5", "10")])
def test_a_count_that_is_no_number_is_said_to_be_one(cast: Cast, k: str, n: str) -> None:
    page = sound(Client().post(PAGE, answers(cast, claim_k=k, claim_n=n)))
    assert "How often it worked: write two whole numbers, the tries from 1 to 1,000,000" in page
    assert "or that you did not count" not in page


def test_more_than_all_names_the_range(cast: Cast) -> None:
    page = sound(Client().post(PAGE, answers(cast, claim_k="12", claim_n="10")))
    assert "of 10 tries write a number from 0 to 10" in page


def test_what_is_wrong_names_its_field(cast: Cast) -> None:
    page = sound(Client().post(PAGE, answers(cast, conversation="hello", submission="x")))
    assert "The conversation: begin each message" in page
    assert "The number of this form is damaged" in page
    assert "valid UUID" not in page


def test_a_title_that_did_not_arrive_whole_is_refused_and_a_payload_is_told(cast: Cast) -> None:
    answer = Client().post(PAGE, answers(cast, title="caf\ufffd tells"))
    assert answer.status_code == 422
    assert "A title: this arrived with broken characters" in sound(answer)
    raw = Client().post(
        PAGE, "title=caf%E9", content_type="application/x-www-form-urlencoded", headers={"origin": "http://testserver"}
    )
    assert "this arrived with broken characters" in sound(raw)
    seen = sound(Client().post(PAGE, answers(cast, steps="x\ufffdy\ufffd", action="check")))
    assert "Broken characters: 2 places" in seen
    assert "Broken characters" not in sound(Client().post(PAGE, answers(cast, action="check")))


def sent(browser: Client, cast: Cast, *, account: bool) -> bool:
    """Whether a report goes to the queue."""
    given = answers(cast)
    if account:
        del given["identity"]
    assert browser.post(PAGE, given).status_code == 201
    case = Case.objects.order_by("-created_at").first()
    assert case is not None
    return case.deferred_at is None


def test_a_flood_of_strangers_holds_up_nobody_with_an_account(cast: Cast, as_: As, settings: Any) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 1
    assert [sent(Client(), cast, account=False) for _ in range(2)] == [True, False]
    assert [sent(as_("rhea"), cast, account=True) for _ in range(2)] == [True, False], "an account has its own budget"
    assert sent(as_("eve"), cast, account=True)


def test_the_teams_own_reports_never_wait(cast: Cast, as_: As, settings: Any) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 1
    settings.MANYEYES_PROGRAM_REPORTS_PER_HOUR = 0
    assert not sent(as_("rhea"), cast, account=True), "the whole program is flooded"
    assert [sent(as_("theo"), cast, account=True) for _ in range(3)] == [True] * 3


def test_only_where_there_is_a_security_txt_it_is_linked(cast: Cast, as_: As) -> None:
    linked = 'href="/.well-known/security.txt">security.txt</a>\n'
    assert linked in as_("lena").get("/p/wicket/").content.decode()
    Program.objects.update(state=Program.State.PRIVATE)
    assert Client().get("/.well-known/security.txt").status_code == 404
    for path in ("/p/wicket/", "/my/", "/desk/"):
        assert linked not in as_("lena").get(path).content.decode(), path
