"""Which mail addresses a mail can be sent to: their form alone lets through what breaks it on its way, or bends it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email


def can_be_mailed(address: str) -> bool:
    """Whether the address is one, is all visible, and means the same domain on the wire as it does to the eye.

    >>> [can_be_mailed(one) for one in ("rhea@wicket.example", "rhea@m\u00fcnchen.example", "rhea")]
    [True, True, False]
    >>> [can_be_mailed(f"rhea@{one}.example") for one in ("a\u202eb", "a\u00adb", "xn--\u200b", "\u00fc" * 60)]
    [False, False, False, False]
    """
    if not address.isprintable():
        return False
    try:
        validate_email(address)
        domain = address.rsplit("@", 1)[1].lower()
        wire = domain.encode("idna").decode("ascii")
        if domain not in (wire, wire.encode("ascii").decode("idna")):
            return False
        EmailMessage(to=[address]).message()
    except (ValidationError, ValueError, IndexError):  # a UnicodeError and a BadHeaderError are ValueErrors
        return False
    return True
