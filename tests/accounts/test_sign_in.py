"""Accounts through allauth's own doors: sign-up with a code, password, second factor; no address kept anywhere."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client

from manyeyes.accounts.adapter import AccountAdapter
from manyeyes.accounts.models import Person
from manyeyes.accounts.people import create_account
from manyeyes.rules.errors import Invalid
from tests import marker

ADDRESS = "203.0.113.77"
BROWSER = "RecognisableBrowser/1.0"
PASSWORD = "a long enough passphrase"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_allauth(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.accounts.urls"
    settings.MFA_ADAPTER = "manyeyes.accounts.adapter.MfaAdapter"
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/ip", "login": "30/m/ip", "signup": "20/m/ip"}
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ]
    cache.clear()


@pytest.fixture
def browser() -> Client:
    return Client(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=BROWSER)


@pytest.fixture
def rhea() -> Person:
    return create_account(email="Rhea@Example.org", handle="rhea_k", password=PASSWORD)


def sign_in(browser: Client, password: str = PASSWORD) -> Any:
    return browser.post("/accounts/login/", {"login": "rhea@example.org", "password": password})


def test_a_researcher_signs_up_with_the_code_from_the_mail(browser: Client) -> None:
    answer = browser.post("/accounts/signup/", {"email": "New@Example.org", "password1": PASSWORD})
    assert answer.status_code == 302, answer.content
    assert browser.get("/my/").content == b"nobody"  # not before the address is confirmed
    found = re.search(r"^[A-Z0-9\-]{6,}$", str(mail.outbox[0].body), re.M)
    assert found is not None
    answer = browser.post("/accounts/confirm-email/", {"code": found[0]})
    assert answer.status_code == 302, answer.content
    person = Person.objects.get()
    assert (person.email, person.kind, person.is_staff) == ("new@example.org", "account", False)
    assert re.fullmatch(r"researcher-[0-9a-f]{8}", person.handle)
    assert browser.get("/my/").content.decode() == person.handle
    assert EmailAddress.objects.get().verified


def test_sign_up_can_be_closed(browser: Client, settings: Any) -> None:
    settings.MANYEYES_OPEN_SIGNUP = False
    browser.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert not Person.objects.exists()


def test_signing_up_twice_does_not_tell_who_is_here(browser: Client, rhea: Person) -> None:
    fresh = browser.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    other = Client(REMOTE_ADDR=ADDRESS).post("/accounts/signup/", {"email": "rhea@example.org", "password1": PASSWORD})
    assert (fresh.status_code, fresh["Location"]) == (other.status_code, other["Location"])
    assert Person.objects.filter(email="rhea@example.org").count() == 1


def test_password_sign_in(browser: Client, rhea: Person) -> None:
    assert sign_in(browser, "wrong").status_code == 200
    assert browser.get("/my/").content == b"nobody"
    assert sign_in(browser).status_code == 302
    assert browser.get("/my/").content == b"rhea_k"


def test_the_second_factor_is_asked_for_and_stored_sealed(browser: Client, rhea: Person) -> None:
    TOTP.activate(rhea, TOTP_SECRET)
    assert Authenticator.objects.get().data["secret"] != TOTP_SECRET
    assert marker.find_in_database(TOTP_SECRET, connection) == []
    assert sign_in(browser)["Location"].startswith("/accounts/2fa/authenticate/")
    assert browser.get("/my/").content == b"nobody"
    browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert browser.get("/my/").content == b"nobody"
    code = format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30))
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    assert browser.get("/my/").content == b"rhea_k"


def test_no_network_address_and_no_browser_is_kept(browser: Client, rhea: Person) -> None:
    sign_in(browser, "wrong")
    assert sign_in(browser).status_code == 302
    browser.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    held = repr(list(cache._cache.items())).encode()  # type: ignore[attr-defined]
    assert len(cache._cache) > 0  # type: ignore[attr-defined]
    for trace in (ADDRESS, BROWSER):
        assert marker.find_in_database(trace, connection) == []
        assert marker.found_in(trace, held) == set()
        assert trace not in "".join(str(message.message()) for message in mail.outbox)


def test_the_table_of_sessions_with_addresses_is_not_there(settings: Any) -> None:
    assert "allauth.usersessions" not in settings.INSTALLED_APPS
    columns = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            columns += [c.name for c in connection.introspection.get_table_description(cursor, table)]
    assert [name for name in columns if re.search(r"(^|_)ip(_|$)|address$|user_agent", name)] == []


def test_guessing_is_slowed_down_by_caller(rhea: Person) -> None:
    guesser, other = Client(REMOTE_ADDR=ADDRESS), Client(REMOTE_ADDR="203.0.113.78")
    for _ in range(6):
        sign_in(guesser, "wrong")
    sign_in(guesser)
    assert guesser.get("/my/").content == b"nobody"
    assert AccountAdapter().get_client_ip(guesser.get("/my/").wsgi_request) != AccountAdapter().get_client_ip(
        other.get("/my/").wsgi_request
    )


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "RHEA@example.org"}, "email"),
        ({"handle": "RHEA_K"}, "handle"),
        ({"handle": "<b>"}, "handle"),
        ({"display_name": "x" * 81}, "display_name"),
        ({"display_name": "Rhea\u202eK"}, "display_name"),
        ({"display_name": "\u3164"}, "display_name"),
        ({"display_name": "\u2800 \u2800"}, "display_name"),
    ],
)
def test_accounts_that_cannot_be_are_refused_by_field(rhea: Person, facts: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        create_account(**{"email": "other@example.org", "handle": "other", **facts})
    assert set(caught.value.fields) == {field}
    assert Person.objects.count() == 1


def test_people_without_an_address_do_not_collide_and_show_no_address(rhea: Person) -> None:
    for _ in range(3):
        Person.objects.create_person(email="")
    assert Person.objects.filter(email__isnull=True).count() == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create_person(email=" RHEA@example.org ")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create_person(handle="Rhea_K")
    assert "example.org" not in str(rhea) + repr(rhea)
    assert rhea.actor == f"person:{rhea.pk}"
