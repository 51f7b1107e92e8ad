"""Bringing people into the team, opening the program, and where sign-in leads."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from manyeyes.accounts.models import Person
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.rules.lifecycle import Role
from tests.people import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Any:
    return make_cast()


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_manager_brings_somebody_in_and_sees_the_password_once(cast: Any, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    lena = signed_in(cast.lena)
    address = f"/desk/program/{cast.program.slug}/person/"
    given = {"email": "nora@example.org", "name": "Nora N.", "roles": ["ml_triager"]}
    answer = lena.post(address, given)
    assert answer.status_code == 201
    person = Person.objects.get(email="nora@example.org")
    assert roles_of(person, cast.program) == {Role.ML_TRIAGER}
    password = answer.context["password"]
    assert person.check_password(password)
    assert password not in lena.get(f"/desk/program/{cast.program.slug}/").content.decode()
    assert lena.post(address, {**given, "roles": ["auditor"]}).status_code == 302, "known already: no new password"
    assert roles_of(person, cast.program) == {Role.AUDITOR}


def test_bad_answers_are_named(cast: Any, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    answer = signed_in(cast.lena).post(f"/desk/program/{cast.program.slug}/person/", {"email": "no", "name": "x" * 90})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "roles"}
    assert not Person.objects.filter(email="no").exists()


def test_only_managers_bring_in(cast: Any, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    given = {"email": "nora@example.org", "name": "", "roles": ["admin"]}
    assert signed_in(cast.theo).post(f"/desk/program/{cast.program.slug}/person/", given).status_code == 403
    assert signed_in(cast.eve).post(f"/desk/program/{cast.program.slug}/person/", given).status_code == 404
    assert not Person.objects.filter(email="nora@example.org").exists()


def test_a_private_program_is_opened(cast: Any, settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False
    Program.objects.filter(pk=cast.program.pk).update(state="private")
    assert Client().get(f"/p/{cast.program.slug}/").status_code == 404
    lena = signed_in(cast.lena)
    assert b"Open to the public" in lena.get(f"/desk/program/{cast.program.slug}/").content
    answer = lena.post(f"/desk/program/{cast.program.slug}/open/")
    assert answer.headers["Location"] == f"/desk/program/{cast.program.slug}/launch/"
    assert Client().get(f"/p/{cast.program.slug}/").status_code == 404


def test_sign_in_leads_the_team_to_its_desk(cast: Any) -> None:
    assert signed_in(cast.theo).get("/start/").headers["Location"] == "/desk/"
    assert signed_in(cast.rhea).get("/start/").headers["Location"] == "/my/"
    assert b'href="/desk/"' in signed_in(cast.theo).get("/thanks/").content
    assert b'href="/desk/"' not in signed_in(cast.rhea).get("/thanks/").content
