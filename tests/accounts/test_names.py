"""Names that deceive: those that cannot be seen, and those of somebody on a team."""

from __future__ import annotations

import doctest

import pytest
from django.test import Client

from manyeyes.accounts.people import change_settings
from manyeyes.publications import credit
from manyeyes.rules import names
from manyeyes.rules.errors import Invalid
from tests.people import Cast, make_case, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


def test_the_rules_say_what_they_say() -> None:
    assert doctest.testmod(names).failed == 0


def test_nobody_takes_the_name_of_somebody_on_a_team(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.rhea)
    for taken in (cast.theo.name, cast.theo.name.upper(), f" {cast.theo.name.replace(' ', '  ')}"):
        answer = browser.post("/my/settings/", {"handle": "rhea_k", "display_name": taken, "wants_mail": "on"})
        assert answer.status_code == 422, taken
        assert "is the name of somebody on a team here" in answer.content.decode()
    cast.rhea.refresh_from_db()
    assert cast.rhea.name != cast.theo.name
    change_settings(cast.lena, handle=cast.lena.handle, display_name=cast.theo.name, wants_mail=True)


def test_a_handle_that_would_be_shown_is_held_to_the_same(cast: Cast) -> None:
    change_settings(cast.theo, handle=cast.theo.handle, display_name="Theodora", wants_mail=True)
    with pytest.raises(Invalid) as refused:
        change_settings(cast.rhea, handle="theodora", display_name="", wants_mail=True)
    assert set(refused.value.fields) == {"handle"}


def test_who_had_the_name_first_may_still_change_the_rest(cast: Cast) -> None:
    change_settings(cast.rhea, handle="rhea_k", display_name="Rhea K.", wants_mail=True)
    change_settings(cast.theo, handle=cast.theo.handle, display_name="Rhea K.", wants_mail=True)
    change_settings(cast.rhea, handle="rhea_k", display_name="Rhea K.", wants_mail=False)
    assert not cast.rhea.wants_mail


@pytest.mark.parametrize("name", ["Rhea\u202eK", "\u3164", "\u2800", "Rhea\u200b"])
def test_a_credit_is_held_to_the_rule_of_the_profile(cast: Cast, name: str) -> None:
    case = make_case(cast, at="triaged")
    with pytest.raises(Invalid) as refused:
        credit.choose(case, by=cast.rhea, mode="name", name=name)
    assert set(refused.value.fields) == {"name"}
    assert credit.of(case, cast.rhea) is None
