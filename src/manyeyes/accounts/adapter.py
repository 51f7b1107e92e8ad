"""Where allauth asks this house: who may sign up, what is known of a visitor, how second factors are stored."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from manyeyes.accounts.visitors import network
from manyeyes.vault import tokens


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Researchers may sign up; nobody joins a team that way, because a team is its programs' memberships."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may make an account of their own (`MANYEYES_OPEN_SIGNUP`, on by default)."""
        return bool(getattr(settings, "MANYEYES_OPEN_SIGNUP", True))

    def get_client_ip(self, request: HttpRequest) -> str:
        """A name for the visitor that lasts a day, in place of the address: what is never held cannot leak."""
        return tokens.fleeting(network(request))

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """Nothing: no browser is remembered."""
        return ""


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors are stored encrypted."""

    def encrypt(self, text: str) -> str:
        """Seal a TOTP secret or the seed of recovery codes before it is stored."""
        return tokens.seal_text("mfa", text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed."""
        return tokens.open_text("mfa", encrypted_text)

    def get_totp_issuer(self) -> str:
        """The name an authenticator app shows."""
        return "manyeyes"

    def get_public_key_credential_rp_entity(self) -> dict[str, Any]:
        """The site a passkey belongs to."""
        return {**super().get_public_key_credential_rp_entity(), "name": "manyeyes"}
