"""Profile, mail key, data to take along, and what becomes of tokens when an account ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.accounts import leaving, tokens
from manyeyes.accounts.models import ApiToken
from manyeyes.cases import personal, triage
from tests import people
from tests.api.conftest import Caller
from tests.api.test_researcher import report
from tests.gnupg import Gnupg
from tests.people import Cast

Calls = Callable[..., Caller]


@pytest.fixture(scope="module")
def public() -> Iterator[str]:
    """A key that mail can be encrypted to."""
    made = Gnupg()
    yield made.make("Rhea <rhea@larkfield.example>")
    made.close()


def test_a_profile_is_read_and_changed_bit_by_bit(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    before = rhea.get("/me/profile").json()
    assert (before["email"], before["handle"]) == (cast.rhea.email, cast.rhea.handle)
    given = {"credit_name": "Rhea K.", "links": ["https://rhea.example"], "zone": "Europe/Berlin", "wants_mail": False}
    after = rhea.post("/me/profile/change", given).json()
    assert after == {**before, **given}
    assert rhea.post("/me/profile/change", {"credit_name": ""}).json() == {**after, "credit_name": ""}
    for wrong in ({"handle": "a b"}, {"zone": "Nowhere"}, {"links": ["http://plain.example"]}, {"language": "xx"}):
        told = rhea.post("/me/profile/change", {"display_name": "Changed", **wrong})
        assert (told.status_code, set(told.json()["fields"])) == (422, set(wrong))
        assert rhea.get("/me/profile").json()["display_name"] == after["display_name"], "all of it or nothing"
    taken = rhea.post("/me/profile/change", {"handle": cast.eve.handle})
    assert set(taken.json()["fields"]) == {"handle"}


def test_a_key_for_mail(cast: Cast, calls: Calls, public: str) -> None:
    rhea = calls("rhea")
    assert rhea.get("/me/profile").json()["openpgp"] is None
    assert set(rhea.post("/me/key", {"openpgp_key": "no key"}).json()["fields"]) == {"openpgp_key"}
    assert rhea.post("/me/key", {"openpgp_key": public}).json()["openpgp"]["fingerprint"]
    assert rhea.post("/me/key/removal").json()["openpgp"] is None
    assert rhea.post("/me/key/removal").status_code == 404


def test_everything_that_is_kept_is_taken_along(cast: Cast, calls: Calls) -> None:
    case = people.submit(cast, own_ref="LS 17")
    people.submit(cast, by=cast.eve, title="Eve's own")
    told = calls("rhea", "export").get("/me/export").json()
    assert told["profile"]["email"] == cast.rhea.email
    assert [row["ref"] for row in told["reports"]] == [case.ref]
    assert told["reports"][0]["report"][0]["own_ref"] == "LS 17"
    assert "Eve's own" not in str(told)
    for scope in ("read", "write", "report", "profile"):
        assert calls("rhea", scope).get("/me/export").status_code == 403
        assert calls("rhea", scope).get("/me/profile").status_code == (200 if scope == "profile" else 403)


def test_a_token_that_hands_out_everything_is_made_only_by_whoever_signed_in_a_moment_ago(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.rhea)
    form = {"name": "backup", "scopes": ["export"], "days": "1"}
    sent = browser.post("/my/tokens/", form)
    assert (sent.status_code, "reauthenticate" in sent["Location"]) == (302, True)
    assert not ApiToken.objects.exists()
    assert browser.post("/my/tokens/", {**form, "scopes": ["read"]}).status_code == 201


def test_a_receipt_has_no_profile(cast: Cast, calls: Calls, public: str) -> None:
    sent = calls("nobody").post(f"/programs/{cast.program.slug}/reports", report(cast, anonymous=True)).json()
    bearer = Caller(calls("nobody").post("/tokens/receipt", {"digits": sent["receipt"]}).json()["token"])
    assert bearer.get("/me/profile").status_code == 404
    assert bearer.post("/me/profile/change", {"handle": "somebody"}).status_code == 404
    assert bearer.post("/me/key", {"openpgp_key": public}).status_code == 404
    assert [row["ref"] for row in bearer.get("/me/export").json()["reports"]] == [sent["ref"]]


@pytest.mark.parametrize("kept_answer", [False, True])
def test_with_an_account_its_tokens_end(cast: Cast, calls: Calls, kept_answer: bool) -> None:
    case, rhea, eve = people.submit(cast), calls("rhea"), calls("eve")
    headers = {"Idempotency-Key": "k"} if kept_answer else {}
    assert rhea.post(f"/cases/{case.ref}/messages", {"text": "A word."}, **headers).status_code == 201
    personal.forget(cast.rhea)
    leaving.end_account(cast.rhea)
    assert not ApiToken.objects.filter(person=cast.rhea).exists()
    assert rhea.get("/me").status_code == 401
    assert rhea.post(f"/cases/{case.ref}/messages", {"text": "A word."}, **headers).status_code == 401
    assert eve.get("/me").status_code == 200, "and nobody else's"


def test_an_account_that_is_blocked_for_a_while_gets_no_token_back_by_hand(cast: Cast, calls: Calls) -> None:
    rhea = calls("rhea")
    cast.rhea.is_active = False
    cast.rhea.save()
    assert rhea.get("/me").status_code == 401
    assert tokens.working(cast.rhea).exists(), "a block can be lifted; the person then decides about their tokens"


def test_leaving_over_the_api_is_leaving_on_the_pages(cast: Cast, calls: Calls) -> None:
    kept, gone = people.submit(cast), people.make_case(cast, at="new")
    triage.withdraw(gone, by=cast.rhea)
    assert calls("rhea", "write").get("/me/deletion/preview").status_code == 403, "it takes a scope of its own"
    rhea = calls("rhea", "leave")
    told = rhea.get("/me/deletion/preview").json()
    assert told["why_not"] == ""
    assert {row["ref"]: row["goes"] for row in told["reports"]} == {kept.ref: False, gone.ref: True}
    unsure = rhea.post("/me/deletion", {"sure": False})
    assert (unsure.status_code, set(unsure.json()["fields"])) == (422, {"sure"})
    sure = {"path": "/me/deletion", "body": {"sure": True}}
    assert rhea.post(sure["path"], sure["body"], headers={"Idempotency-Key": "bye"}).json() == {"left": True}
    assert rhea.post(sure["path"], sure["body"], headers={"Idempotency-Key": "bye"}).status_code == 401
    cast.rhea.refresh_from_db()
    assert (cast.rhea.email, cast.rhea.is_active) == (None, False)
    assert [row.kind for row in events.log(cast.rhea.actor)][-1] == "account.ended"
    assert "reporter.left" in [row.kind for row in events.log(kept.subject)]


def test_who_is_on_a_team_does_not_leave_by_a_call(cast: Cast, calls: Calls) -> None:
    theo = calls("theo", "leave")
    assert "team" in theo.get("/me/deletion/preview").json()["why_not"]
    assert theo.post("/me/deletion", {"sure": True}).status_code == 409
    cast.theo.refresh_from_db()
    assert cast.theo.is_active
