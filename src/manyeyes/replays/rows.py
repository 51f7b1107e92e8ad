"""How trials become rows and records again: what was said is sealed, and no model instance is made for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django.db import connection
from django.db.models import UUIDField

from manyeyes.replays.models import Trial
from manyeyes.runs.store import WIDER, TrialRecord
from manyeyes.vault.fields import EncryptedJSON

EXCHANGE = ("sent", "answer", "digest", "finish_reason", "model", "fingerprint", "judged")
CLEAR = (
    "stream",
    "index",
    "cell",
    "seed",
    "origin",
    "http_status",
    "tokens_in",
    "tokens_out",
    "ms",
    "attempts",
    "overrun",
)
COLUMNS = ("id", "key_id", "replay_id", "stored_at", "started_at", "outcome", "exchange", *CLEAR)
"""What is written of a trial that a machine made; every other column is empty."""


def write(records: Sequence[TrialRecord], *, replay_id: uuid.UUID, key_id: uuid.UUID, now: datetime) -> None:
    """Writes trials; one that is there already stays as it was."""
    names = ", ".join(map(connection.ops.quote_name, COLUMNS))
    places = ", ".join(["%s"] * len(COLUMNS))
    table = connection.ops.quote_name(Trial._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608 - names of ours
            list(_values(records, replay_id, key_id, now)),
        )


def _values(
    records: Sequence[TrialRecord], replay_id: uuid.UUID, key_id: uuid.UUID, now: datetime
) -> Iterator[tuple[Any, ...]]:
    row = cast("UUIDField[Any, Any]", Trial._meta.pk)
    exchange: EncryptedJSON = Trial._meta.get_field("exchange")
    moment = connection.ops.adapt_datetimefield_value
    same = row.get_db_prep_value(key_id, connection), row.get_db_prep_value(replay_id, connection), moment(now)
    for record in records:
        row_id = uuid.uuid4()
        said = {name: getattr(record, name) for name in EXCHANGE}
        said |= {name: more for name in WIDER if (more := getattr(record, name))}
        yield (
            row.get_db_prep_value(row_id, connection),
            *same,
            moment(datetime.fromisoformat(record.started_at)) if record.started_at else None,
            record.outcome or "",
            exchange.get_db_prep_value(exchange.sealed(said, row_id, key_id), connection),
            *(getattr(record, name) for name in CLEAR),
        )


def to_record(row: Trial) -> TrialRecord:
    """The record that a row keeps."""
    record = TrialRecord(outcome=row.outcome or None, **{name: getattr(row, name) for name in CLEAR})
    said = {name: row.exchange[name] for name in (*EXCHANGE, *WIDER) if name in row.exchange}
    return replace(record, **said, started_at=row.started_at.isoformat() if row.started_at else "")
