"""What is kept of a person: profile, browsers, data to take along, leaving, and claiming a receipt."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client

from manyeyes.accounts import leaving, profiles, receipts, sessions
from manyeyes.accounts.models import Profile, Receipt
from manyeyes.accounts.profiles import Said
from manyeyes.cases import access, claiming, conversation, drafts, intake, personal, senders, timeline
from manyeyes.cases.models import CoReporter, Draft
from manyeyes.events.models import Delivery
from manyeyes.publications import credit
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from manyeyes.vault import keyring
from tests.people import PASSWORD, Cast, make_case, make_report, submit


def browser(person: Any) -> Client:
    """Somebody who signed in a moment ago, with their password."""
    client = Client()
    client.force_login(person)
    return client


def proved(person: Any) -> Client:
    """The same, having typed the password once more."""
    client = browser(person)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:300]
    return client


def test_a_profile_is_kept_encrypted_and_read_back(cast: Cast) -> None:
    profiles.say(
        cast.rhea, Said(credit_name=" Rhea  K. ", links=["https://rhea.example/"], language="de", zone="Asia/Kolkata")
    )
    assert profiles.of(cast.rhea) == Said(
        credit_name="Rhea K.", links=("https://rhea.example/",), language="de", zone="Asia/Kolkata"
    )
    key = Profile.objects.get(person=cast.rhea).key
    assert key.purpose == "person"
    profiles.say(cast.rhea, Said())
    assert profiles.of(cast.rhea) == Said()
    assert Profile.objects.get(person=cast.rhea).key == key


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Said(links=["http://rhea.example/"]), "links"),
        (Said(links=["javascript:alert(1)"]), "links"),
        (Said(links=[f"https://rhea.example/{n}" for n in range(6)]), "links"),
        (Said(credit_name="x" * 81), "credit_name"),
        (Said(credit_name="Rhea\u202eK"), "credit_name"),
        (Said(credit_name="\u3164"), "credit_name"),
        (Said(zone="Moon/Sea"), "zone"),
        (Said(language="xx-klingon"), "language"),
    ],
)
def test_what_a_profile_cannot_hold_is_refused_by_name(cast: Cast, said: Said, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        profiles.say(cast.rhea, said)
    assert set(refused.value.fields) == {field}


def test_times_get_a_second_line_in_the_readers_zone(cast: Cast) -> None:
    case, rhea = make_case(cast, at="acknowledged"), browser(cast.rhea)
    assert "own-time" not in rhea.get(f"/my/{case.ref}/").content.decode()
    sent = rhea.post("/my/settings/profile/", {"credit_name": "Rhea K.", "links": "", "zone": "Asia/Kolkata"})
    assert sent.status_code == 302
    page = rhea.get(f"/my/{case.ref}/").content.decode()
    assert "UTC" in page
    assert "IST</span>" in page
    assert "own-time" not in browser(cast.eve).get("/my/").content.decode()


def test_the_credit_form_begins_with_the_profile(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    profiles.say(cast.rhea, Said(credit_name="Rhea K.", links=["https://rhea.example/"]))
    page = browser(cast.rhea).get(f"/my/{case.ref}/credit/").content.decode()
    assert 'value="Rhea K."' in page
    assert "https://rhea.example/" not in page, "a link beside a handle would say whose it is"
    sent = browser(cast.rhea).post(f"/my/{case.ref}/credit/", {"mode": "handle", "name": "Rhea K.", "link": ""})
    assert sent.status_code == 302
    assert credit.byline(credit.of(case, cast.rhea)) == ("rhea_k", "")


def test_a_browser_can_be_signed_out_from_another(cast: Cast) -> None:
    here, there, other = browser(cast.rhea), browser(cast.rhea), browser(cast.eve)
    for client in (here, there, other):
        client.get("/my/")
    rows = sessions.listed(cast.rhea, here.session.session_key)
    assert [is_here for _, is_here in rows] == [True, False]
    strange = sessions.listed(cast.eve, None)[0][0]
    assert here.post("/my/settings/sessions/", {"end": str(strange.pk)}).status_code == 404
    assert here.post("/my/settings/sessions/", {"end": "nonsense"}).status_code == 404
    assert here.post("/my/settings/sessions/", {"end": str(rows[1][0].pk)}).status_code == 302
    assert there.get("/my/").status_code == 302
    assert here.get("/my/").status_code == other.get("/my/").status_code == 200


def test_all_others_are_signed_out_at_once(cast: Cast) -> None:
    here, *others = [browser(cast.rhea) for _ in range(4)]
    for client in (here, *others):
        client.get("/my/")
    here.post("/my/settings/sessions/", {"end": "others"})
    assert {client.get("/my/").status_code for client in others} == {302}
    page = here.get("/my/settings/sessions/").content.decode()
    assert page.count("Another browser") == 0
    assert page.count("This browser") == 1


def test_a_sign_in_that_ran_out_is_not_listed(cast: Cast) -> None:
    client = browser(cast.rhea)
    client.get("/my/")
    Session.objects.all().delete()
    assert sessions.listed(cast.rhea, None) == []


def test_the_data_hold_ones_own_words_and_nobody_elses(cast: Cast) -> None:
    case = intake.submit(cast.program, make_report(cast, contact="rhea@elsewhere.example"), by=cast.rhea).case
    said = conversation.say(case, by=cast.rhea, text="It told BLUE.", public=True)
    conversation.mend(said, by=cast.rhea, text="It told RED.")
    conversation.say(case, by=cast.theo, text="THEIR WORDS", public=True)
    conversation.say(case, by=cast.theo, text="INTERNAL NOTE")
    submit(cast, by=cast.eve)
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.")
    answer = proved(cast.rhea).post("/my/settings/data/export/")
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert set(found) == {"profile.json", "reports.json", "drafts.json", "invited_to.json", "credits.json"}
    [mine] = found["reports.json"]
    assert mine["report"][0]["contact"] == "rhea@elsewhere.example"
    assert mine["your_words"][0]["text"] == "It told RED."
    assert mine["your_words"][0]["earlier"][0]["text"] == "It told BLUE."
    assert found["credits.json"][0]["name"] == "Rhea K."
    assert found["profile.json"]["email"] == cast.rhea.email
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"THEIR WORDS" not in everything
    assert b"INTERNAL NOTE" not in everything
    assert b"password" not in everything


def test_the_data_ask_for_the_password_again(cast: Cast) -> None:
    answer = browser(cast.rhea).post("/my/settings/data/export/")
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def test_leaving_takes_the_person_and_leaves_the_case(cast: Cast) -> None:
    case = intake.submit(
        cast.program, make_report(cast, contact="rhea@elsewhere.example", own_ref="RK-1"), by=cast.rhea
    ).case
    profiles.say(cast.rhea, Said(credit_name="Rhea K."))
    key = Profile.objects.get(person=cast.rhea).key
    credit.choose(case, by=cast.rhea, mode="name", name="Rhea K.")
    rhea = proved(cast.rhea)
    page = rhea.get("/my/settings/leave/").content.decode()
    assert "What stays" in page
    assert rhea.post("/my/settings/leave/", {}).status_code == 422
    cast.rhea.refresh_from_db()
    assert cast.rhea.is_active
    gone = rhea.post("/my/settings/leave/", {"sure": "on"})
    assert "You have left" in gone.content.decode()
    cast.rhea.refresh_from_db()
    assert (cast.rhea.email, cast.rhea.is_active, cast.rhea.name) == (None, False, leaving.FORMER)
    assert cast.rhea.handle.startswith("left-")
    assert not EmailAddress.objects.filter(user=cast.rhea).exists()
    report = case.reports.get()
    assert senders.of(report) == senders.Told()
    assert report.own_ref_token == ""
    assert report.steps
    assert intake.report_is_as_sent(case), "the report itself was not touched"
    key.refresh_from_db()
    assert key.destroyed_at is not None
    chosen = credit.of(case, cast.rhea)
    assert chosen is not None
    assert (chosen.mode, chosen.name) == ("anonymous", None)
    assert rhea.get("/my/").status_code == 302
    assert "Former researcher" in str([row.who for row in timeline.entries(case, cast.theo)])
    conversation.say(case, by=cast.theo, text="Fixed.", public=True)
    assert not Delivery.objects.filter(person_id=cast.rhea.pk, reason="message.public").exists()


def test_a_legal_hold_and_a_team_keep_people_here(cast: Cast) -> None:
    case = submit(cast, by=cast.rhea)
    type(case.key).objects.filter(pk=case.key_id).update(held_at=case.created_at)
    case.key.refresh_from_db()
    with pytest.raises(Refused, match="legal hold"):
        keyring.shred(case.key)
    with pytest.raises(Conflict, match="legal hold"):
        personal.forget(cast.rhea)
    with pytest.raises(Conflict, match="team"):
        personal.forget(cast.theo)
    rhea = proved(cast.rhea)
    assert "legal hold" in rhea.get("/my/settings/data/").content.decode()
    assert rhea.post("/my/settings/leave/", {"sure": "on"}).status_code == 409
    cast.rhea.refresh_from_db()
    assert cast.rhea.is_active


def test_drafts_go_with_their_owner(cast: Cast) -> None:
    drafts.save(cast.program, {"typed": {"title": "Half"}}, by=cast.rhea)
    personal.forget(cast.rhea)
    assert not Draft.objects.filter(owner=cast.rhea).exists()


def anonymous(cast: Cast) -> tuple[Any, str]:
    """A report that came with a receipt, and its digits."""
    sent = intake.submit(cast.program, make_report(cast, anonymous=True))
    assert sent.receipt is not None
    return sent.case, sent.receipt


def test_a_receipt_is_claimed_into_an_account_and_ends(cast: Cast) -> None:
    case, digits = anonymous(cast)
    bearer = case.reporter
    conversation.say(case, by=bearer, text="I found more.", public=True)
    rhea = browser(cast.rhea)
    assert rhea.get(f"/my/{case.ref}/").status_code == 404
    assert rhea.post("/my/settings/claim/", {"digits": "1" * 24, "after": "end"}).status_code == 422
    assert rhea.post("/my/settings/claim/", {"digits": digits, "after": "end"}).status_code == 302
    assert rhea.get(f"/my/{case.ref}/").status_code == 200
    case.refresh_from_db()
    assert case.reporter_id == cast.rhea.pk
    assert receipts.person_for(digits) is None
    sides = {row.side for row in timeline.entries(case, cast.rhea)}
    assert sides == {"reporter"}, "what the bearer said is still the reporter's word"
    assert [row.kind for row in timeline.entries(case, cast.rhea)][-1] == "receipt.claimed"
    credit.choose(case, by=cast.rhea, mode="handle")


def test_a_receipt_may_stay_good_beside_the_account(cast: Cast) -> None:
    case, digits = anonymous(cast)
    bearer = receipts.person_for(digits)
    assert bearer is not None
    assert claiming.claim(bearer, by=cast.rhea, end_receipt=False) == [case]
    assert receipts.person_for(digits) == bearer
    assert access.is_reporter(bearer, case)
    assert CoReporter.objects.get(case=case, person=bearer).accepted_at is not None
    assert claiming.claim(bearer, by=cast.eve, end_receipt=True) == []
    assert not Receipt.objects.filter(person=bearer).exists()


def test_only_an_account_claims_and_only_a_receipt(cast: Cast) -> None:
    case, _digits = anonymous(cast)
    with pytest.raises(NotAllowed):
        claiming.claim(case.reporter, by=case.reporter, end_receipt=True)
    with pytest.raises(Conflict):
        claiming.claim(cast.eve, by=cast.rhea, end_receipt=True)
    with pytest.raises(NotFound):
        profiles.say(case.reporter, Said(credit_name="A"))


def test_the_bearer_of_a_receipt_takes_their_data_and_ends_it(cast: Cast) -> None:
    case, digits = anonymous(cast)
    client = Client()
    client.post("/return/", {"digits": digits})
    assert client.get("/my/settings/data/").status_code == 200
    assert client.post("/my/settings/data/export/").status_code == 200
    assert client.get("/my/settings/profile/").status_code == 404
    assert client.get("/my/settings/claim/").status_code == 404
    assert client.post("/my/settings/leave/", {"sure": "on"}).status_code == 200
    assert receipts.person_for(digits) is None
    assert case.reports.get().steps


def test_time_zones_stand_by_region_and_each_can_be_chosen(cast: Cast) -> None:
    page = browser(cast.rhea).get("/my/settings/profile/").content.decode()
    groups = dict(re.findall(r'<optgroup label="(\w+)">(.*?)</optgroup>', page, re.S))
    assert {"Africa", "America", "Asia", "Europe", "Pacific"} <= set(groups)
    assert '<option value="Europe/Berlin">Berlin</option>' in groups["Europe"]
    assert max(one.count("<option") for one in groups.values()) < 200
    offered = re.findall(r'<option value="([\w+\-]+/[^"]+)"', page)
    assert set(offered) == set(profiles.zones())
