"""Fills a database with copies of a few real cases, each under a key of its own and with a whole chain of events."""

from __future__ import annotations

import hashlib
import hmac
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from manyeyes.cases.models import Case, Message, Place, Rating, Remediation, Report, SignOff
from manyeyes.cases.placed import FAR
from manyeyes.events import chain
from manyeyes.events.models import Event, Head
from manyeyes.rules import clock, reference
from manyeyes.vault import keyring, masterkey
from manyeyes.vault.datakey import DataKey
from manyeyes.vault.sealing import seal

BATCH = 250
_chain_key = b""
PARTS: tuple[type[models.Model], ...] = (Report, Message, Rating, SignOff, Remediation)
"""What is copied with a case, in an order in which each row finds the rows it points to. Replays are not."""
OPEN_DAYS, ENDED_DAYS = 21, 700
LINKS = frozenset({"case_id", "rating_id", "remediation_id", "report_id"})


class Template:
    """One real case with its rows and its log, read once."""

    def __init__(self, case: Case) -> None:
        self.case, self.place = _values(case), _values(Place.objects.get(case=case))
        self.parts = {model: [_values(row) for row in model._default_manager.filter(case=case)] for model in PARTS}
        self.log = list(Event.objects.filter(subject=case.subject).order_by("seq"))


def fill(templates: list[Template], *, cases: int, events: int, seed: int) -> None:
    """Copy the templates in turn until there are so many cases; notes are added until there are so many events."""
    rng = random.Random(seed)
    held, logged = Case.objects.count(), Event.objects.count()
    left, short = cases - held, events - logged
    for begin in range(0, left, BATCH):
        many = min(BATCH, left - begin)
        with transaction.atomic():
            short -= _batch([rng.choice(templates) for _ in range(many)], rng, short / max(1, left - begin))


def _batch(chosen: list[Template], rng: random.Random, each: float) -> int:
    keys = [_key() for _ in chosen]
    DataKey.objects.bulk_create(keys)
    rows: dict[type[models.Model], list[Any]] = {model: [] for model in (Case, *PARTS, Place, Event, Head)}
    for template, key in zip(chosen, keys, strict=True):
        keyring._unwrap(key)
        for row in _copies(template, key, rng, each):
            rows[type(row)].append(row)
    for model, made in rows.items():
        model._default_manager.bulk_create(made)
    return len(rows[Event])


def _key() -> DataKey:
    master = masterkey.masters()[0]
    row = DataKey(id=uuid.uuid4(), purpose="case", wrapped_by=masterkey.fingerprint(master))
    row.wrapped = seal(master, masterkey.generate(), row.context)
    return row


def _copies(template: Template, key: DataKey, rng: random.Random, each: float) -> Iterator[models.Model]:
    """A case with all its rows, moved in time as a whole; open cases came lately, ended ones over two years."""
    days = OPEN_DAYS if template.place["at_work"] else ENDED_DAYS
    shift = clock.now() - template.case["created_at"] - timedelta(seconds=rng.uniform(0, days * 86400))
    case = _copy(Case, template.case, shift, key)
    case.ref = reference.new_reference()
    yield case
    made: dict[Any, Any] = {template.case["id"]: case.pk}
    for model in PARTS:
        for row in template.parts[model]:
            copy = _copy(
                model, {name: made.get(one, one) if name in LINKS else one for name, one in row.items()}, shift, key
            )
            made[row["id"]] = copy.pk
            if isinstance(copy, Report):
                copy.submission_id = uuid.uuid4()
            yield copy
    place = _copy(Place, template.place, shift, None)
    place.case_id = case.pk
    yield place
    yield from _log(template, case, shift, each)


def _values(row: models.Model) -> dict[str, Any]:
    """Every column of a row, decrypted."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _copy(model: type[models.Model], values: dict[str, Any], shift: timedelta, key: DataKey | None) -> Any:
    """The row once more, under another id and key, every moment in it moved; what never comes stays there."""
    moved = {
        name: one + shift if isinstance(one, datetime) and one.year < FAR.year else one for name, one in values.items()
    }
    return model(**{**moved, **({"id": uuid.uuid4(), "key": key} if key else {})})


def _log(template: Template, case: Case, shift: timedelta, each: float) -> Iterator[models.Model]:
    prev, seq, at = "", 0, case.created_at
    notes = max(0, round(each) - len(template.log))
    last = template.log[-1]
    for place in range(len(template.log) + notes):
        source = template.log[place] if place < len(template.log) else last
        seq, at = seq + 1, source.at + shift
        event = Event(
            subject=case.subject, seq=seq, at=at, kind=source.kind if place < len(template.log) else "case.read",
            actor=source.actor, human=source.human, public=source.public if place < len(template.log) else False,
            body=source.body if place < len(template.log) else "{}", commitment=source.commitment, prev=prev,
        )  # fmt: skip
        event.mac = prev = _mac(event)
        yield event
    yield Head(subject=case.subject, seq=seq, mac=prev, at=at)


def _mac(event: Event) -> str:
    """As `events.chain` makes it, with its key derived once."""
    global _chain_key
    _chain_key = _chain_key or keyring.subkey("events:chain")
    content = chain._canonical(
        [event.subject, event.seq, event.at.isoformat(), event.kind, event.actor, event.human, event.public, event.body,
         event.commitment, event.prev]
    )  # fmt: skip
    return hmac.new(_chain_key, content.encode(), hashlib.sha256).hexdigest()
