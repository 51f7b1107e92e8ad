"""What lies in a session while a sign-in is half done can be read nowhere in the database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.signing import dumps
from django.db import connection
from django.test import Client

from manyeyes.accounts.people import create_account
from tests import marker

PASSWORD = "a long enough passphrase"

pytestmark = pytest.mark.django_db


def signed_in() -> Client:
    create_account(email="rhea@larkfield.example", handle="rhea_k", password=PASSWORD)
    browser = Client()
    browser.post("/accounts/login/", {"login": "rhea@larkfield.example", "password": PASSWORD})
    return browser


def test_the_secret_of_an_authenticator_that_is_being_set_up(settings: Any) -> None:
    browser = signed_in()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    secret = browser.session[SECRET_SESSION_KEY]
    assert secret in page
    assert marker.find_in_database(secret, connection) == []
    settings.SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
    planted = Client()
    session = planted.session
    session["secret"] = secret
    session.save()
    assert marker.find_in_database(secret, connection) != [], "the scanner sees what is only signed"


def test_the_code_of_a_mail_that_waits_for_its_page() -> None:
    Client().post("/accounts/signup/", {"email": "new@larkfield.example", "password1": PASSWORD})
    code = re.search(r"^[A-Z0-9\-]{6,}$", str(mail.outbox[0].body), re.MULTILINE)
    assert code is not None
    assert marker.find_in_database(code[0], connection) == []


def test_a_session_of_before_or_of_another_key_is_none() -> None:
    browser = signed_in()
    row = Session.objects.get()
    held = row.get_decoded()
    row.session_data = dumps(held, salt="django.contrib.sessions.SessionStore", compress=True)
    row.save()
    assert row.get_decoded() == {}
    answer = browser.get("/my/")
    assert (answer.status_code, answer["Location"].startswith("/accounts/login/")) == (302, True)
