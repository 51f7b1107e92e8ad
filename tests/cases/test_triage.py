"""Decisions with reasons, dates both sides agree to, and who may do what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from manyeyes.cases import (
    disclosure,
    intake,
    remediation,
    severity,
    timeline,
    triage,
    verification,
)
from manyeyes.cases.choices import offers
from manyeyes.events.models import Delivery
from manyeyes.programs.setup import add_member
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, EmbargoInForce, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from tests.people import Cast, make_case, make_cast, make_report, submit, verify


def test_one_person_may_run_a_small_program_alone(db: None) -> None:
    cast = make_cast()
    roles = [Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.TARGET_OWNER, Role.PUBLISHER]
    add_member(cast.program, cast.ada, roles)
    alone = replace(cast, theo=cast.ada, mina=cast.ada, lena=cast.ada, olga=cast.ada)
    case = make_case(alone, at="rated")
    severity.sign_off(case, by=cast.ada, discipline="security", agrees=True)
    severity.sign_off(case, by=cast.ada, discipline="ml", agrees=True)
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.ada)  # grave, so two hats are not two people
    severity.override(case, by=cast.ada, note="I am the whole team, and the demo shows it.")
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


def test_a_duplicate_does_not_name_the_other_case_to_its_researcher(cast: Cast) -> None:
    first, second = make_case(cast, at="triaged"), make_case(cast, at="acknowledged", by=cast.eve)
    triage.mark_duplicate(second, by=cast.theo, of=first, words="Somebody reported this before you.")
    assert second.duplicate_of == first
    assert first.ref not in str([entry.data for entry in timeline.entries(second, cast.eve)])


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


def test_a_case_repeats_the_original_and_never_in_a_circle(cast: Cast) -> None:
    first, second, third = submit(cast), submit(cast), submit(cast)
    triage.mark_duplicate(second, by=cast.theo, of=first, words="We know this one.")
    for again in (first, third):
        with pytest.raises(Invalid) as refused:
            triage.mark_duplicate(again, by=cast.theo, of=second, words="We know this one.")
        assert "duplicate_of" in refused.value.fields
    triage.close(third, by=cast.theo, reason="informative", words="No harm.", duplicate_of=first)
    assert third.duplicate_of is None


def test_an_agreement_holds_for_the_date_that_was_seen(cast: Cast) -> None:
    case = submit(cast)
    seen = disclosure.propose_embargo(case, by=cast.lena, until=clock.now() + timedelta(days=10))
    disclosure.propose_embargo(case, by=cast.lena, until=clock.now() + timedelta(days=300))
    with pytest.raises(Conflict):
        disclosure.agree(case, by=cast.rhea, seen=seen)
    assert disclosure.in_force(case) is None
