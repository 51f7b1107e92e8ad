"""The embargo machine, and what may cross to the researcher."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules import clock
from manyeyes.rules.embargo import State, Term, check_agreement, check_proposal, check_publication, standing
from manyeyes.rules.errors import EmbargoInForce, IllegalMove, Invalid, NotAllowed
from manyeyes.rules.visibility import TEAM_ONLY, fields_for_researcher, name_outside, shown_to_researcher

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = timedelta(days=1)
PROPOSED = Term(until=AT + 87 * DAY, side="team", proposed_at=AT - 3 * DAY)
AGREED = replace(PROPOSED, agreed_at=AT - 2 * DAY)


def test_no_embargo_lets_everybody_publish() -> None:
    assert standing([], AT).state is State.NONE
    check_publication([], AT)


def test_a_proposal_binds_nobody_and_the_other_side_accepts_it() -> None:
    found = standing([PROPOSED], AT)
    assert (found.state, found.in_force, found.proposal) == (State.PROPOSED, None, PROPOSED)
    check_publication([PROPOSED], AT)
    assert check_agreement([PROPOSED], "reporter", AT) is PROPOSED
    with pytest.raises(NotAllowed):
        check_agreement([PROPOSED], "team", AT)


def test_an_agreed_date_holds_until_its_hour() -> None:
    assert standing([AGREED], AT).state is State.AGREED
    with clock.freeze(AT), pytest.raises(EmbargoInForce, match="before Thu 18 Feb 2027, 08:00 UTC"):
        check_publication([AGREED])
    assert standing([AGREED], AGREED.until).state is State.ENDED
    check_publication([AGREED], AGREED.until)


def test_an_embargo_may_end_early() -> None:
    ended = replace(AGREED, ended_at=AT)
    assert standing([ended], AT).state is State.ENDED
    assert standing([ended], AT - timedelta(seconds=1)).state is State.AGREED


def test_moving_the_date_is_a_proposal_that_lifts_nothing() -> None:
    sooner = Term(until=AT + 5 * DAY, side="reporter", proposed_at=AT - DAY)
    found = standing([AGREED, sooner], AT)
    assert (found.state, found.in_force, found.proposal) == (State.AGREED, AGREED, sooner)
    accepted = replace(sooner, agreed_at=AT)
    assert standing([AGREED, accepted], AT).in_force is accepted
    assert standing([AGREED, accepted], AT + 6 * DAY).state is State.ENDED


def test_nothing_to_agree_to() -> None:
    with pytest.raises(IllegalMove) as refusal:
        check_agreement([AGREED], "reporter", AT)
    assert refusal.value.missing == ["proposal"]
    stale = replace(PROPOSED, until=AT)
    assert standing([stale], AT).state is State.NONE


def test_a_proposed_date_lies_within_ten_years() -> None:
    check_proposal(AT + 3650 * DAY, AT)
    for until in (AT + 3651 * DAY, datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(Invalid, match="Choose one up to Thu 20 Nov 2036"):
            check_proposal(until, AT)


def test_a_proposed_date_lies_ahead_and_names_its_zone() -> None:
    check_proposal(AT + DAY, AT)
    with pytest.raises(Invalid, match="passed"):
        check_proposal(AT, AT)
    with clock.freeze(AT), pytest.raises(Invalid, match="passed"):
        check_proposal(AT - DAY)
    with pytest.raises(Invalid, match="time zone"):
        check_proposal(datetime(2027, 1, 1), AT)  # noqa: DTZ001 -- the naive date is the point


def test_the_researcher_sees_public_acts_without_their_inside() -> None:
    data = {"verdict": "reproduced", "n": 8, "k": 7, "cost": 4, "price": 1, "to": "person:1", "rating": "x"}
    assert fields_for_researcher("replay.concluded", True, data) == {"verdict": "reproduced", "n": 8, "k": 7}
    assert fields_for_researcher("replay.concluded", False, data) is None


@given(st.sampled_from(sorted(TEAM_ONLY)), st.booleans())
def test_some_kinds_never_cross_whatever_their_flag(kind: str, public: bool) -> None:
    assert not shown_to_researcher(kind, public)
    assert fields_for_researcher(kind, public, {"verdict": "x"}) is None


def test_names_outside_are_a_first_name_and_an_initial() -> None:
    assert name_outside("Theo van lindt") == "Theo L."
    assert name_outside("Olga") == "Olga"
    assert name_outside("") == ""
