"""Errors, the clock and public references."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules import clock, reference
from manyeyes.rules.errors import Conflict, IllegalMove, Invalid, NotFound, Refused, Stale

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_refusal_carries_its_sentence() -> None:
    assert Refused().message == str(Refused()) == "This is not possible."
    assert IllegalMove("No.", missing=("rated",)).missing == ["rated"]
    assert str(NotFound()) == "There is nothing here."


def test_invalid_input_names_its_fields() -> None:
    error = Invalid({"title": "Give a title."}, target="Choose a target.")
    assert error.fields == {"title": "Give a title.", "target": "Choose a target."}
    assert str(error) == "title: Give a title. target: Choose a target."
    assert str(Invalid()) == "Invalid input."


def test_a_stale_form_says_which_versions_met() -> None:
    error = Stale("Theo L. was first.", seen=3, now=5)
    assert isinstance(error, Conflict)
    assert (error.message, error.seen, error.now) == ("Theo L. was first.", 3, 5)


def test_the_clock_is_aware_and_can_be_frozen() -> None:
    assert clock.now().tzinfo is UTC
    with clock.freeze(MOMENT):
        assert clock.now() == MOMENT
        with clock.freeze(MOMENT + timedelta(days=1)):
            assert clock.now() == MOMENT + timedelta(days=1)
        assert clock.advance(timedelta(hours=2)) == clock.now() == MOMENT + timedelta(hours=2)
    assert clock.now() != MOMENT


def test_a_free_clock_cannot_be_advanced_and_naive_times_are_refused() -> None:
    with pytest.raises(RuntimeError, match="freeze"):
        clock.advance(timedelta(hours=1))
    with pytest.raises(ValueError, match="no time zone"):
        clock.aware(datetime(2026, 11, 23))  # noqa: DTZ001 -- the naive time is the point
    assert clock.aware(datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=1)))) == MOMENT


def test_references_are_well_formed_and_differ() -> None:
    made = {reference.new_reference() for _ in range(200)}
    assert len(made) == 200
    assert all(reference.is_reference(one) for one in made)


@given(st.text(alphabet=reference.ALPHABET, min_size=8, max_size=8), st.sampled_from(["", "ME", "me ", "Me-"]))
def test_what_people_type_becomes_the_reference(letters: str, prefix: str) -> None:
    meant = f"ME-{letters[:4]}-{letters[4:]}"
    assert reference.normalise(f"  {prefix}{letters[:4].lower()} {letters[4:]}\n") == meant
    assert reference.normalise(meant) == meant


def test_look_alikes_are_mended_and_others_refused() -> None:
    assert reference.normalise("ME-BSZU-7K3F") == "ME-852V-7K3F"
    with pytest.raises(Invalid, match="eight letters"):
        reference.normalise("ME-7K3F-Q2M")
    with pytest.raises(Invalid, match=r"never has 0, I"):
        reference.normalise("ME-7K3F-Q20I")
    assert not reference.is_reference("me-7k3f-q2m4")
    assert not reference.is_reference("nothing")
