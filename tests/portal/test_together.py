"""Who reports a case together: named on the receipt and at the desk; an invitation nobody answers is erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.accounts import receipts
from manyeyes.cases import claiming, coreporters
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, NotFound
from tests.people import Cast, submit
from tests.portal.test_report import PAGE, answers

As = Callable[[str], Client]


def test_the_receipt_names_who_was_invited(cast: Cast) -> None:
    sent = Client().post(PAGE, answers(cast, co_reporters="eve_x, <b>nobody</b>"))
    page = sent.content.decode()
    assert sent.status_code == 201
    assert "Invited to report it with you:" in page
    assert "<b>eve_x</b>, <b>&lt;b&gt;nobody&lt;/b&gt;</b>" in page
    assert "Invited to report" not in Client().post(PAGE, answers(cast)).content.decode()


def test_the_desk_sees_who_reports_it_too_and_who_was_only_invited(cast: Cast, as_: As) -> None:
    case = submit(cast, co_reporters=("eve_x", "nobody_here"))
    coreporters.invite(case, by=cast.rhea)
    head = as_("theo").get(f"/desk/cases/{case.ref}/").content.decode()
    for words in ("eve_x was invited to report it too", "nobody_here was invited", "invited to report it too, by link"):
        assert words in head
    coreporters.accept(coreporters.waiting_for(cast.eve)[0], by=cast.eve)
    assert f"and by <b>{cast.eve.name}</b>" in as_("theo").get(f"/desk/cases/{case.ref}/").content.decode()


def test_a_claimed_receipt_is_no_further_reporter(cast: Cast) -> None:
    bearer, _digits = receipts.new_bearer()
    case = submit(cast, by=bearer)
    claiming.claim(bearer, by=cast.rhea, end_receipt=True)
    case.refresh_from_db()
    assert case.reporter == cast.rhea
    assert claiming.beside(case) == []


def test_an_invitation_that_nobody_answers_ends_and_names_nobody_any_more(cast: Cast, as_: As) -> None:
    case = submit(cast, co_reporters=("eve_x", "nobody_here"))
    secret = coreporters.invite(case, by=cast.rhea)
    coreporters.invite(case, by=cast.rhea, handle="theo_l")
    assert "ends after 30 days" in as_("rhea").get(f"/my/{case.ref}/people/").content.decode()
    with clock.freeze(clock.now() + coreporters.LASTS - timedelta(minutes=1)):
        assert coreporters.sweep() == 0
        (open_one,) = coreporters.waiting_for(cast.eve)
        assert coreporters.by_link(secret)
    with clock.freeze(clock.now() + coreporters.LASTS):
        assert coreporters.waiting_for(cast.eve) == []
        assert not coreporters.standing(case)
        with pytest.raises(NotFound):
            coreporters.by_link(secret)
        with pytest.raises(Conflict):
            coreporters.accept(open_one, by=cast.eve)
        assert (coreporters.sweep(), coreporters.sweep()) == (4, 0)
        page = as_("rhea").get(f"/my/{case.ref}/").content.decode()
    assert [row.named for row in case.co_reporters.all()] == [None] * 4
    assert [row.kind for row in events.log(case.subject)].count("co_reporter.expired") == 4
    assert "ended an invitation that nobody answered" in page
