"""The key that signs evidence bundles: made on first use, kept by its owner, known to others by its fingerprint."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
LARGEST = 16 * 1024


class KeyFileError(Exception):
    """A signing key that cannot be used; the message names the file and the mend."""


@dataclass(frozen=True)
class SigningKey:
    """A private key for Ed25519 signatures (RFC 8032)."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """What others know this key by."""
        return fingerprint(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self.private.sign(message)


def fingerprint(public: bytes) -> str:
    """The name of a public key: 128 bits of its SHA-256, in groups of four.

    >>> fingerprint(bytes(32))
    '6668-7aad-f862-bd77-6c8f-c18b-8e9f-8e20'
    """
    digits = hashlib.sha256(public).hexdigest()[:32]
    return "-".join(digits[i : i + 4] for i in range(0, 32, 4))


def plain(named: str) -> str:
    """A fingerprint as typed, without groups and capitals. ValueError where it is none.

    >>> plain("6668-7AAD f862:bd77 6c8f-c18b-8e9f-8e20")
    '66687aadf862bd776c8fc18b8e9f8e20'
    """
    digits = "".join(letter for letter in named.lower() if letter not in "-: ")
    if len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"give a fingerprint of 32 hexadecimal digits (6668-7aad-…), not {named!r}")
    return digits


def genuine(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of this public key signed this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def usual_place() -> Path:
    """Where the key lies where no other place is named: the user's own configuration folder."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "manyeyes" / "signing-key.pem"


def load_or_make(file: Path) -> tuple[SigningKey, bool]:
    """The key in a file, and whether it was made just now (mode 0600, complete or absent). Raises KeyFileError."""
    try:
        if not file.exists():
            return _make(file), True
        return load(file), False
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror or error}") from None


def load(file: Path) -> SigningKey:
    """The key in a file. Raises KeyFileError where it is none, or where others could read it."""
    facts = file.stat()
    if facts.st_mode & 0o077:
        raise KeyFileError(f"{file} is open to other users. chmod 600 {file}")
    if facts.st_size > LARGEST:
        raise KeyFileError(f"{file} is too large to be a key")
    try:
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{file} holds no Ed25519 private key (PEM, without a password); name another with --key")
    return SigningKey(private)


def _make(file: Path) -> SigningKey:
    key = SigningKey(Ed25519PrivateKey.generate())
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)  # unlike a rename it never replaces a key that came in between
    except FileExistsError:
        return load(file)
    finally:
        draft.unlink()
    return key
