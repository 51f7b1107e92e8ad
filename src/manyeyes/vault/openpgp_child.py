"""Looks at one OpenPGP key in a process of its own, under limits: what strangers upload may hang the parser."""

from __future__ import annotations

import base64
import json
import resource
import sys
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

MEMORY = 1 << 30
SECONDS = 5
NAMES = 5
LEAST = 2048
COUNTED = (1, 2, 3, 16, 17)
"""Algorithms of RFC 4880 whose strength is the length of their first number: RSA, Elgamal, DSA."""


def main() -> None:
    """Read one job from standard input, write what was found as one JSON object; nothing of a failure leaks out."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)
    try:
        found = look(base64.b64decode(job["key"]), job.get("secret", False), job.get("password") or None)
    except BaseException:  # a panic of the parser is no Exception; its text holds a native trace and is dropped
        found = {"problem": "unreadable"}
    json.dump(found, sys.stdout)


def look(data: bytes, secret: bool, password: str | None) -> dict[str, Any]:
    """What the key is, or `problem` with one word for what is wrong with it."""
    from pysequoia import Cert

    certs = Cert.split_bytes(data)
    if not certs:
        return {"problem": "unreadable"}
    if not secret and any(cert.has_secret_keys for cert in certs):
        return {"problem": "secret"}
    if len(certs) > 1:
        return {"problem": "several"}
    if not secret and (bits := short(data)[:1]) and bits[0]:
        return {"problem": "weak", "bits": bits[0]}  # before anything is asked of it: the library refuses to answer
    return _secret(data, password) if secret else _problem(certs[0]) or _facts(certs[0])


def _secret(data: bytes, password: str | None) -> dict[str, Any]:
    from pysequoia import Cert, SignatureMode, Tsk, sign

    if not Cert.split_bytes(data)[0].has_secret_keys:
        return {"problem": "not_secret"}
    tsk = Tsk.from_bytes(data)
    cert = tsk.extract_certificate()
    wrong = _problem(cert)
    if wrong:
        return wrong
    try:
        sign(tsk.signer(password), b"test", mode=SignatureMode.DETACHED)
    except BaseException:
        return {"problem": "cannot_sign"}
    return {**_facts(cert), "armored_secret": str(tsk)}


def _problem(cert: Any) -> dict[str, Any] | None:
    from pysequoia import encrypt

    if cert.is_revoked:
        return {"problem": "revoked"}
    now = datetime.now(UTC)
    if cert.expiration is not None and cert.expiration <= now:
        return _ran_out("expired", cert, cert.expiration, now)
    ends = encryption_ends(bytes(cert))
    if not ends:
        return {"problem": "signing_only"}
    usable = [end for end in ends if end is None or end > now]
    if not usable:
        return _ran_out("part_expired", cert, max(end for end in ends if end is not None), now)
    try:
        encrypt(b"test", [cert])
    except BaseException:
        weak = max(short(bytes(cert)))
        return {"problem": "weak", "bits": weak} if weak else {"problem": "cannot_encrypt"}
    return None


def _ran_out(problem: str, cert: Any, day: datetime, now: datetime) -> dict[str, Any]:
    parts = [(part["name"], _end(part)) for part in encryption_parts(bytes(cert))]
    late = [name.upper() for name, end in parts if end is not None and end <= now and name != cert.fingerprint]
    return {"problem": problem, "expires": day.isoformat(), "fingerprint": cert.fingerprint.upper(), "parts": late}


def _facts(cert: Any) -> dict[str, Any]:
    ends = [*encryption_ends(bytes(cert))]
    last = None if None in ends else max(end for end in ends if end is not None)
    known = [end for end in (cert.expiration, last) if end is not None]
    return {
        "fingerprint": cert.fingerprint,
        "armored": str(cert),
        "expires": min(known).isoformat() if known else None,
        "names": [str(name)[:200] for name in cert.user_ids[:NAMES]],
    }


def short(data: bytes) -> list[int]:
    """Of the key and each of its parts how many bits it has, where these are too few; else 0."""
    from pysequoia.packet import PacketPile

    found = []
    for packet in PacketPile.from_bytes(data):
        if packet.key_created is not None and packet.signature_type is None:
            body = bytes(packet.body)  # version 4: a byte for it, four for the time, one for the algorithm
            counted = body[:1] == b"\x04" and len(body) > 7 and body[5] in COUNTED
            bits = int.from_bytes(body[6:8]) if counted else LEAST
            found.append(bits if bits < LEAST else 0)
    return found or [0]


def encryption_ends(data: bytes) -> list[datetime | None]:
    """When each part of the key that may encrypt runs out, None for never; revoked parts are left out."""
    return [_end(part) for part in encryption_parts(data)]


def encryption_parts(data: bytes) -> list[dict[str, Any]]:
    """The parts of the key that may encrypt and are not revoked.

    Read from the packets, because the library encrypts to a key that has expired and does not say when a part of it
    will.
    """
    from pysequoia.packet import PacketPile

    blank = {"at": None, "flags": None, "lasts": None, "revoked": False}
    parts: list[dict[str, Any]] = []
    for packet in PacketPile.from_bytes(data):
        if packet.key_created is not None and packet.signature_type is None:
            parts.append({"made": packet.key_created, "name": packet.fingerprint, **blank})
        elif packet.signature_type is not None and parts:
            _take(parts[-1], packet)
    return [part for part in parts if part["flags"] is not None and _encrypts(part["flags"]) and not part["revoked"]]


def _take(part: dict[str, Any], packet: Any) -> None:
    kind = str(packet.signature_type).rsplit(".", 1)[-1]
    if kind in ("SubkeyRevocation", "KeyRevocation"):
        part["revoked"] = True
    elif packet.key_flags is not None and (part["at"] is None or packet.signature_created >= part["at"]):
        part |= {"at": packet.signature_created, "flags": packet.key_flags, "lasts": packet.key_validity_period}


def _encrypts(flags: Any) -> bool:
    return bool(_flag(flags.transport_encryption) or _flag(flags.storage_encryption))


def _flag(value: Any) -> bool:
    return bool(value() if callable(value) else value)


def _end(part: dict[str, Any]) -> datetime | None:
    lasts: timedelta | None = part["lasts"]
    made: datetime = part["made"]
    return made + lasts if lasts else None


if __name__ == "__main__":
    main()
