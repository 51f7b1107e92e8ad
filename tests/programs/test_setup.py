"""Programs are made in one step, people get roles, strangers see only what is open."""

from __future__ import annotations

import pytest

from manyeyes.accounts.models import Person
from manyeyes.programs import access
from manyeyes.programs.models import Program
from manyeyes.programs.setup import add_member, create_program, invite
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.lifecycle import Role

pytestmark = pytest.mark.django_db


def person(name: str) -> Person:
    return Person.objects.create_person(email=f"{name}@larkfield.example", handle=name)


def test_one_person_may_hold_several_roles_and_both_disciplines() -> None:
    lena = person("lena")
    roles = {Role.PROGRAM_MANAGER, Role.SECURITY_TRIAGER, Role.ML_TRIAGER}
    program = create_program(slug="wicket", name="Wicket", organisation="Larkfield", members={lena: roles}, public=True)
    assert access.roles_of(lena, program) == roles
    assert access.disciplines_of(lena, program) == {"security", "ml"}
    assert access.members_with(program, Role.ML_TRIAGER) == [lena]
    assert access.roles_of(person("stranger"), program) == frozenset()
    assert access.roles_of(None, program) == frozenset()
    assert program.policy is not None
    assert program.policy.published_by == lena


def test_private_program_is_absent_for_strangers() -> None:
    lena, other = person("lena"), person("other")
    create_program(slug="quiet", name="Quiet", organisation="Larkfield", members={lena: [Role.PROGRAM_MANAGER]})
    create_program(slug="open", name="Open", organisation="Larkfield", public=True)
    assert {p.slug for p in access.visible_to(lena)} == {"quiet", "open"}
    assert {p.slug for p in access.visible_to(other)} == {"open"}
    assert {p.slug for p in access.visible_to(None)} == {"open"}
    assert access.program_for(lena, "quiet").slug == "quiet"
    with pytest.raises(NotFound) as hidden:
        access.program_for(other, "quiet")
    with pytest.raises(NotFound) as absent:
        access.program_for(other, "nothing")
    assert str(hidden.value) == str(absent.value)


def test_each_program_has_its_own_key() -> None:
    first = create_program(slug="one", name="One", organisation="Larkfield")
    second = create_program(slug="two", name="Two", organisation="Larkfield")
    assert first.key_id != second.key_id
    with pytest.raises(Conflict):
        create_program(slug="one", name="Again", organisation="Larkfield")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Wicket!"),
        ("slug", "-w"),
        ("slug", "w" * 41),
        ("slug", "w\n"),
        ("name", " "),
        ("name", "a\x00b"),
        ("name", "n" * 121),
        ("organisation", "two\nlines"),
        ("contact_email", "nobody"),
        ("zone", "Atlantis/Centre"),
        ("zone", "../../etc/passwd"),
    ],
)
def test_bad_field_is_named_and_nothing_is_made(field: str, value: str) -> None:
    good = {"slug": "wicket", "name": "Wicket", "organisation": "Larkfield", "contact_email": "", "zone": "UTC"}
    with pytest.raises(Invalid) as refused:
        create_program(**{**good, field: value})
    assert set(refused.value.fields) == {field}
    assert not Program.objects.exists()


def test_roles_that_no_team_member_can_hold_are_refused() -> None:
    program = create_program(slug="wicket", name="Wicket", organisation="Larkfield")
    for roles in ([Role.REPORTER], [Role.SYSTEM], []):
        with pytest.raises(Invalid):
            add_member(program, person(f"p{len(roles)}{roles}"[:20]), roles)


def test_people_of_a_team_are_not_called_researchers(db: None) -> None:
    program = create_program(slug="wicket", name="Wicket", organisation="Larkfield")
    found = [
        invite(program, email=f"{name}@larkfield.example", name="", roles=[Role.ML_TRIAGER])[0].handle
        for name in ("theo", "mina", "olga")
    ]
    assert found == ["wicket-team", "wicket-team-2", "wicket-team-3"]
