"""The promises: what stops them, what pauses them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from manyeyes.cases import attachments, conversation, disclosure, intake, queue, remediation, reproduction, triage
from manyeyes.cases.clocks import clocks
from manyeyes.programs.setup import add_member
from manyeyes.rules import clock
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.errors import NotAllowed
from manyeyes.rules.lifecycle import Role
from tests.people import REPRODUCER, Cast, make_case, patched, verify


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


def test_noting_a_fact_is_no_answer_to_the_researcher(cast: Cast) -> None:
    case = make_case(cast, at="new")
    triage.exploited(case, by=cast.theo)
    remediation.mitigated(case, by=cast.theo, words="The route is switched off.")
    intake.attach_reproducer(case, by=cast.theo, text=REPRODUCER)
    assert next(one for one in clocks(case) if one.name == "first_answer").done_at is None
    assert case.acknowledged_at is None


def test_the_stored_first_answer_is_the_one_of_the_log(cast: Cast) -> None:
    case = make_case(cast, at="new")
    disclosure.propose_embargo(case, by=cast.lena, until=clock.now() + timedelta(days=30))
    said = next(one for one in clocks(case) if one.name == "first_answer").done_at
    assert said is not None
    assert case.acknowledged_at == said
    conversation.say(case, by=cast.theo, text="I have read it.", public=True)
    assert case.acknowledged_at == said


def test_an_appeal_is_owed_an_answer_until_a_person_gives_one(cast: Cast) -> None:
    case = make_case(cast, at="acknowledged")
    triage.close(case, by=cast.theo, reason="informative", words="This is known to everybody.")
    assert case.due_at is None
    triage.appeal(case, by=cast.rhea, words="It is not known to anybody.")
    [owed] = [one for one in clocks(case) if one.running]
    assert owed.name == "appeal"
    assert owed.due == case.due_at
    [row] = [row for row in queue.rows(queue.cases(cast.theo)) if row.case == case]
    assert (row.group, row.todo) == ("team", "an answer to the appeal")
    conversation.say(case, by=cast.theo, text="I closed it, and a word of mine decides no appeal.", public=True)
    assert case.due_at is not None
    triage.uphold(case, by=cast.mina, words="We looked again, and it stays closed.")
    assert case.due_at is None
    assert case not in queue.cases(cast.theo)


def test_a_member_of_the_team_does_not_answer_their_own_report(cast: Cast) -> None:
    case = make_case(cast, at="new", by=cast.theo)
    conversation.say(case, by=cast.theo, text="One more thing about my report.", public=True)
    attachments.attach(case, by=cast.theo, chunks=[b"a picture"], name="wicket.txt")
    triage.ask_researcher(case, by=cast.theo, text="A question to myself.")
    assert case.acknowledged_at is None
    assert next(one for one in clocks(case) if one.name == "first_answer").done_at is None
    conversation.say(case, by=cast.mina, text="I have read it.", public=True)
    assert case.acknowledged_at is not None


def test_an_admin_administers_and_does_not_speak_for_the_team(cast: Cast) -> None:
    case = make_case(cast, at="new")
    for public in (True, False):
        with pytest.raises(NotAllowed):
            conversation.say(case, by=cast.ada, text="Hello.", public=public)
    assert case.acknowledged_at is None
    add_member(cast.program, cast.ada, [Role.ADMIN, Role.SECURITY_TRIAGER])
    conversation.say(case, by=cast.ada, text="I have read it.", public=True)
    assert case.acknowledged_at is not None


def test_the_clock_of_the_fix_runs_again_once_the_fix_is_refuted(cast: Cast) -> None:
    case = make_case(cast, at="retesting")

    def fix() -> Clock:
        return next(one for one in clocks(case) if one.name == "fix")

    due = fix().due
    assert fix().done_at is not None
    verify(cast, case, patched)
    case.refresh_from_db()
    assert case.status == "remediating"
    assert fix().running
    assert fix().due == due
    remediation.deploy_fix(case, by=cast.olga, version=cast.v2, summary="Out of the prompt.")
    assert fix().done_at is not None
