"""The promises: what stops them, what pauses them."""

from __future__ import annotations

from datetime import timedelta

from manyeyes.cases import (
    reproduction,
    triage,
)
from manyeyes.cases.clocks import clocks
from manyeyes.rules import clock
from manyeyes.rules.deadlines import Clock
from tests.people import Cast, make_case


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
