"""Sign-in of the team through the organisation's own OpenID provider: allauth's code flow, made narrower.

Only people brought into a team before come in, by an address that both sides have proved; nobody signs up this way,
nothing the provider says is stored, and the signature of its ID token is checked although the token comes over TLS.
Off unless an issuer is set. Why so: `docs/adr/0004`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, cast
from urllib.parse import urlsplit

import jwt
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from manyeyes.rules.errors import NotFound, Refused

BACK = "/sign-in/provider/back/"
NAME = "organisation"
WAIT = 10.0
SKEW = 120
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Public-key signatures only: with a shared secret, or none, whoever knows our client could write tokens."""
BROKEN = (OAuth2Error, requests.RequestException, jwt.PyJWTError, LookupError, TypeError, ValueError, AttributeError)
"""What an answer that is missing, or is no answer, turns into on the way through the libraries."""


class NoEntry(Refused):
    """The provider's word does not let this visitor in; the message says what to do."""


def is_on() -> bool:
    """Whether a provider is set."""
    return bool(settings.MANYEYES_OIDC_ISSUER and settings.MANYEYES_OIDC_CLIENT_ID)


def begin(request: HttpRequest) -> HttpResponseBase:
    """Off to the provider. Raises NotFound while none is set, NoEntry when it cannot be reached or is another one."""
    if not is_on():
        raise NotFound
    return cast("HttpResponseBase", OrganisationProvider(request, app=_app()).redirect_from_request(request))


def finish(request: HttpRequest) -> HttpResponseBase:
    """Back from it: a member of a team is signed in or asked for a second factor. Raises NoEntry for everybody else."""
    if not is_on():
        raise NotFound
    return cast("HttpResponseBase", OAuth2CallbackView.adapter_view(CodeFlow(request, NAME))(request))


class SignInAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Where allauth asks this house: which provider there is, how it is reached, and whom its word lets in."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """The one that the settings name; there is no other."""
        return OrganisationProvider(request, app=_app())

    def get_requests_session(self) -> requests.Session:
        """How the provider is reached."""
        return _Plain()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never: a provider's word makes no account."""
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[Any, str] | None:
        """The member of a team whose address both sides have proved; None for everybody else."""
        for said in sociallogin.email_addresses:
            known = EmailAddress.objects.filter(email__iexact=said.email, verified=True).select_related("user").first()
            if said.verified is True and known and known.user.is_active and known.user.memberships.exists():
                return known.user, known.email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Raises NoEntry for who is not on a team, in the same words whether there is an account or none."""
        if not sociallogin.is_existing:
            raise NoEntry(_("Nobody on a team here has this address. Ask the program's manager to bring you in."))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **what: Any) -> None:
        """Raises NoEntry with what can be done about it."""
        if what.get("exception") is not None:
            raise NoEntry(_("The provider's answer cannot be trusted. Begin again; if it stays so, tell your admin."))
        if request.GET.get("error"):
            raise NoEntry(_("The provider did not let you in. Begin again, or sign in with your password."))
        raise NoEntry(_("This sign-in was begun elsewhere or too long ago. Begin it again."))


class OrganisationProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """Asks for an address and nothing else. What a visitor adds to the request changes nothing of what is asked."""

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """A sign-in: never a further account to connect, nor a redirect of the visitor's choice."""
        return {"process": "login"}

    def get_pkce_params(self) -> dict[str, Any]:
        """PKCE, and a nonce that only this browser's session can make again."""
        params: dict[str, Any] = super().get_pkce_params()
        return {**params, "nonce": _nonce(params["code_verifier"])}

    def get_oauth2_adapter(self, request: HttpRequest) -> CodeFlow:
        """The flow below."""
        return CodeFlow(request, NAME)

    def extract_uid(self, data: Any) -> str:
        """A name for the subject, for the session: what the provider calls them is not kept."""
        subject: str = super().extract_uid(data)
        return subject and hashlib.sha256(f"{settings.MANYEYES_OIDC_ISSUER}\0{subject}".encode()).hexdigest()

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing: what is never held cannot leak."""
        return {}


class CodeFlow(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """allauth's code flow against a provider that must prove who it is, and sign what it says."""

    def get_provider(self) -> Any:
        """The one that the settings name."""
        return OrganisationProvider(self.request, app=_app())

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself. Raises OAuth2Error where it is another than the one that was set."""
        known: dict[str, Any] = super().openid_config
        if known.get("issuer") != settings.MANYEYES_OIDC_ISSUER:
            raise OAuth2Error("another issuer")
        _guarded(known["authorization_endpoint"])
        _guarded(known["token_endpoint"])
        return known

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """The address that the operator told the provider."""
        return str(settings.MANYEYES_BASE_URL + BACK)

    def get_client(self, request: HttpRequest, app: Any) -> Any:
        """As allauth's. Raises NoEntry where the provider does not answer, or as another than the one that was set."""
        try:
            return super().get_client(request, app)
        except BROKEN:
            raise NoEntry(_("The provider did not answer. Try again, or sign in with your password.")) from None

    def get_access_token_data(self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: Any = None) -> Any:
        """The tokens for the code. Raises OAuth2Error for an answer that holds none."""
        self.nonce = _nonce(str(pkce_code_verifier))
        try:
            return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)
        except BROKEN as error:
            raise OAuth2Error("no tokens") from error

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        """Whom the ID token names. Raises OAuth2Error where it is not the provider's, for us, of now, and new."""
        try:
            claims = self._claims(str(kwargs["response"]["id_token"]))
            return self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        except BROKEN as error:
            raise OAuth2Error("no such token") from error

    def _claims(self, token: str) -> dict[str, Any]:
        client = settings.MANYEYES_OIDC_CLIENT_ID
        claims: dict[str, Any] = jwt.decode(
            token, self._key(token), algorithms=SIGNED_WITH, audience=client, issuer=settings.MANYEYES_OIDC_ISSUER,
            leeway=SKEW, options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )  # fmt: skip
        if not hmac.compare_digest(str(claims["nonce"]), self.nonce):
            raise OAuth2Error("a replayed token")
        if claims["aud"] not in (client, [client]) and claims.get("azp") != client:
            raise OAuth2Error("meant for others too")
        return claims

    def _key(self, token: str) -> jwt.PyJWK:
        """The provider's key that the token says it was signed with."""
        with _Plain() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = [key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.public_key_use in ("sig", None)]
        named = jwt.get_unverified_header(token).get("kid")
        found = [key for key in keys if key.key_id == named or (named is None and len(keys) == 1)]
        return found[0]


class _Plain(requests.Session):
    """Reaches the provider itself: https only (plain on this very machine), no proxy, no redirect, not for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request."""
        _guarded(str(request.url))
        return super().send(request, **{**options, "timeout": WAIT, "allow_redirects": False, "proxies": {}})


def _guarded(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise OAuth2Error("not over https")


def _nonce(verifier: str) -> str:
    return hashlib.sha256(b"manyeyes:nonce:1\0" + verifier.encode()).hexdigest()


def _app() -> SocialApp:
    if not is_on():
        raise NotFound
    kept = {"server_url": settings.MANYEYES_OIDC_ISSUER.rstrip("/"), "oauth_pkce_enabled": True,
            "scope": ["openid", "email"]}  # fmt: skip
    return SocialApp(
        provider="openid_connect", provider_id=NAME, name=NAME, client_id=settings.MANYEYES_OIDC_CLIENT_ID,
        secret=settings.MANYEYES_OIDC_CLIENT_SECRET, settings=kept,
    )  # fmt: skip
