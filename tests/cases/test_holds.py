"""A legal hold takes two people to place and two to lift, and while it stands nothing of the case can be destroyed."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.accounts import leaving, ownkey
from manyeyes.cases import claiming, holds, intake, personal, timeline
from manyeyes.events.models import Delivery
from manyeyes.rules.errors import Conflict, NotAllowed, Refused
from manyeyes.vault import keyring
from manyeyes.vault.models import DataKey
from tests.marker import find_in_database
from tests.people import Cast, make_case, make_report

WHY = "A court in Larkfield asks for BLUE-HERON-42."


def desk(person: Any) -> Client:
    """A member of the team with a second factor."""
    if not person.authenticator_set.exists():
        TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = Client()
    client.force_login(person)
    return client


def held(cast: Cast, **changes: Any) -> Any:
    """A case of rhea's under a hold, which lena proposed and ada placed."""
    case = intake.submit(cast.program, make_report(cast, contact="rhea@far.example", **changes), by=cast.rhea).case
    holds.place(holds.propose(case, by=cast.lena, why=WHY), by=cast.ada)
    return case


def test_two_people_place_it_and_two_lift_it_through_the_page(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    lena, ada, page = desk(cast.lena), desk(cast.ada), f"/desk/cases/{case.ref}/hold/"
    assert lena.post(page, {"action": "propose", "why": ""}).status_code == 422
    assert lena.post(page, {"action": "propose", "why": WHY}).status_code == 302
    row = holds.standing(case)
    assert row is not None
    assert not holds.is_held(case), "one person holds nothing"
    assert lena.post(page, {"action": "place", "hold": str(row.pk)}).status_code == 403
    assert not holds.is_held(case)
    assert WHY in ada.get(page).content.decode()
    assert ada.post(page, {"action": "place", "hold": str(row.pk)}).status_code == 302
    assert holds.is_held(case)
    shown = lena.get(f"/desk/cases/{case.ref}/").content.decode()
    assert "Legal hold: nothing of this case may be destroyed." in shown
    assert ada.post(page, {"action": "propose_lift", "hold": str(row.pk), "why": "It is over."}).status_code == 302
    assert ada.post(page, {"action": "lift", "hold": str(row.pk)}).status_code == 403
    assert holds.is_held(case)
    assert lena.post(page, {"action": "lift", "hold": str(row.pk)}).status_code == 302
    assert not holds.is_held(case)
    assert lena.post(page, {"action": "lift", "hold": str(row.pk)}).status_code == 409
    kinds = [event.kind for event in events.log(case.subject) if event.kind.startswith("hold.")]
    assert kinds == ["hold.proposed", "hold.placed", "hold.lift_proposed", "hold.lifted"]
    assert events.verify_chain(case.subject) is None
    assert "Held from" in lena.get(page).content.decode()
    assert find_in_database("BLUE-HERON-42", connection) == []


def test_the_reasons_are_read_by_few_and_the_state_by_all_on_the_case(cast: Cast) -> None:
    case = held(cast)
    page = f"/desk/cases/{case.ref}/hold/"
    for person, reads, acts in ((cast.theo, False, False), (cast.aud, True, False), (cast.lena, True, True)):
        shown = desk(person).get(page).content.decode()
        assert ("A hold is in force" in shown, WHY in shown, "<textarea" in shown) == (True, reads, acts), person
    answer = desk(cast.theo).post(page, {"action": "propose", "why": WHY})
    assert answer.status_code == 403
    rhea = Client()
    rhea.force_login(cast.rhea)
    assert rhea.get(page).status_code == 404
    assert "hold" not in {row.kind.partition(".")[0] for row in timeline.entries(case, cast.rhea)}
    told = set(Delivery.objects.filter(reason__startswith="hold.").values_list("person_id", flat=True))
    assert told == {cast.ada.pk, cast.lena.pk}


def test_while_it_stands_nothing_is_destroyed(cast: Cast) -> None:
    case = held(cast)
    with pytest.raises(Refused, match="legal hold"):
        keyring.shred(case.key)
    with pytest.raises(Refused, match="legal hold"):
        keyring.shred(ownkey.of(cast.rhea))
    with pytest.raises(Conflict, match="legal hold"):
        personal.forget(cast.rhea)
    with pytest.raises(Refused, match="legal hold"):
        leaving.end_account(cast.rhea)
    cast.rhea.refresh_from_db()
    assert cast.rhea.is_active, "nothing half done"
    assert [fate.goes for fate in personal.fates(cast.rhea)] == [False]
    row = holds.standing(case)
    assert row is not None
    holds.propose_lift(row, by=cast.lena, why="It is over.")
    holds.lift(row, by=cast.ada)
    personal.forget(cast.rhea)
    leaving.end_account(cast.rhea)
    assert DataKey.objects.get(pk=cast.rhea.own_key_id).destroyed_at is not None


def test_a_proposal_can_be_turned_down_and_made_again(cast: Cast) -> None:
    case = make_case(cast)
    first = holds.propose(case, by=cast.lena, why=WHY)
    with pytest.raises(Conflict):
        holds.propose(case, by=cast.ada, why=WHY)
    with pytest.raises(NotAllowed):
        holds.refuse(first, by=cast.theo)
    holds.refuse(first, by=cast.ada)
    with pytest.raises(Conflict):
        holds.place(first, by=cast.ada)
    second = holds.propose(case, by=cast.ada, why=WHY)
    holds.place(second, by=cast.lena)
    holds.propose_lift(second, by=cast.lena, why="Over?")
    with pytest.raises(Conflict):
        holds.propose_lift(second, by=cast.ada, why="Over?")
    holds.refuse(second, by=cast.ada)
    assert holds.is_held(case), "a refused lifting leaves the hold"


def test_a_second_held_case_keeps_the_person_held(cast: Cast) -> None:
    first, second = held(cast), held(cast)
    for case, still in ((first, True), (second, False)):
        row = holds.standing(case)
        assert row is not None
        holds.propose_lift(row, by=cast.lena, why="It is over.")
        holds.lift(row, by=cast.ada)
        assert (DataKey.objects.get(pk=cast.rhea.own_key_id).held_at is not None) is still


def test_the_hold_follows_a_case_into_the_account_that_claims_it(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, anonymous=True))
    bearer = sent.case.reporter
    holds.place(holds.propose(sent.case, by=cast.lena, why=WHY), by=cast.ada)
    claiming.claim(bearer, by=cast.rhea, end_receipt=True)
    with pytest.raises(Refused, match="legal hold"):
        keyring.shred(ownkey.of(cast.rhea))
    keyring.shred(ownkey.of(bearer))
