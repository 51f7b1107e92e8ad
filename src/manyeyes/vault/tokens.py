"""Keyed names for things that must be found or compared but not read: HMAC under a key of their purpose."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time

from manyeyes.vault import keyring
from manyeyes.vault.sealing import Tampered, seal, unseal

_day: dict[int, bytes] = {}


def keyed(purpose: str, text: str) -> str:
    """A name (64 hexadecimal digits) for `text` that can be compared within `purpose` and not computed outside."""
    return hmac.new(
        keyring.subkey(f"token:{purpose}"), text.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def fleeting(text: str) -> str:
    """A name for `text` that means nothing tomorrow or in another process: the key of the day is only in memory."""
    today = int(time.time() // 86400)
    if today not in _day:
        _day.clear()
        _day[today] = secrets.token_bytes(32)
    return _named(_day[today], text)


def seal_text(purpose: str, text: str) -> str:
    """Encrypt a small secret that another library stores in a text column of its own."""
    sealed = seal(keyring.subkey(f"seal:{purpose}"), text.encode(), b"manyeyes:text:1\0" + purpose.encode())
    return base64.urlsafe_b64encode(sealed).decode("ascii")


def open_text(purpose: str, sealed: str) -> str:
    """What `seal_text` encrypted. Raises Tampered for anything else."""
    try:
        blob = base64.b64decode(sealed, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Tampered("The stored text is not a sealed one.") from None
    return unseal(keyring.subkey(f"seal:{purpose}"), blob, b"manyeyes:text:1\0" + purpose.encode()).decode()


def _named(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
