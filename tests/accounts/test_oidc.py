"""Sign-in through the organisation's own provider, against one on this machine with a real key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from manyeyes.accounts.models import Person
from tests.accounts.provider import CLIENT, KID, SECRET, Provider, new_key, running
from tests.people import Cast, make_cast

BEGIN, BACK = "/sign-in/provider/", "/sign-in/provider/back/"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A provider that answers, and the settings that name it."""
    with running() as server:
        settings.MANYEYES_OIDC_ISSUER, settings.MANYEYES_OIDC_CLIENT_ID = server.issuer, CLIENT
        settings.MANYEYES_OIDC_CLIENT_SECRET, settings.MANYEYES_REQUIRE_MFA = SECRET, False
        server.email = "theo@larkfield.example"
        yield server


@pytest.fixture
def cast(db: None) -> Cast:
    """The program about Wicket and its people."""
    return make_cast()


def begin(client: Client, provider: Provider) -> dict[str, str]:
    """Set off and sign in over there; what the browser comes back with."""
    answer = client.post(BEGIN)
    assert answer.status_code == 302, answer.content
    return provider.authorize(answer["Location"])


def refused(client: Client, given: dict[str, str]) -> str:
    """Come back and be turned away; what is said."""
    answer = client.get(BACK, given)
    assert answer.status_code == 403, answer
    assert client.get("/my/").status_code == 302, "nobody is signed in"
    return answer.content.decode()


def test_a_member_of_a_team_comes_in(cast: Cast, provider: Provider) -> None:
    client = Client()
    assert "Sign in through your organisation" in client.get("/accounts/login/").content.decode()
    answer = client.post(BEGIN)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
    assert set(asked["scope"].split()) == {"openid", "email"}
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (f"http://localhost:8000{BACK}", "S256")
    provider.email = "Theo@Larkfield.example"
    answer = client.get(BACK, provider.authorize(answer["Location"]))
    assert answer.status_code == 302
    assert client.get("/desk/").status_code == 200
    assert provider.asked["client_secret"] == SECRET
    assert not SocialAccount.objects.exists(), "nothing that the provider says is kept"
    assert not SocialToken.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "rhea@larkfield.example"},  # an account, of no team
        {"email": "nobody@larkfield.example"},
        {"email": ""},
        {"email": None},
        {"email": ["theo@larkfield.example"]},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"iss": "https://elsewhere.example"},
        {"aud": "another-site"},
        {"aud": [CLIENT, "another-site"]},
        {"aud": [CLIENT, "another-site"], "azp": "another-site"},
        {"aud": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": None},
        {"iat": 4102444800},  # far ahead; a moment of now would differ between the processes that collect
        {"nbf": 4102444800},
        {"nonce": "replayed"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_nobody_else_comes_in(cast: Cast, provider: Provider, wrong: dict[str, Any]) -> None:
    people = Person.objects.count()
    client = Client()
    provider.claims = wrong
    refused(client, begin(client, provider))
    assert Person.objects.count() == people, "nobody signs up this way"


def test_a_signature_of_another_key_is_refused(cast: Cast, provider: Provider) -> None:
    stranger = new_key()
    for header in ({"kid": KID}, {"kid": "unheard-of"}, {}):
        provider.sign = lambda claims, sent=header: jwt.encode(claims, stranger, algorithm="RS256", headers=sent)
        client = Client()
        assert "cannot be trusted" in refused(client, begin(client, provider)), header


def test_a_token_that_is_not_signed_is_refused(cast: Cast, provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(claims, None, algorithm="none", headers={"kid": KID})
    client = Client()
    assert "cannot be trusted" in refused(client, begin(client, provider))
    provider.sign = lambda claims: provider.signed(claims).rsplit(".", 1)[0] + "."
    assert "cannot be trusted" in refused(client, begin(client, provider))
    provider.sign = lambda claims: "no token"
    assert "cannot be trusted" in refused(client, begin(client, provider))


def test_a_shared_secret_signs_nothing(cast: Cast, provider: Provider) -> None:
    """The old trick of a public key used as the secret of an HMAC, and our client's secret used the same way."""
    public = provider.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (public, SECRET.encode()):
        provider.sign = lambda claims, key=secret: _with_secret(claims, key)
        client = Client()
        assert "cannot be trusted" in refused(client, begin(client, provider))


def _with_secret(claims: dict[str, Any], secret: bytes) -> str:
    """An HS256 token, made by hand: the library refuses to sign with what looks like a public key."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": KID}).encode())
    body = f"{head}.{part(json.dumps(claims).encode())}"
    return f"{body}.{part(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def test_a_token_of_an_earlier_sign_in_is_refused(cast: Cast, provider: Provider) -> None:
    kept: list[str] = []
    provider.sign = lambda claims: kept.append(provider.signed(claims)) or kept[0]  # type: ignore[func-returns-value]
    first = Client()
    assert first.get(BACK, begin(first, provider)).status_code == 302
    second = Client()
    assert "cannot be trusted" in refused(second, begin(second, provider)), "the nonce is that of another browser"


def test_who_has_no_account_and_who_is_on_no_team_read_the_same(cast: Cast, provider: Provider) -> None:
    said = []
    for provider.email in ("rhea@larkfield.example", "nobody@larkfield.example"):
        client = Client()
        said.append(refused(client, begin(client, provider)))
    assert said[0] == said[1]
    assert "Nobody on a team here has this address" in said[0]


def test_an_address_that_is_not_proved_here_lets_nobody_in(cast: Cast, provider: Provider) -> None:
    cast.theo.emailaddress_set.update(verified=False)
    client = Client()
    refused(client, begin(client, provider))


def test_a_state_is_good_once_and_for_its_browser(cast: Cast, provider: Provider) -> None:
    mine, other = Client(), Client()
    given = begin(mine, provider)
    assert "begun elsewhere" in refused(other, given)
    assert "begun elsewhere" in refused(mine, {**given, "state": "guessed"})
    assert mine.get(BACK, given).status_code == 302
    mine.logout()
    assert "begun elsewhere" in refused(mine, given), "spent"


def test_what_a_visitor_adds_changes_nothing(cast: Cast, provider: Provider) -> None:
    client = Client()
    answer = client.post(f"{BEGIN}?process=connect&scope=admin&auth_params=prompt%3Dnone&next=https://evil.example/")
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert set(query["scope"][0].split()) == {"openid", "email"}
    assert "prompt" not in query
    answer = client.get(BACK, provider.authorize(answer["Location"]))
    assert answer["Location"] == "/start/"


def test_a_second_factor_is_asked_for_as_always(cast: Cast, provider: Provider) -> None:
    TOTP.activate(cast.theo, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = Client()
    answer = client.get(BACK, begin(client, provider))
    assert "/2fa/authenticate" in answer["Location"]
    assert client.get("/desk/").status_code == 302


def test_a_provider_that_fails_or_lies_is_told_plainly(cast: Cast, provider: Provider) -> None:
    for document in (
        {"issuer": "https://elsewhere.example"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "http://localhost:9@evil.example/token"},
        {"token_endpoint": ""},
        {"token_endpoint": None},
    ):
        provider.document = document
        assert Client().post(BEGIN).status_code == 403, document
    provider.document = {}
    client = Client()
    given = begin(client, provider)
    provider.document = {"jwks_uri": "http://evil.example/jwks"}
    assert "cannot be trusted" in refused(client, given)
    provider.document = {}
    for fault in ("broken", "nonsense"):
        client = Client()
        given = begin(client, provider)
        setattr(provider, fault, True)
        refused(client, given)
        answer = Client().post(BEGIN)
        assert answer.status_code == 403
        assert "did not answer" in answer.content.decode()
        setattr(provider, fault, False)


def test_who_declines_over_there_is_told_so(cast: Cast, provider: Provider) -> None:
    client = Client()
    given = begin(client, provider)
    assert "did not let you in" in refused(client, {"state": given["state"], "error": "access_denied"})


def test_it_is_off_until_it_is_set(cast: Cast) -> None:
    assert Client().post(BEGIN).status_code == 404
    assert Client().get(BACK, {"state": "x", "code": "y"}).status_code == 404
    assert "through your organisation" not in Client().get("/accounts/login/").content.decode()


def test_no_page_of_the_library_signs_up_or_connects(cast: Cast, provider: Provider) -> None:
    for path in ("/accounts/3rdparty/", "/accounts/3rdparty/signup/", "/accounts/oidc/organisation/login/"):
        assert Client().get(path).status_code == 404, path
