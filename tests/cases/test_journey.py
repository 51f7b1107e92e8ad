"""The whole path at function level: from the first report to a resolved case, and the ways it can turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from manyeyes import events
from manyeyes.cases import (
    disclosure,
    remediation,
    replayed,
    reproduction,
    rootcause,
    severity,
    timeline,
    triage,
    verification,
)
from manyeyes.cases.choices import offers
from manyeyes.cases.clocks import clocks
from manyeyes.cases.judgement import standing
from manyeyes.engine.plan import Stream, Trial
from manyeyes.programs.setup import add_member
from manyeyes.replays import manual
from manyeyes.rules import clock
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.errors import Conflict, EmbargoInForce, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from tests.people import LETTERS, REASONS, Cast, fixed, make_case, make_cast, patched, play, verify, vulnerable


def test_from_new_to_resolved_through_a_refuted_symptom_patch(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    remediation.deploy_fix(case, by=cast.olga, version=cast.v2, kind="symptom", summary="A filter on the wording.")
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case, patched)
    case.refresh_from_db()
    assert case.status == "remediating", "a refuted fix goes back by itself"
    refuted = [entry for entry in timeline.entries(case, cast.rhea) if entry.kind == "replay.concluded"][-1]
    assert "symptom patched" in refuted.sentence.lower()
    for family in ("paraphrases", "encoded wordings", "persona wordings"):
        assert family in refuted.sentence

    remediation.deploy_fix(case, by=cast.olga, version=cast.v3, kind="cause", summary="The code left the prompt.")
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case)
    rootcause.conclude(case, by=cast.mina, category="wiring", text="The prompt carried what it must not tell.")
    verification.researcher_retests(case, by=cast.rhea, k=0, n=20, agrees=True)
    disclosure.resolve(case, by=cast.theo)
    assert case.status == "resolved"
    assert [(row.fix.version.label, row.fix.outcome) for row in verification.statements(case)] == [
        ("v2", "symptom_patched"), ("v3", "holds"),
    ]  # fmt: skip
    assert 59 <= verification.statements(case)[1].verdict["n"] <= 64
    assert events.verify_chain(case.subject) is None


@pytest.mark.parametrize("kind", ["empty", "refuses"])
def test_a_dead_target_is_never_fixed(cast: Cast, kind: str) -> None:
    case = make_case(cast, at="retesting")

    def dead(trial: Trial, part: str) -> bool:
        return kind == "refuses" and trial.stream == Stream.POSITIVE

    verify(cast, case, dead)
    case.refresh_from_db()
    assert case.status == "retesting", "an undecided verification closes nothing and opens nothing"
    [row] = verification.statements(case)
    assert row.fix.outcome == "inconclusive"
    with pytest.raises(IllegalMove) as refused:
        disclosure.resolve(case, by=cast.theo)
    assert "holds" in refused.value.missing
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case, fixed)
    assert verification.statements(case)[0].holds


def test_one_verification_at_a_time(cast: Cast) -> None:
    case = make_case(cast, at="retesting")
    with pytest.raises(Conflict):
        verification.request(case, by=cast.olga)


def test_a_verdict_is_taken_up_once(cast: Cast) -> None:
    case = make_case(cast, at="holds")
    link = verification.statements(case)[0].link
    assert link is not None
    before = events.log(case.subject).count()
    again = replayed.conclude(link.replay)
    assert again is not None
    assert again.concluded_at == link.concluded_at
    assert events.log(case.subject).count() == before


def test_the_researchers_disagreement_sends_the_fix_back(cast: Cast) -> None:
    case = make_case(cast, at="holds")
    with pytest.raises(NotAllowed):
        verification.researcher_retests(case, by=cast.eve, k=2, n=10, agrees=False)
    verification.researcher_retests(case, by=cast.rhea, k=2, n=10, transcript="It still tells.", agrees=False)
    case.refresh_from_db()
    assert case.status == "remediating"
    last = timeline.entries(case, cast.theo)[-1]
    assert (last.kind, last.side) == ("move.fix_refuted", "platform")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"k": 0, "n": 0, "agrees": True}, "n"),
        ({"k": 11, "n": 10, "agrees": False}, "k"),
        ({"k": 1, "n": 10, "agrees": True}, "transcript"),
        ({"k": 0, "n": 10, "agrees": True, "transcript": "a\x00b"}, "transcript"),
    ],
)
def test_a_retest_that_makes_no_sense_is_refused_by_field(cast: Cast, given: dict[str, object], field: str) -> None:
    case = make_case(cast, at="holds")
    with pytest.raises(Invalid) as refused:
        verification.researcher_retests(case, by=cast.rhea, **given)  # type: ignore[arg-type]
    assert list(refused.value.fields) == [field]


def test_silence_after_fourteen_days_counts_as_agreement(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="holds")
        clock.advance(timedelta(days=13, hours=23))
        with pytest.raises(IllegalMove):
            disclosure.resolve(case, by=cast.theo)
        clock.advance(timedelta(hours=2))
        disclosure.resolve(case, by=cast.theo)
        assert case.status == "resolved"


def test_the_score_stands_on_the_fixed_run_and_the_declared_budget(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    found = reproduction.finding(case)
    assert found is not None
    assert found.rated is not None
    assert found.rated["n"] == 30
    judged = standing(case)
    assert judged is not None
    assert judged.rating.vector.endswith(f"/OB:{found.rated['k']}of30/RB:3")
    assert f"{found.verdict['k']}of{found.verdict['n']}" != f"{found.rated['k']}of30"
    assert judged.rating.replay_id == found.link.replay_id


def test_a_case_is_rated_without_a_number_before_it_is_measured(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    rating = severity.rate(case, by=cast.theo, letters=LETTERS, reasons=REASONS)
    assert "/OB:X/" in rating.vector


def test_every_letter_needs_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="reproduced")
    with pytest.raises(Invalid) as refused:
        severity.rate(case, by=cast.theo, letters=LETTERS, reasons={**REASONS, "DX": " ", "SP": ""})
    assert set(refused.value.fields) == {"why_DX", "why_SP"}
    with pytest.raises(Invalid):
        severity.rate(case, by=cast.theo, letters={**LETTERS, "DX": "Q"}, reasons=REASONS)
    begun = severity.prefill(case)
    assert severity.rate(case, by=cast.theo, letters=begun.letters, reasons=begun.reasons)


def test_two_disciplines_are_two_people_where_it_is_grave(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    with pytest.raises(NotAllowed):
        severity.sign_off(case, by=cast.theo, discipline="ml", agrees=True)
    severity.sign_off(case, by=cast.theo, discipline="security", agrees=True)
    with pytest.raises(IllegalMove) as refused:
        triage.confirm(case, by=cast.theo)
    assert refused.value.missing == ["signed_off"]
    severity.sign_off(case, by=cast.mina, discipline="ml", agrees=True)
    triage.confirm(case, by=cast.mina)
    assert case.status == "confirmed"


def test_a_disagreement_stays_on_record_and_the_manager_decides_with_a_reason(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    severity.sign_off(case, by=cast.theo, discipline="security", agrees=True)
    with pytest.raises(Invalid):
        severity.sign_off(case, by=cast.mina, discipline="ml", agrees=False)
    severity.sign_off(case, by=cast.mina, discipline="ml", agrees=False, note="The model was primed.")
    with pytest.raises(IllegalMove):
        triage.confirm(case, by=cast.theo)
    with pytest.raises(NotAllowed):
        severity.override(case, by=cast.theo, note="I decide.")
    with pytest.raises(Invalid):
        severity.override(case, by=cast.lena, note=" ")
    severity.override(case, by=cast.lena, note="Security is right: it needs no priming.")
    triage.confirm(case, by=cast.theo)
    kinds = [entry.item for entry in timeline.entries(case, cast.aud) if entry.kind == "signed_off"]
    assert [(row.discipline, row.agrees, row.override) for row in kinds] == [
        ("security", True, False), ("ml", False, False), ("manager", True, True),
    ]  # fmt: skip


def test_a_sign_off_on_an_older_rating_is_a_conflict(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    seen = standing(case)
    assert seen is not None
    severity.rate(case, by=cast.mina, letters={**LETTERS, "DX": "M"}, reasons=REASONS)
    with pytest.raises(Conflict):
        severity.sign_off(case, by=cast.theo, discipline="security", agrees=True, rating=seen.rating)


def test_no_permit_no_replay_and_it_says_why(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    cast.target.permits.all().delete()
    proposal = reproduction.propose(case)
    assert not proposal.ready
    assert "permit" in proposal.problems[0]
    with pytest.raises(IllegalMove):
        reproduction.request(case, by=cast.theo)
    assert case.reproductions.count() == 0


def test_a_proposal_says_what_it_would_cost_before_anything_is_spent(cast: Cast) -> None:
    proposal = reproduction.propose(make_case(cast, at="triaged"))
    assert proposal.ready
    assert proposal.odds is not None
    assert proposal.odds.type_one <= 0.05
    assert (proposal.expected_trials(0.0) or 0) > (proposal.expected_trials(0.5) or 99)
    assert proposal.most_calls > 400


def test_asking_twice_for_the_same_replay_queues_one(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    first = reproduction.request(case, by=cast.theo)
    again = reproduction.request(case, by=cast.theo, request_id=first.replay_id)
    assert again == first


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


def test_who_may_not_ask_for_a_replay(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    for person in (cast.rhea, cast.eve, cast.finn, cast.aud, cast.pia):
        with pytest.raises(NotAllowed):
            reproduction.request(case, by=person)
    assert case.reproductions.count() == 0


def test_a_flaw_that_does_not_show_is_told_to_both_sides_and_closes_nothing(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    play(link.replay, lambda trial, part: False)
    case.refresh_from_db()
    assert case.status == "triaged"
    [said] = [entry for entry in timeline.entries(case, cast.rhea) if entry.sentence]
    assert said.sentence.startswith("Not reproduced at 5")
    with pytest.raises(IllegalMove):
        reproduction.see_first_success(case, by=cast.theo)


def test_a_target_without_connection_is_worked_through_by_hand(db: None) -> None:
    cast = make_cast(access="manual")
    case = make_case(cast, at="triaged")
    with pytest.raises(IllegalMove):
        reproduction.request(case, by=cast.theo)
    link = reproduction.request_manual(case, by=cast.theo)
    ticks = 0
    while trials := manual.next_trials(link.replay):
        one = trials[0]
        told = "failure" if one.part in ("benign", "control") else "success"
        manual.tick(link.replay, stream=one.stream, index=one.index, outcome=told, transcript=f"{ticks}", by=cast.theo)
        ticks += 1
    replayed.conclude(link.replay)
    link.refresh_from_db()
    assert link.verdict == "reproduced"
    assert {trial.origin for trial in link.replay.trials.all()} == {"manual"}
    assert ticks < 40


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


def test_the_first_answer_is_a_persons_public_word(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="new")

        def first() -> object:
            return next(one for one in clocks(case) if one.name == "first_answer").done_at

        reproduction.request(case, by=cast.theo)
        assert first() is None, "starting a machine is no answer"
        clock.advance(timedelta(hours=30))
        make = clock.now()
        triage.ask_researcher(case, by=cast.theo, text="Which version?")
        assert first() == make
        assert case.acknowledged_at == make


def test_the_decision_waits_while_the_researcher_owes_an_answer(cast: Cast) -> None:
    with clock.freeze(clock.now()):
        case = make_case(cast, at="triaged")

        def decision() -> Clock:
            return next(one for one in clocks(case) if one.name == "decision")

        before = decision().due
        triage.ask_researcher(case, by=cast.theo, text="Which version?")
        assert decision().paused_since == clock.now()
        assert case.due_at is None, "nothing of ours runs"
        clock.advance(timedelta(days=3))
        triage.answer(case, by=cast.rhea, text="v1")
        assert decision().due == before + timedelta(days=3)
        assert case.due_at is not None


def test_buttons_follow_the_same_law_as_the_door(cast: Cast) -> None:
    case = make_case(cast, at="rated")
    confirm = next(offer for offer in offers(case, cast.theo) if offer.move.name == "confirm")
    assert not confirm.ready
    assert confirm.sentence == "Confirm finding. Missing: sign-off by both disciplines."
    assert offers(case, cast.eve) == []
    assert offers(case, cast.nobody) == []


@pytest.mark.parametrize("rung", ["new", "triaged", "confirmed", "fix_deployed", "retesting"])
def test_every_status_can_be_reached_by_verbs(cast: Cast, rung: str) -> None:
    assert make_case(cast, at=rung).status == rung


def test_withdrawing_belongs_to_the_researcher(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    with pytest.raises(NotAllowed):
        triage.withdraw(case, by=cast.theo)
    triage.withdraw(case, by=cast.rhea)
    assert (case.status, case.close_reason) == ("closed", "withdrawn")


def test_a_version_of_another_target_carries_no_fix(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    with pytest.raises(Invalid):
        remediation.deploy_fix(case, by=cast.olga, version=cast.v1, summary="The same one.")
    with pytest.raises(Invalid):
        remediation.deploy_fix(case, by=cast.olga, version=cast.v3, summary=" ")
    with pytest.raises(NotAllowed):
        remediation.deploy_fix(case, by=cast.theo, version=cast.v3, summary="Mine.")


def test_vulnerable_is_vulnerable(cast: Cast) -> None:
    case = make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    assert play(link.replay, vulnerable).verdict_word == "reproduced"
