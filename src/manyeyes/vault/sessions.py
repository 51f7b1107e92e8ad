"""How what a browser's session holds is stored: encrypted, because half-done sign-ins lie there with their secrets."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.serializers import JSONSerializer

from manyeyes.vault import keyring
from manyeyes.vault.sealing import seal, unseal

CONTEXT = b"manyeyes:session:1"


class SealedSerializer:
    """Django's JSON under a vault key. What does not open is no session: its browser signs in again."""

    def dumps(self, obj: Any) -> bytes:
        """Seal the contents."""
        return seal(keyring.subkey("seal:session"), JSONSerializer().dumps(obj), CONTEXT)

    def loads(self, data: bytes) -> Any:
        """Open them. Raises Tampered, which Django reads as an empty session."""
        return JSONSerializer().loads(unseal(keyring.subkey("seal:session"), data, CONTEXT))
