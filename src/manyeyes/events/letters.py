"""What a mail says (of a case only that something is new) and its form: plain, signed, or encrypted by RFC 3156."""

from __future__ import annotations

from email import policy
from email.charset import QP, Charset
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.text import MIMEText

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import SafeMIMEMultipart
from django.utils import translation
from django.utils.translation import gettext as _

from manyeyes.events.models import Delivery
from manyeyes.vault import openpgp, postkeys
from manyeyes.vault.models import OpenPGPKey

SETTINGS_PATH = "/my/settings/"
CONTENT = ("content-type", "content-transfer-encoding", "mime-version")


class Letter(EmailMessage):
    """A mail whose body was made beforehand, so that its signature holds however often it is written out."""

    made: SafeMIMEMultipart | None = None

    def message(self) -> Message:  # type: ignore[override]
        """The mail with its headers, around the body that was signed or encrypted."""
        plain = super().message()
        if self.made is None:
            return plain
        whole = self.made
        for name in whole.keys():  # noqa: SIM118 -- a message, no dict: headers may come twice
            if name.lower() not in CONTENT:
                del whole[name]
        for name, value in plain.items():
            if name.lower() not in CONTENT:
                whole[name] = value
        return whole


def letter(
    delivery: Delivery, address: str, *, language: str = "", to: OpenPGPKey | None = None, by: OpenPGPKey | None = None
) -> Letter:
    """The mail: encrypted where the person gave a key (`to`), signed where the program has one (`by`).

    Raises openpgp.CannotUse when it cannot be encrypted: then nothing may be sent. A program's key that does not sign
    is noted as trouble, and the mail goes unsigned.
    """
    with translation.override(language or settings.LANGUAGE_CODE):
        subject, body = _account_words(delivery.words, hidden=to is not None) if delivery.sealed else _words(delivery)
    made = Letter(
        subject=subject,
        body=body,
        to=[address],
        headers={
            # The same at every attempt, so that a mail sent twice after a crash is shown once.
            "Message-ID": f"<{delivery.pk}@manyeyes>",
            "Auto-Submitted": "auto-generated",
        },
    )
    signer = by if by is not None and postkeys.trouble_of(by) != "expired" else None
    made.made = _encrypted(body, to, signer) if to is not None else _signed(body, signer)
    return made


def _account_words(said: dict[str, str], *, hidden: bool) -> tuple[str, str]:
    """A mail that is encrypted says nothing in its subject either, which stays readable: that moves inside."""
    if not hidden:
        return said["subject"], said["body"]
    return _("News about your account"), f"{said['subject']}\n\n{said['body']}"


def _words(delivery: Delivery) -> tuple[str, str]:
    site = settings.MANYEYES_BASE_URL
    if not delivery.case_ref:
        several = _(
            "Some cases need you.\n\n{link}\n\nThis mail says no more on purpose. Sign in to read it.\n"
            "You get it because you work on a program here. To stop these mails: {settings}\n"
        )
        return _("News on your desk"), several.format(link=site + delivery.path, settings=site + SETTINGS_PATH)
    said = _(
        "There is something new for you in {ref}.\n\n{link}\n\n"
        "This mail says no more on purpose. Sign in to read it.\n"
        "You get it because you take part in {ref}. To stop these mails: {settings}\n"
    )
    body = said.format(ref=delivery.case_ref, link=site + delivery.path, settings=site + SETTINGS_PATH)
    return _("[{ref}] news").format(ref=delivery.case_ref), body


def _part(body: str) -> MIMEText:
    """The words as a part of their own; in signs that no mail server on the way rewrites."""
    charset = Charset("utf-8")
    charset.body_encoding = QP
    part = MIMEText(body, "plain", charset)  # type: ignore[arg-type]
    del part["MIME-Version"]
    return part


def _bytes(part: Message) -> bytes:
    return part.as_bytes(policy=policy.compat32.clone(linesep="\r\n"))


def _signed(body: str, signer: OpenPGPKey | None) -> SafeMIMEMultipart | None:
    if signer is None:
        return None
    part = _part(body)
    try:
        signature, digest = postkeys.detached(_bytes(part), signer=signer)
    except openpgp.CannotUse as refused:
        postkeys.note_trouble(signer, refused.why)
        return None
    postkeys.note_trouble(signer, "")
    whole = SafeMIMEMultipart(_subtype="signed", protocol="application/pgp-signature", micalg=digest)
    whole.attach(part)
    whole.attach(_attachment(signature, "pgp-signature", "signature.asc"))
    return whole


def _encrypted(body: str, to: OpenPGPKey, signer: OpenPGPKey | None) -> SafeMIMEMultipart:
    data = _bytes(_part(body))
    try:
        sealed = postkeys.encrypt(data, to=to, signer=signer)
    except openpgp.CannotUse as refused:
        if refused.why != "sign":
            raise
        sealed = postkeys.encrypt(data, to=to)
    whole = SafeMIMEMultipart(_subtype="encrypted", protocol="application/pgp-encrypted")
    whole.attach(_attachment("Version: 1\n", "pgp-encrypted", ""))
    whole.attach(_attachment(sealed, "octet-stream", "encrypted.asc"))
    return whole


def _attachment(text: str, kind: str, name: str) -> MIMEApplication:
    part = MIMEApplication(text.encode("ascii"), kind, _as_it_stands)
    del part["MIME-Version"]
    if name:
        part.add_header("Content-Disposition", "inline", filename=name)
    return part


def _as_it_stands(part: Message) -> None:
    """Armoured text needs no encoding of its own; many mail programs expect none here."""
    part.set_payload(part.get_payload(decode=True).decode("ascii"))  # type: ignore[union-attr]
    part["Content-Transfer-Encoding"] = "7bit"
