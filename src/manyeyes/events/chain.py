"""The record of what happened: appended under a lock, each event authenticated together with the one before it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import models, transaction

from manyeyes.events.models import Event, Head
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.vault import keyring
from manyeyes.vault.models import DataKey

HEADS_FORMAT = "manyeyes.heads/1"
MAX_BODY = 2000
MAX_WORD = 160
MAX_LIST = 40
# Ids, statuses, versions, vectors, times. No space: what reads like a sentence belongs into an encrypted field.
_WORD = re.compile(r"[A-Za-z0-9_.:/@+\-#=,%~\[\]()]*\Z")
_NAME = re.compile(r"[a-z][a-z0-9_.:\-]{0,59}\Z")
_OPAQUE = re.compile(r"[a-z]+(:[A-Za-z0-9\-]{1,64})?\Z")


def record(
    subject: str,
    kind: str,
    *,
    actor: str,
    public: bool = False,
    human: bool = False,
    at: datetime | None = None,
    commitment: str = "",
    **data: Any,
) -> Event:
    """Append an event to the chain of `subject` ("case:<uuid>"). `actor` is "person:<uuid>" or "system".

    `data` holds ids, statuses and counts; anything that could be text raises Invalid. `human` says that a person did
    it, not the machine; `public` that the reporter may see it. Two writers wait for each other, so a chain never forks.
    """
    _require(_OPAQUE.match(subject) and len(subject) <= 80, "subject", 'give a kind and an id, like "case:<uuid>"')
    _require(_NAME.match(kind), "kind", "give a short lower-case name, like report_received")
    _require(_OPAQUE.match(actor) and len(actor) <= 80, "actor", 'give "person:<uuid>" or "system"')
    body = _canonical({name: _small(name, value) for name, value in data.items()})
    _require(len(body) <= MAX_BODY, "data", f"is {len(body)} characters; an event holds at most {MAX_BODY}")
    with transaction.atomic():
        Head.objects.get_or_create(subject=subject)
        head = Head.objects.select_for_update().get(subject=subject)
        event = Event(
            subject=subject,
            seq=head.seq + 1,
            at=clock.aware(at) if at else clock.now(),
            kind=kind,
            actor=actor,
            human=human,
            public=public,
            body=body,
            commitment=commitment,
            prev=head.mac,
        )
        event.mac = _mac(event)
        event.save()
        head.seq, head.mac, head.at = event.seq, event.mac, event.at
        head.save(update_fields=["seq", "mac", "at"])
    return event


def log(subject: str) -> models.QuerySet[Event]:
    """The events of a subject, in order."""
    return Event.objects.filter(subject=subject).order_by("seq")


def verify_chain(subject: str) -> int | None:
    """The place of the first event that was changed, removed or put in; None if the chain is whole."""
    seq, prev = 0, ""
    for event in log(subject).iterator():
        seq += 1
        if event.seq != seq or event.prev != prev or not hmac.compare_digest(event.mac, _mac(event)):
            return seq
        prev = event.mac
    head = Head.objects.filter(subject=subject).first()
    if head is None:
        return 1 if seq else None
    return None if (head.seq, head.mac) == (seq, prev) else seq + 1


def commit(key: DataKey, text: str) -> str:
    """A salted promise of `text` for an event; once the key is shredded nobody can test a guess against it."""
    salt = secrets.token_hex(16)
    return f"{salt}:{_promise(key, salt, text)}"


def matches(commitment: str, key: DataKey, text: str) -> bool:
    """Whether `commitment` was made for `text`. Raises Shredded when the key is gone."""
    salt, _, promised = commitment.partition(":")
    return hmac.compare_digest(promised, _promise(key, salt, text))


def heads() -> dict[str, Any]:
    """The newest place of every chain, signed: kept elsewhere, it shows later whether a chain was cut or rewritten."""
    signer = Ed25519PrivateKey.from_private_bytes(keyring.subkey("events:heads"))
    document: dict[str, Any] = {
        "format": HEADS_FORMAT,
        "at": clock.now().isoformat(),
        "heads": [list(row) for row in Head.objects.order_by("subject").values_list("subject", "seq", "mac")],
        "public_key": signer.public_key().public_bytes_raw().hex(),
    }
    return {**document, "signature": signer.sign(_canonical(document).encode()).hex()}


def broken_since(document: Mapping[str, Any]) -> list[str]:
    """The subjects whose chains no longer hold what this export of `heads` says. Raises Invalid if it is not ours."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    ours = Ed25519PrivateKey.from_private_bytes(keyring.subkey("events:heads")).public_key()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(document["public_key"]))).verify(
            bytes.fromhex(str(document["signature"])), _canonical(unsigned).encode()
        )
        if document["public_key"] != ours.public_bytes_raw().hex():
            raise ValueError
    except (KeyError, ValueError, InvalidSignature):
        raise Invalid(heads="is not an unchanged export signed by this platform; export it again.") from None
    return [
        subject
        for subject, seq, mac in document["heads"]
        if seq and not Event.objects.filter(subject=subject, seq=seq, mac=mac).exists()
    ]


def _mac(event: Event) -> str:
    content = _canonical(
        [
            event.subject,
            event.seq,
            event.at.isoformat(),
            event.kind,
            event.actor,
            event.human,
            event.public,
            event.body,
            event.commitment,
            event.prev,
        ]
    )
    return hmac.new(keyring.subkey("events:chain"), content.encode(), hashlib.sha256).hexdigest()


def _promise(key: DataKey, salt: str, text: str) -> str:
    secret = keyring.subkey("events:commitment", keyring.opened(key.pk).secret)
    return hmac.new(secret, f"{salt}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _small(name: str, value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        _require(value == value and abs(value) != float("inf"), name, "give a finite number")
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        _require(value.tzinfo, name, "give a time with its zone")
        return clock.aware(value).isoformat()
    if isinstance(value, str):
        _require(
            len(value) <= MAX_WORD and _WORD.match(value),
            name,
            "events hold ids, statuses and counts, not text; put text into an encrypted field and `commit` to it",
        )
        return str(value)
    if depth == 0 and isinstance(value, list | tuple | set | frozenset) and len(value) <= MAX_LIST:
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_small(name, item, 1) for item in items]
    if depth == 0 and isinstance(value, Mapping) and len(value) <= MAX_LIST:
        return {str(_small(name, str(key), 1)): _small(name, item, 1) for key, item in value.items()}
    raise Invalid({name: f"an event cannot hold {type(value).__name__} here; give an id, a status or a count."})


def _require(holds: object, name: str, mend: str) -> None:
    if not holds:
        raise Invalid({name: f"{mend}."})
