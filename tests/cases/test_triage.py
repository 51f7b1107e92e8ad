"""Decisions with reasons, dates both sides agree to, and who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from manyeyes.cases import (
    disclosure,
    intake,
    queue,
    remediation,
    reproduction,
    severity,
    signing,
    timeline,
    triage,
    verification,
)
from manyeyes.cases.choices import offers
from manyeyes.cases.judgement import standing
from manyeyes.events.models import Delivery
from manyeyes.programs.setup import add_member
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, EmbargoInForce, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from tests.people import (
    LETTERS,
    REASONS,
    Cast,
    agree,
    make_case,
    make_cast,
    make_report,
    play,
    sign,
    submit,
    verify,
    vulnerable,
)


def test_one_person_may_run_a_small_program_alone(db: None) -> None:
    cast = make_cast()
    roles = [Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.TARGET_OWNER, Role.PUBLISHER]
    add_member(cast.program, cast.ada, roles)
    alone = replace(cast, theo=cast.ada, mina=cast.ada, lena=cast.ada, olga=cast.ada)
    case = make_case(alone, at="rated")
    agree(case, cast.ada, "security")
    agree(case, cast.ada, "ml")
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.ada)  # grave, so two hats are not two people
    signing.override(case, by=cast.ada, note="I am the whole team, and the demo shows it.")
    triage.confirm(case, by=cast.ada)
    triage.assign_owner(case, by=cast.ada, to=cast.ada)
    remediation.start(case, by=cast.ada)
    remediation.deploy_fix(case, by=cast.ada, version=cast.v3, summary="Out of the prompt.")
    verification.request(case, by=cast.ada, tau=0.05)
    verify(alone, case)
    verification.researcher_retests(case, by=cast.rhea, k=0, n=5, agrees=True)
    disclosure.resolve(case, by=cast.ada)
    assert case.status == "resolved"


def test_every_close_names_a_reason_and_offers_one_appeal(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    with pytest.raises(Invalid):
        triage.close(case, by=cast.theo, reason="bored", words="No.")
    with pytest.raises(Invalid):
        triage.close(case, by=cast.theo, reason="informative", words=" ")
    with pytest.raises(Invalid):
        triage.close(case, by=cast.theo, reason="duplicate", words="Known.")
    triage.close(case, by=cast.theo, reason="works_as_intended", words="It may tell the opening hours.")
    assert (case.status, case.close_reason) == ("closed", "works_as_intended")
    triage.appeal(case, by=cast.rhea, words="It told a code, not the hours.")
    with pytest.raises(Invalid):
        triage.appeal(case, by=cast.rhea, words="Again.")
    triage.reopen(case, by=cast.mina, words="You are right.")
    assert (case.status, case.close_reason) == ("triaged", "")


def test_an_embargo_binds_once_the_other_side_agrees(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="triaged")
        until = clock.now() + timedelta(days=60)
        with pytest.raises(Invalid):
            disclosure.propose_embargo(case, by=cast.theo, until=clock.now())
        disclosure.propose_embargo(case, by=cast.theo, until=until)
        assert disclosure.in_force(case) is None
        with pytest.raises(NotAllowed):
            disclosure.agree(case, by=cast.lena)
        disclosure.agree(case, by=cast.rhea)
        fresh = type(case).objects.get(pk=case.pk)
        held = disclosure.in_force(fresh)
        assert held is not None
        assert held.until == until
        with pytest.raises(EmbargoInForce):
            disclosure.check_publication(fresh)
        disclosure.end_embargo(case, by=cast.lena)
        assert disclosure.in_force(type(case).objects.get(pk=case.pk)) is None


def test_buttons_follow_the_same_law_as_the_door(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    confirm = next(offer for offer in offers(case, cast.theo) if offer.move.name == "confirm")
    assert not confirm.ready
    assert confirm.sentence == "Confirm finding. Missing: sign-off by both disciplines."
    assert offers(case, cast.eve) == []
    assert offers(case, cast.nobody) == []


def test_withdrawing_belongs_to_the_researcher(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    with pytest.raises(NotAllowed):
        triage.withdraw(case, by=cast.theo)
    triage.withdraw(case, by=cast.rhea)
    assert (case.status, case.close_reason) == ("closed", "withdrawn")


def test_mitigated_and_exploited_are_dated_facts_beside_the_status(cast: Cast) -> None:
    case = make_case(cast, at="confirmed")
    with pytest.raises(NotAllowed):
        triage.exploited(case, by=cast.rhea)
    triage.exploited(case, by=cast.theo)
    remediation.mitigated(case, by=cast.olga, words="The tool is switched off.")
    assert case.status == "confirmed"
    assert case.exploited_at is not None
    assert case.mitigated_at is not None
    assert {"mitigated", "exploited"} <= {entry.kind for entry in timeline.entries(case, cast.rhea)}
    with pytest.raises(Invalid):
        remediation.mitigated(case, by=cast.olga, words="")


def test_whoever_has_no_address_gets_no_mail(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, anonymous=True))
    triage.close(sent.case, by=cast.theo, reason="informative", words="Thank you.")
    assert not Delivery.objects.filter(person_id=sent.case.reporter_id).exists()


def test_an_agreement_holds_for_the_date_that_was_seen(cast: Cast) -> None:
    case = submit(cast)
    seen = disclosure.propose_embargo(case, by=cast.lena, until=clock.now() + timedelta(days=10))
    disclosure.propose_embargo(case, by=cast.lena, until=clock.now() + timedelta(days=300))
    with pytest.raises(Conflict):
        disclosure.agree(case, by=cast.rhea, seen=seen)
    assert disclosure.in_force(case) is None


def todo(cast: Cast) -> str:
    [row] = queue.rows(queue.cases(cast.theo))
    return row.todo


@pytest.mark.parametrize("before", ["signed", "resolved"])
def test_a_reopened_case_is_proved_anew_before_it_is_confirmed(cast: Cast, before: str) -> None:
    case = make_case(cast, at=before)
    if case.status != "resolved":
        triage.close(case, by=cast.theo, reason="informative", words="It is known.")
    triage.reopen(case, by=cast.theo, words="It came back.")
    score = standing(case)
    assert score is not None, "what it was rated stays visible"

    def missing() -> tuple[str, ...]:
        return next(offer for offer in offers(case, cast.theo) if offer.move.name == "confirm").missing

    assert missing() == ("reproduced", "first_success_seen", "rated", "signed_off")
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.theo)
    with pytest.raises(IllegalMove):
        agree(case, cast.theo, "security")
    with pytest.raises(IllegalMove):
        reproduction.see_first_success(case, by=cast.theo)
    assert severity.measured(case) == (None, None)
    assert todo(cast) == "a replay"
    play(reproduction.request(case, by=cast.theo).replay, vulnerable)
    assert missing() == ("first_success_seen", "rated", "signed_off")
    assert todo(cast) == "a look at the first success"
    reproduction.see_first_success(case, by=cast.theo)
    assert todo(cast) == "a severity rating"
    severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS, why="Measured anew after the reopening.")
    assert missing() == ("signed_off",)
    sign(cast, case)
    triage.confirm(case, by=cast.theo)
    assert case.status == "confirmed"


def test_a_second_reopening_asks_for_proof_once_more(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    for _ in range(2):
        triage.close(case, by=cast.theo, reason="informative", words="It is known.")
        triage.reopen(case, by=cast.theo, words="It is not.")
        play(reproduction.request(case, by=cast.theo).replay, vulnerable)
        confirm = next(offer for offer in offers(case, cast.theo) if offer.move.name == "confirm")
        assert confirm.missing == ("first_success_seen", "rated", "signed_off")
        reproduction.see_first_success(case, by=cast.theo)


@pytest.mark.parametrize("side", ["portal", "desk"])
def test_the_page_sends_along_which_date_it_showed(cast: Cast, side: str, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    case = submit(cast)
    proposer, reader, shown, place = {
        "portal": (cast.lena, cast.rhea, f"/my/{case.ref}/embargo/", f"/my/{case.ref}/embargo/"),
        "desk": (cast.rhea, cast.lena, f"/desk/cases/{case.ref}/", f"/desk/cases/{case.ref}/embargo/"),
    }[side]
    client = Client()
    client.force_login(reader)

    def accept() -> int:
        found = re.search(r'name="proposal" value="([^"]+)"', client.get(shown).content.decode())
        assert found
        if newer:
            disclosure.propose_embargo(case, by=proposer, until=newer)
        return client.post(place, {"action": "agree", "proposal": found[1]}).status_code

    disclosure.propose_embargo(case, by=proposer, until=clock.now() + timedelta(days=10))
    newer: datetime | None = clock.now() + timedelta(days=300)
    assert accept() == 409
    for other in ("", "none", str(case.pk)):
        assert client.post(place, {"action": "agree", "proposal": other}).status_code == 409
    assert disclosure.in_force(case) is None
    last, newer = newer, None
    assert accept() == 302
    held = disclosure.in_force(case)
    assert held is not None
    assert held.until == last
