"""Sign-in through the organisation's own provider, played by one on this machine that vouches for anybody."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from tests.people import Cast, make_cast

BEGIN, BACK = "/sign-in/provider/", "/sign-in/provider/back/"
CLIENT, SECRET = "manyeyes-here", "a secret of ours"


class Provider(ThreadingHTTPServer):
    """A provider that vouches for whatever the test tells it to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.document: dict[str, Any] = {}
        self.broken = False


class Answers(BaseHTTPRequestHandler):
    """Its three pages."""

    server: Provider

    def do_GET(self) -> None:
        """What it says of itself."""
        it = self.server.issuer
        self._say({"issuer": it, "authorization_endpoint": f"{it}/authorize", "token_endpoint": f"{it}/token",
                   **self.server.document})  # fmt: skip

    def do_POST(self) -> None:
        """A token for a code."""
        typed = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked = {name: values[0] for name, values in parse_qs(typed).items()}
        body = base64.urlsafe_b64encode(json.dumps(self.server.claims).encode()).decode().rstrip("=")
        self._say({"id_token": f"e30.{body}.unsigned", "access_token": "unused"})

    def _say(self, data: Any) -> None:
        self.send_response(500 if self.server.broken else 200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A provider that answers, and the settings that name it."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.MANYEYES_OIDC_ISSUER, settings.MANYEYES_OIDC_CLIENT_ID = server.issuer, CLIENT
    settings.MANYEYES_OIDC_CLIENT_SECRET, settings.MANYEYES_REQUIRE_MFA = SECRET, False
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


def begin(client: Client) -> dict[str, str]:
    """Set off; what the provider is asked."""
    answer = client.post(BEGIN)
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def claims(provider: Provider, asked: dict[str, str], email: str, **more: Any) -> None:
    """Let the provider vouch for an address."""
    provider.claims = {"iss": provider.issuer, "aud": CLIENT, "exp": time.time() + 60, "nonce": asked["nonce"],
                       "email": email, "email_verified": True, **more}  # fmt: skip


def test_a_member_of_a_team_comes_in(cast: Cast, provider: Provider) -> None:
    client = Client()
    page = client.get("/accounts/login/").content.decode()
    assert "Sign in through your organisation" in page
    asked = begin(client)
    assert (asked["response_type"], asked["scope"], asked["client_id"]) == ("code", "openid email", CLIENT)
    claims(provider, asked, "Theo@Larkfield.example")
    answer = client.get(BACK, {"state": asked["state"], "code": "c-1"})
    assert answer.status_code == 302
    assert client.get("/desk/").status_code == 200
    verifier = provider.asked["code_verifier"]
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert hashed == asked["code_challenge"]
    assert (provider.asked["code"], provider.asked["client_secret"]) == ("c-1", SECRET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "rhea@larkfield.example"},  # an account, of no team
        {"email": "nobody@larkfield.example"},
        {"email": ""},
        {"email_verified": False},
        {"email_verified": "true"},
        {"iss": "https://elsewhere.example"},
        {"aud": "another-site"},
        {"aud": [CLIENT, "another-site"]},
        {"exp": 1},
        {"exp": "soon"},
        {"nonce": "replayed"},
    ],
)
def test_nobody_else_comes_in(cast: Cast, provider: Provider, wrong: dict[str, Any]) -> None:
    client = Client()
    asked = begin(client)
    claims(provider, asked, **{"email": "theo@larkfield.example", **wrong})
    answer = client.get(BACK, {"state": asked["state"], "code": "c-1"})
    assert answer.status_code == 403
    assert client.get("/my/").status_code == 302


def test_who_has_no_account_and_who_is_on_no_team_read_the_same(cast: Cast, provider: Provider) -> None:
    said = []
    for email in ("rhea@larkfield.example", "nobody@larkfield.example"):
        client = Client()
        asked = begin(client)
        claims(provider, asked, email)
        said.append(client.get(BACK, {"state": asked["state"], "code": "c-1"}).content)
    assert said[0] == said[1]


def test_a_state_is_good_once_and_for_its_browser(cast: Cast, provider: Provider) -> None:
    mine, other = Client(), Client()
    asked = begin(mine)
    claims(provider, asked, "theo@larkfield.example")
    given = {"state": asked["state"], "code": "c-1"}
    assert other.get(BACK, given).status_code == 403
    assert mine.get(BACK, {**given, "state": "guessed"}).status_code == 403
    assert mine.get(BACK, given).status_code == 403, "the wrong guess spent it"
    asked = begin(mine)
    claims(provider, asked, "theo@larkfield.example")
    assert mine.get(BACK, {"state": asked["state"], "code": "c-2"}).status_code == 302


def test_a_second_factor_is_asked_for_as_always(cast: Cast, provider: Provider) -> None:
    TOTP.activate(cast.theo, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = Client()
    asked = begin(client)
    claims(provider, asked, "theo@larkfield.example")
    answer = client.get(BACK, {"state": asked["state"], "code": "c-1"})
    assert "/2fa/authenticate" in answer["Location"]
    assert client.get("/desk/").status_code == 302


def test_a_provider_that_fails_or_lies_is_told_plainly(cast: Cast, provider: Provider) -> None:
    for document in (
        {"issuer": "https://elsewhere.example"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": ""},
    ):
        provider.document = document
        assert Client().post(BEGIN).status_code == 403, document
    provider.document, provider.broken = {}, True
    answer = Client().post(BEGIN)
    assert answer.status_code == 403
    assert "did not answer" in answer.content.decode()


def test_it_is_off_until_it_is_set(cast: Cast) -> None:
    assert Client().post(BEGIN).status_code == 404
    assert Client().get(BACK, {"state": "x", "code": "y"}).status_code == 404
    assert "through your organisation" not in Client().get("/accounts/login/").content.decode()
