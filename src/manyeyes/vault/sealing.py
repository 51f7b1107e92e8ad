"""The one use of AES-256-GCM that everything small in the vault is sealed with."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"
NONCE = 12
TAG = 16
KEY = 32


class Tampered(Exception):  # noqa: N818 -- says what was found
    """Stored bytes do not open: they were changed, moved from another place, or sealed under another key."""


def seal(secret: bytes, plain: bytes, context: bytes) -> bytes:
    """Format byte, fresh nonce, ciphertext and tag of `plain`, bound to `context`."""
    nonce = secrets.token_bytes(NONCE)
    return FORMAT + nonce + AESGCM(secret).encrypt(nonce, plain, context)


def unseal(secret: bytes, sealed: bytes, context: bytes) -> bytes:
    """What was sealed. Raises Tampered if the bytes, the key or the context differ from what was sealed."""
    if len(sealed) < 1 + NONCE + TAG or sealed[:1] != FORMAT:
        raise Tampered("The stored bytes are not in a format this version of manyeyes knows.")
    try:
        return AESGCM(secret).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], context)
    except InvalidTag:
        # `from None`: the chain would carry the frame that holds key and ciphertext.
        raise Tampered("The stored bytes were changed, moved, or sealed under another key.") from None
