"""The list of sign-ins: how, on what kind of device, which is this one; no place, and nothing of a receipt's bearer."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.db import connection
from django.test import Client

from manyeyes.accounts import devices, sessions
from manyeyes.accounts.models import SignIn
from manyeyes.cases import intake
from manyeyes.publications.personal import everything
from tests.accounts.provider import CLIENT, SECRET, Provider, running
from tests.marker import find_in_database
from tests.people import PASSWORD, Cast, make_cast, make_report

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"
SESSIONS = "/my/settings/sessions/"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """The organisation's own sign-in."""
    with running() as server:
        settings.MANYEYES_OIDC_ISSUER, settings.MANYEYES_OIDC_CLIENT_ID = server.issuer, CLIENT
        settings.MANYEYES_OIDC_CLIENT_SECRET, settings.MANYEYES_REQUIRE_MFA = SECRET, False
        server.email = "theo@larkfield.example"
        yield server


def with_password(email: str, agent: str = FIREFOX) -> Client:
    """Somebody who typed their password into the page."""
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    client.get("/my/")
    return client


def listed(client: Client) -> str:
    """The page, as a line of words."""
    page = client.get(SESSIONS).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_a_password_and_the_kind_of_device_are_shown(cast: Cast) -> None:
    here = with_password(cast.rhea.email)
    with_password(cast.rhea.email, PHONE)
    page = listed(here)
    assert "This browser Firefox, Linux Signed in with: password" in page
    assert "Another browser Safari, iPhone" in page
    assert "150" not in page, "no version, by which one could be told from many"
    assert find_in_database("Firefox, Linux", connection) == [], "encrypted where it lies"
    taken = everything(cast.rhea)["profile"]["sign_ins"]
    assert {(row["device"], *row["with"]) for row in taken} == {
        ("Firefox, Linux", "password"), ("Safari, iPhone", "password"),
    }, "and what is kept can be taken along"  # fmt: skip


def test_the_example_of_a_device_is_true() -> None:
    assert doctest.testmod(devices) == (0, 2)


def test_a_second_factor_is_part_of_how(cast: Cast) -> None:
    totp.TOTP.activate(cast.theo, TOTP_SECRET)
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/accounts/login/", {"login": cast.theo.email, "password": PASSWORD})
    code = totp.format_hotp_value(totp.hotp_value(TOTP_SECRET, next(totp.yield_hotp_counters_from_time())))
    assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert client.get("/my/").status_code == 200
    assert "Signed in with: password, code of the authenticator" in listed(client)


def test_the_organisations_sign_in_is_named(cast: Cast, provider: Provider) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.get("/sign-in/provider/back/", provider.authorize(client.post("/sign-in/provider/")["Location"]))
    client.get("/my/")
    assert "Signed in with: your organisation" in listed(client)
    assert find_in_database("subject-u-17", connection) == []


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"method": "mfa", "type": "webauthn", "passwordless": True}, "passkey"),
        ({"method": "code"}, "a code by mail"),
        ({"method": "mfa", "type": "recovery_codes"}, "recovery code"),
        ({"method": "something new"}, ""),
    ],
)
def test_what_the_library_recorded_is_said_in_words(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any], words: str
) -> None:
    again = {"method": "password", "reauthenticated": True}
    monkeypatch.setattr(sessions, "get_authentication_records", lambda *_: [record, again])
    client = Client()
    client.force_login(cast.rhea)
    client.get("/my/")
    assert sessions.ways_words(SignIn.objects.get()) == words


def test_of_a_receipts_bearer_no_device_is_kept(cast: Cast) -> None:
    sent = intake.submit(cast.program, make_report(cast, anonymous=True))
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/return/", {"digits": sent.receipt})
    client.get("/my/")
    assert "Signed in with: receipt" in listed(client)
    assert SignIn.objects.get(person=sent.case.reporter).sealed_device == ""


def test_one_this_and_all_can_be_signed_out(cast: Cast) -> None:
    here, there, third = (with_password(cast.rhea.email) for _ in range(3))
    assert here.post(SESSIONS, {"end": "here"}).status_code == 302
    assert [client.get("/my/").status_code for client in (here, there, third)] == [302, 200, 200]
    assert there.post(SESSIONS, {"end": "all"}).status_code == 302
    assert [client.get("/my/").status_code for client in (there, third)] == [302, 302]
