"""OpenPGP: looks at keys, makes them, signs and encrypts; in the profile of RFC 4880, which GnuPG 2.2 reads."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy

from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid

MOST_BYTES = 200_000
PATIENCE = 15.0
LIFETIME = timedelta(days=3 * 365)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A key that can be used: its fingerprint, its public part in letters, when it ends, whom it names."""

    fingerprint: str
    armored: str
    expires_at: datetime | None
    names: tuple[str, ...] = ()
    secret: str = ""

    def __repr__(self) -> str:
        return f"Found({self.fingerprint})"


class CannotUse(Exception):  # noqa: N818 -- says what is so
    """The key does not do what is asked of it; `why` is one word. The library's own text is never passed on."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


WORDS = {
    "empty": gettext_lazy("Paste the public key, or leave this empty."),
    "large": gettext_lazy("This is more than 200 kB. Export the key without the signatures of others: gpg --armor "
                          "--export-options export-minimal --export you@example.org"),
    "unreadable": gettext_lazy("This is not an OpenPGP key that can be read. A public key begins with -----BEGIN PGP "
                               "PUBLIC KEY BLOCK----- and is made by: gpg --armor --export you@example.org"),
    "several": gettext_lazy("There is more than one key in it, and we cannot know which you mean. Export one by its "
                            "address: gpg --armor --export you@example.org"),
    "secret": gettext_lazy("This is a private key, which nobody but you may have. Nothing of it was kept. Give the "
                           "public one: gpg --armor --export you@example.org"),
    "revoked": gettext_lazy("Its owner has revoked this key, so nothing is encrypted to it. Give the key that "
                            "replaced it."),
    "expired": gettext_lazy("This key ran out on {day}. Extend it ({extend}) and export it again, or give a newer "
                            "one."),
    "part_expired": gettext_lazy("The part of this key that is for encryption ran out on {day}. Extend it ({extend}) "
                                 "and export the key again, or give a newer one."),
    "weak": gettext_lazy("This key can be read, but it is too short to keep a secret: {bits} bits, where 2048 are the "
                         "least. Make a new one, for example with: gpg --quick-gen-key you@example.org"),
    "signing_only": gettext_lazy("This key can sign, but nothing can be encrypted to it. Add a part for encryption "
                                 "(gpg --edit-key, then addkey) and export it again."),
    "cannot_encrypt": gettext_lazy("Nothing can be encrypted to this key: its algorithms are too old or unknown here. "
                                   "Make a new one, for example with: gpg --quick-gen-key you@example.org"),
    "not_secret": gettext_lazy("This is not a private key. It begins with -----BEGIN PGP PRIVATE KEY BLOCK----- and is "
                               "made by: gpg --armor --export-secret-keys security@example.org"),
    "cannot_sign": gettext_lazy("Nothing can be signed with this key. Check its password, and that it has a part for "
                                "signing."),
}  # fmt: skip
"""What is wrong with a key, and how to mend it."""


def inspect(text: str) -> Found:
    """The one public key in `text`, if mail can be encrypted to it. Raises Invalid, in words a person understands."""
    return _looked(text, {"secret": False})


def inspect_secret(text: str, *, password: str = "") -> Found:
    """The one private key in `text`, if it signs and can be encrypted to. Raises Invalid likewise."""
    return _looked(text, {"secret": True, "password": password})


def generate(user_id: str) -> Found:
    """A new key pair for `user_id`, good for three years."""
    from pysequoia import CipherSuite, Profile, Tsk

    tsk = Tsk.generate(
        user_id=user_id,
        profile=Profile.RFC4880,
        cipher_suite=CipherSuite.Cv25519,
        validity_seconds=int(LIFETIME.total_seconds()),
    )
    cert = tsk.extract_certificate()
    return Found(
        fingerprint=cert.fingerprint, armored=str(cert), expires_at=cert.expiration, names=(user_id,), secret=str(tsk)
    )


def clear_sign(text: str, *, secret: str, password: str = "") -> str:
    """The text with its signature, still readable. Raises CannotUse."""
    from pysequoia import SignatureMode, sign

    made = _guarded("sign", lambda: sign(_signer(secret, password), text.encode(), mode=SignatureMode.CLEAR))
    return made.decode()


def detached(data: bytes, *, secret: str, password: str = "") -> tuple[str, str]:
    """(the signature in letters, its digest as PGP/MIME names it, such as "pgp-sha512"). Raises CannotUse."""
    from pysequoia import Sig, SignatureMode, sign

    made = _guarded("sign", lambda: sign(_signer(secret, password), data, mode=SignatureMode.DETACHED))
    digest = _guarded("sign", lambda: str(Sig.from_bytes(made).hash_algorithm).rsplit(".", 1)[-1])
    return made.decode(), f"pgp-{digest.lower()}"


def encrypt(data: bytes, *, to: str, expires_at: datetime | None = None, secret: str = "", password: str = "") -> str:
    """The data for the holder of the public key `to`, signed with `secret` where given. Raises CannotUse.

    `expires_at` is when the key ends as it was found at upload; the library itself encrypts to keys that have ended.
    """
    from pysequoia import Cert
    from pysequoia import encrypt as encrypted

    if expires_at is not None and expires_at <= clock.now():
        raise CannotUse("expired")
    cert = _guarded("unreadable", lambda: Cert.from_bytes(to.encode()))
    if _guarded("unreadable", lambda: cert.is_revoked):
        raise CannotUse("revoked")
    signer = _guarded("sign", lambda: _signer(secret, password)) if secret else None
    return _guarded("cannot_encrypt", lambda: encrypted(data, [cert], signer)).decode()


def grouped(fingerprint: str) -> str:
    """A fingerprint as people compare it.

    >>> grouped("62e21c50001abc14")
    '62E2 1C50 001A BC14'
    """
    plain = fingerprint.upper()
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def _signer(secret: str, password: str) -> Any:
    from pysequoia import Tsk

    return Tsk.from_bytes(secret.encode()).signer(password or None)


def _guarded(why: str, act: Callable[[], T]) -> T:
    """Do it; a failure of the library, a panic too, comes out as one word: its own text holds native traces."""
    try:
        return act()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:
        raise CannotUse(why) from None


def _looked(text: str, job: dict[str, Any]) -> Found:
    data = text.strip().encode("utf-8", "replace")
    found = {"problem": "empty"} if not data else {"problem": "large"} if len(data) > MOST_BYTES else _child(data, job)
    problem = found.get("problem")
    if problem:
        day = datetime.fromisoformat(found["expires"]) if found.get("expires") else None
        told = {"day": f"{day:%d %b %Y}" if day else "", "bits": found.get("bits", ""), "extend": _extended(found)}
        raise Invalid(openpgp_key=str(WORDS[problem]).format(**told))
    return Found(
        fingerprint=found["fingerprint"],
        armored=found["armored"],
        expires_at=datetime.fromisoformat(found["expires"]) if found["expires"] else None,
        names=tuple(found["names"]),
        secret=found.get("armored_secret", ""),
    )


def _extended(found: dict[str, Any]) -> str:
    """What the holder types to make a key last again; a part that ran out has to be named, gpg's '*' passes it over."""
    key, parts = found.get("fingerprint", ""), found.get("parts", [])
    whole = [f"gpg --quick-set-expire {key} 2y"] if found.get("problem") == "expired" else []
    return "; ".join([*whole, *([f"gpg --quick-set-expire {key} 2y {' '.join(parts)}"] if parts else [])])


def _child(data: bytes, job: dict[str, Any]) -> dict[str, Any]:
    sent = json.dumps({**job, "key": base64.b64encode(data).decode()})
    command = [sys.executable, "-m", "manyeyes.vault.openpgp_child"]
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, no shell, no word of the key
            command, input=sent.encode(), capture_output=True, timeout=PATIENCE, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {"problem": "unreadable"}
    return found
