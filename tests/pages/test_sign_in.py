"""The sign-in pages wear the same clothes, and no page gives a browser anything to run that is not ours."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.http import HttpResponse
from django.test import Client

from manyeyes.accounts.models import Person

OPEN = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/password/reset/done/"]
OWN = ["/accounts/logout/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/email/"]
OWN += ["/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/"]
SCREENED = r'\sstyle="|<style|\son[a-z]+="|javascript:'


def dressed(answer: HttpResponse) -> str:
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "css/manyeyes.css" in page
    assert not re.search(SCREENED, page)
    assert len(re.findall(r"<h1[ >]", page)) == 1
    for control in re.findall(r"<input(?![^>]*hidden)[^>]*>", page):
        name = re.search(r'id="([^"]+)"', control)
        assert name
        assert f'for="{name.group(1)}"' in page
    for script in re.findall(r"<script\b[^>]*>", page):
        assert "src=" in script or "application/json" in script
    return page


@pytest.mark.django_db
@pytest.mark.parametrize("path", OPEN)
def test_pages_before_sign_in(client: Client, path: str) -> None:
    dressed(client.get(path))


@pytest.mark.django_db
def test_a_wrong_password_is_told_beside_the_form(client: Client) -> None:
    page = dressed(client.post("/accounts/login/", {"login": "nobody@larkfield.example", "password": "wrong"}))
    assert "There is a problem" in page
    assert "<title>Error: " in page
    assert "nobody@larkfield.example" in page


@pytest.mark.django_db
def test_pages_after_sign_in(client: Client) -> None:
    person = Person.objects.create(email="mina@larkfield.example", handle="mina")
    person.set_password("a-long-enough-word-42")
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    answer = client.post("/accounts/login/", {"login": person.email, "password": "a-long-enough-word-42"})
    assert answer.status_code == 302
    dressed(client.get("/accounts/reauthenticate/"))
    client.post("/accounts/reauthenticate/", {"password": "a-long-enough-word-42"})
    for path in OWN:
        dressed(client.get(path))
    assert 'class="btn go"' in client.get("/accounts/2fa/totp/activate/").content.decode()


@pytest.mark.django_db
def test_what_is_absent_is_one_page_without_the_address(client: Client) -> None:
    one, other = client.get("/nothing-here/"), client.get("/p/nobody/")
    assert (one.status_code, other.status_code) == (404, 404)
    assert one.content == other.content
    assert b"nothing-here" not in one.content
