"""What the bearer of a receipt meets: straight to the one case, and no handle where there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from manyeyes.accounts.models import Person
from manyeyes.cases import intake
from manyeyes.publications import credit
from tests.people import Cast, make_case, make_report

As = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def bearer(cast: Cast) -> tuple[Person, str, str]:
    """Somebody who reported without an account: who, their digits, the case's reference."""
    sent = intake.submit(cast.program, make_report(cast, anonymous=True), by=None)
    assert sent.receipt
    return sent.case.reporter, sent.receipt, sent.case.ref


def test_the_receipt_of_one_case_opens_it(cast: Cast) -> None:
    person, digits, ref = bearer(cast)
    assert Client().post("/return/", {"digits": digits})["Location"] == f"/my/{ref}/"
    intake.submit(cast.program, make_report(cast), by=person)
    assert Client().post("/return/", {"digits": digits})["Location"] == "/my/"


def test_a_bearer_is_not_offered_a_handle(cast: Cast, as_: As) -> None:
    _, digits, ref = bearer(cast)
    browser = Client()
    browser.post("/return/", {"digits": digits})
    assert b"By my handle" not in browser.get(f"/my/{ref}/credit/").content
    refused = browser.post(f"/my/{ref}/credit/", {"mode": "handle", "name": "x"})
    assert refused.status_code == 422
    assert browser.post(f"/my/{ref}/credit/", {"mode": "name", "name": "A friend"}).status_code == 302
    own = make_case(cast)
    assert credit.of(own, own.reporter) is None
    assert b"By my handle" in as_("rhea").get(f"/my/{own.ref}/credit/").content
