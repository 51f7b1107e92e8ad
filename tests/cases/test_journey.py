"""The whole path at function level: from the first report to a resolved case, and the ways it can turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from manyeyes import events
from manyeyes.cases import (
    disclosure,
    remediation,
    replayed,
    reproduction,
    rootcause,
    timeline,
    verification,
)
from manyeyes.engine.plan import Stream, Trial
from manyeyes.replays import manual
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotAllowed
from tests.people import Cast, fixed, make_case, make_cast, patched, play, verify, vulnerable


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


@pytest.mark.parametrize("rung", ["new", "triaged", "confirmed", "fix_deployed", "retesting"])
def test_every_status_can_be_reached_by_verbs(cast: Cast, rung: str) -> None:
    assert make_case(cast, at=rung).status == rung


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


def test_a_verification_that_ends_later_does_not_undo_the_researchers_disagreement(cast: Cast) -> None:
    case = make_case(cast, at="retesting")
    verification.researcher_retests(case, by=cast.rhea, k=2, n=10, transcript="It told me.", agrees=False)
    verify(cast, case)
    [statement] = verification.statements(case)
    assert statement.link is not None
    assert statement.link.verdict == "holds"
    assert statement.fix.outcome == "retest_refuted"
    assert not statement.holds


def test_the_version_with_the_fix_is_the_one_in_service_also_when_it_was_refuted(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    vulnerable_one = case.target_version
    assert cast.target.current == cast.v1
    remediation.deploy_fix(case, by=cast.olga, version=cast.v2, summary="A filter.")
    assert cast.target.current == cast.v2
    verification.request(case, by=cast.olga, tau=0.05)
    verify(cast, case, patched)
    case.refresh_from_db()
    assert cast.target.current == cast.v2, "a refuted fix is still what runs"
    remediation.deploy_fix(case, by=cast.olga, version=cast.v3, summary="Out of the prompt.")
    assert cast.target.current == cast.v3
    assert case.target_version == vulnerable_one == cast.v1


def test_a_version_in_service_keeps_its_date_and_a_retired_one_carries_no_fix(cast: Cast) -> None:
    case = make_case(cast, at="remediating")
    cast.v2.retired_at = clock.now()
    cast.v2.save()
    with pytest.raises(Invalid) as refused:
        remediation.deploy_fix(case, by=cast.olga, version=cast.v2, summary="A filter.")
    assert list(refused.value.fields) == ["version"]
    since = clock.now() - timedelta(days=1)
    cast.v3.deployed_at, cast.v3.api_key = since, "sk-wicket"
    cast.v3.save()
    remediation.deploy_fix(case, by=cast.olga, version=cast.v3, summary="Out of the prompt.")
    cast.v3.refresh_from_db()
    assert (cast.v3.deployed_at, cast.v3.api_key) == (since, "sk-wicket")
