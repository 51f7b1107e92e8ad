"""Further reporters, invitations, a receipt to claim, the own words mended, mail muted: over the API alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from manyeyes import events
from manyeyes.cases.models import CoReporter
from manyeyes.rules import clock
from tests import people
from tests.api.conftest import Caller
from tests.api.test_researcher import report
from tests.people import Cast

Calls = Callable[..., Caller]
KEY = "Idempotency-Key"


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["items"]]


def test_by_handle(cast: Cast, calls: Calls) -> None:
    case, rhea, eve = people.submit(cast), calls("rhea"), calls("eve")
    one = f"/cases/{case.ref}/people"
    known = rhea.post(f"{one}/handle", {"handle": cast.eve.handle})
    unknown = rhea.post(f"{one}/handle", {"handle": "nobody_has_it"})
    assert (known.status_code, unknown.status_code) == (201, 201)
    assert names(rhea.get(one)) == [cast.eve.handle, "nobody_has_it"]
    again = [rhea.post(f"{one}/handle", {"handle": name}) for name in (cast.eve.handle.upper(), "NOBODY_has_it")]
    assert again[0].content == again[1].content, "naming twice tells of nobody whether they have an account"
    (waiting,) = eve.get("/invitations").json()["items"]
    assert people.TITLE not in str(waiting)
    assert eve.get(f"/cases/{case.ref}").status_code == 404
    assert calls("theo").post(f"/invitations/{waiting['id']}/acceptance").status_code == 404
    assert eve.post(f"/invitations/{waiting['id']}/acceptance").json()["ref"] == case.ref
    assert eve.get(f"/cases/{case.ref}").json()["title"] == people.TITLE
    row = next(one for one in eve.get(one).json()["items"] if one["accepted_at"])
    other = next(one for one in eve.get(one).json()["items"] if not one["accepted_at"])
    assert (row["may_end"], other["may_end"]) == (True, False)
    assert eve.post(f"{one}/{other['id']}/end").status_code == 403
    assert eve.post(f"{one}/{row['id']}/end").json() == {"items": []}
    assert eve.get(f"/cases/{case.ref}").status_code == 404
    assert names(rhea.post(f"{one}/{other['id']}/end")) == []


def test_declined(cast: Cast, calls: Calls) -> None:
    case, eve = people.submit(cast), calls("eve")
    calls("rhea").post(f"/cases/{case.ref}/people/handle", {"handle": cast.eve.handle})
    (waiting,) = eve.get("/invitations").json()["items"]
    assert eve.post(f"/invitations/{waiting['id']}/refusal").json() == {"id": waiting["id"]}
    assert eve.get("/invitations").json() == {"items": []}
    assert eve.post(f"/invitations/{waiting['id']}/acceptance").status_code == 404


def test_by_link(cast: Cast, calls: Calls) -> None:
    case, rhea, eve = people.submit(cast), calls("rhea"), calls("eve")
    one = f"/cases/{case.ref}/people/link"
    link = rhea.post(one, {}, **{KEY: "k"}).json()["link"]
    assert rhea.post(one, {}, **{KEY: "k"}).json()["link"] == link, "a resend makes no second one"
    assert CoReporter.objects.count() == 1
    assert eve.post("/invitations/join", {"link": link}).json()["ref"] == case.ref
    assert eve.post("/invitations/join", {"link": link}).status_code == 201, "a lost answer can be asked for again"
    assert calls("theo").post("/invitations/join", {"link": link}).status_code == 404
    assert calls("nobody").post("/invitations/join", {"link": "claimed:x"}).status_code == 404
    other = rhea.post(one).json()["link"]
    assert rhea.post("/invitations/join", {"link": other}).status_code == 409
    joined = calls("nobody").post("/invitations/join", {"link": other}).json()
    token = calls("nobody").post("/tokens/receipt", {"digits": joined["receipt"]}).json()["token"]
    assert Caller(token).get(f"/cases/{case.ref}").status_code == 200
    assert calls("nobody").post("/invitations/join", {"link": other}).status_code == 404


def test_a_receipt_is_claimed(cast: Cast, calls: Calls) -> None:
    sent = calls("nobody").post(f"/programs/{cast.program.slug}/reports", report(cast, anonymous=True)).json()
    token = calls("nobody").post("/tokens/receipt", {"digits": sent["receipt"]}).json()["token"]
    assert Caller(token).post("/receipts/claim", {"digits": sent["receipt"]}).status_code == 404
    rhea = calls("rhea")
    assert rhea.post("/receipts/claim", {"digits": "0" * 24}).status_code == 422
    assert rhea.post("/receipts/claim", {"digits": sent["receipt"]}).json() == {"refs": [sent["ref"]]}
    assert rhea.get(f"/cases/{sent['ref']}").status_code == 200
    assert Caller(token).get("/me").status_code == 401, "with its receipt the token ends"


def test_own_words_are_mended_for_a_quarter_of_an_hour(cast: Cast, calls: Calls) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    said = rhea.post(f"/cases/{case.ref}/messages", {"text": "It workd."}).json()["id"]
    one = f"/cases/{case.ref}/messages/{said}"
    assert rhea.post(one, {"text": "It worked.", "seen": 0}).status_code == 200
    entry = rhea.get(f"/cases/{case.ref}/timeline").json()["items"][1]
    assert (entry["text"], entry["edits"], entry["mendable"], entry["message"]) == ("It worked.", 1, True, said)
    assert [row["text"] for row in entry["earlier"]] == ["It workd."]
    assert rhea.post(one, {"text": "It works.", "seen": 0}).status_code == 409, "it was changed meanwhile"
    assert calls("theo").post(one, {"text": "Not theirs."}).status_code == 404
    other = people.submit(cast)
    assert rhea.post(f"/cases/{other.ref}/messages/{said}", {"text": "Elsewhere."}).status_code == 404
    with clock.freeze(clock.now() + timedelta(minutes=16)):
        assert rhea.post(one, {"text": "Too late."}).status_code == 403
        assert not rhea.get(f"/cases/{case.ref}/timeline").json()["items"][1]["mendable"]


def test_mail_about_a_case_is_muted(cast: Cast, calls: Calls) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    assert rhea.get(f"/cases/{case.ref}").json()["mail"] == "usual"
    rhea.post(f"/cases/{case.ref}/mail", {"mail": "mute"})
    assert events.chosen(cast.rhea.pk, case.ref) is False
    assert rhea.get(f"/cases/{case.ref}").json()["mail"] == "mute"
    rhea.post(f"/cases/{case.ref}/mail", {"mail": "usual"})
    assert events.chosen(cast.rhea.pk, case.ref) is None


def test_cases_are_found_by_ones_own_number_and_nobody_elses(cast: Cast, calls: Calls) -> None:
    case = people.submit(cast, own_ref="LS 2026/17")
    people.submit(cast)
    assert [row["ref"] for row in calls("rhea").get("/cases?q=ls%202026/17").json()["items"]] == [case.ref]
    assert [row["ref"] for row in calls("rhea").get(f"/cases?q={case.ref}").json()["items"]] == [case.ref]
    for name in ("eve", "theo"):
        assert calls(name).get("/cases?q=ls%202026/17").json()["items"] == []
