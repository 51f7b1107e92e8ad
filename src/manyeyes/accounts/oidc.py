"""Sign-in of the team through the organisation's own OpenID provider: code flow with PKCE, for invited members only.

The ID token comes straight from the provider's token endpoint over TLS, which stands in for its signature (OpenID
Connect Core 1.0, 3.1.3.7, point 6); issuer, audience, time and nonce are checked. Off unless an issuer is set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils.translation import gettext as _

from manyeyes.accounts.models import Person
from manyeyes.rules import clock
from manyeyes.rules.errors import NotFound, Refused

WAIT = 10.0
LARGEST = 200_000
SLOT = "oidc"
LASTS = 600
SKEW = 120
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NoEntry(Refused):
    """The provider's word does not let this visitor in; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in under way, kept in the visitor's session until they come back from the provider."""

    address: str
    kept: dict[str, Any]


def is_on() -> bool:
    """Whether a provider is set."""
    return bool(settings.MANYEYES_OIDC_ISSUER and settings.MANYEYES_OIDC_CLIENT_ID)


def begin(callback: str) -> Begun:
    """Where to send the visitor. Raises NotFound while no provider is set, NoEntry when it cannot be reached."""
    if not is_on():
        raise NotFound
    known, verifier = _provider(), secrets.token_urlsafe(48)
    kept = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24), "verifier": verifier,
            "at": clock.now().timestamp()}  # fmt: skip
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code", "client_id": settings.MANYEYES_OIDC_CLIENT_ID, "redirect_uri": callback,
        "scope": "openid email", "state": kept["state"], "nonce": kept["nonce"],
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    start = _https(known["authorization_endpoint"])
    return Begun(address=f"{start}{'&' if urlsplit(start).query else '?'}{urlencode(asked)}", kept=kept)


def finish(kept: dict[str, Any] | None, *, state: str, code: str, callback: str) -> Person:
    """The member of a team whom the provider vouches for. Raises NoEntry for everybody else, in the same words."""
    if not is_on():
        raise NotFound
    fresh = bool(kept) and clock.now().timestamp() - (kept or {}).get("at", 0) < LASTS
    if not kept or not fresh or not code or not hmac.compare_digest(str(kept.get("state", "")), state):
        raise NoEntry(_("This sign-in was begun elsewhere or too long ago. Begin it again."))
    sent = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": callback,
        "client_id": settings.MANYEYES_OIDC_CLIENT_ID, "code_verifier": kept["verifier"],
        "client_secret": settings.MANYEYES_OIDC_CLIENT_SECRET,
    }  # fmt: skip
    answer = _fetch(_https(_provider()["token_endpoint"]), urlencode(sent).encode())
    return _member(_claims(str(answer.get("id_token", "")), nonce=str(kept["nonce"])))


def _member(claims: dict[str, Any]) -> Person:
    """Only an address that both sides have proved, and only of somebody who was brought into a team."""
    email = str(claims.get("email", "")).strip().lower()
    known = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    proved = claims.get("email_verified") is True and bool(email)
    if not proved or known is None or not known.user.is_active or not known.user.memberships.exists():
        raise NoEntry(_("Nobody on a team here has this address. Ask the program's manager to bring you in."))
    person: Person = known.user
    return person


def _claims(token: str, *, nonce: str) -> dict[str, Any]:
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        issuer, audience, until = claims["iss"], claims["aud"], float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        raise NoEntry(_("The provider's answer cannot be read.")) from None
    client = settings.MANYEYES_OIDC_CLIENT_ID
    audiences = audience if isinstance(audience, list) else [audience]
    right = (
        issuer == settings.MANYEYES_OIDC_ISSUER
        and client in audiences
        and (len(audiences) == 1 or claims.get("azp") == client)
        and until > clock.now().timestamp() - SKEW
        and hmac.compare_digest(str(claims.get("nonce", "")), nonce)
    )
    if not right:
        raise NoEntry(_("The provider's answer was meant for somebody else, or came too late."))
    found: dict[str, Any] = claims
    return found


def _provider() -> dict[str, Any]:
    """What the provider says of itself."""
    issuer = settings.MANYEYES_OIDC_ISSUER
    known = _fetch(_https(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    if known.get("issuer") != issuer or not known.get("authorization_endpoint") or not known.get("token_endpoint"):
        raise NoEntry(_("The provider does not answer as the one that was set. Tell whoever runs this site."))
    return known


def _https(address: str) -> str:
    """The address, if what is sent there stays unread; plain http only on this very machine. Raises NoEntry."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise NoEntry(_("The provider must be reached over https."))
    return address


class _NoWay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Nothing: no answer leads elsewhere."""


def _fetch(address: str, data: bytes | None = None) -> dict[str, Any]:
    """JSON from the provider: no proxy, no redirect, bounded. Raises NoEntry for anything else."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoWay)
    request = urllib.request.Request(address, data=data, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with opener.open(request, timeout=WAIT) as answer:
            found = json.loads(answer.read(LARGEST))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise NoEntry(_("The provider did not answer. Try again, or sign in with your password."))
    return found
