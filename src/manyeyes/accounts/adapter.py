"""Where allauth asks this house: who may sign up, how mails go out, what is known of a visitor, what is encrypted."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as under_way
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes import events
from manyeyes.accounts import mailable
from manyeyes.accounts.visitors import network
from manyeyes.vault import tokens


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Researchers may sign up; nobody joins a team that way, because a team is its programs' memberships."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # It is told to those who know their password too: a code was mailed to them moments ago.
        "too_many_login_attempts": gettext_lazy(
            "Too many tries, or too many codes mailed, for this address. Wait ten minutes, then try again."
        ),
    }

    def clean_email(self, email: str) -> str:
        """The address, if a mail can be sent to it. Raises ValidationError for one that only looks like an address."""
        if not mailable.can_be_mailed(email):
            raise ValidationError(_("No mail can be sent to this address. Write it like name@example.org."))
        return email

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every mail of allauth goes out as ours do: encrypted to the key of whoever it concerns, and signed."""
        person = context.get("user") or getattr(
            EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first(), "user", None
        )
        said = {"request": under_way.request, "email": email, **context}
        words = self.render_mail(template_prefix, email, {**said, "current_site": get_current_site(under_way.request)})
        kind = template_prefix.rpartition("/")[2]
        known = person.pk if person else None
        events.mail_account(known, address=email, subject=words.subject, body=str(words.body), reason=kind)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may make an account of their own: by `MANYEYES_OPEN_SIGNUP` (on), the invited always."""
        return bool(getattr(settings, "MANYEYES_OPEN_SIGNUP", True) or request.session.get("invited"))

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
