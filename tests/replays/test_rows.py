"""How trials become rows: what was said is sealed for its row, all is read as it was written, nothing is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.dateparse import parse_datetime

from manyeyes.replays import queue, rows
from manyeyes.replays.models import Trial
from manyeyes.replays.store import DatabaseStore
from manyeyes.runs.store import TrialRecord
from tests.replays.making import queued, version_at

pytestmark = pytest.mark.django_db

FULL = TrialRecord(
    stream="main", index=3, cell="t0.7-m48/reported", seed=2**31 - 1, outcome="success", digest="d" * 32,
    sent='{"messages": "What is the code?"}', answer="It is BLUE-HERON-42. \ud800 \x00 \u202e", finish_reason="stop",
    http_status=200, tokens_in=11, tokens_out=7, ms=41, started_at="2026-11-24T00:10:30.918123+00:00", attempts=2,
    model="m-1", fingerprint="fp_1", overrun=True, judged=[{"role": "judge", "answer": "yes"}],
    steps=[{"sent": "a", "text": "b"}], tool_calls=[{"name": "mail", "arguments": "{}"}],
    observations={"mail": [{"to": "rhea_k"}]}, cuts=[["", 3]], voids=1,
)  # fmt: skip
BARE = TrialRecord(stream="benign", index=0, cell="t0.7-m48/reported", seed=0, outcome=None)


@pytest.fixture
def kept() -> DatabaseStore:
    queued(version_at("http://127.0.0.1:9/v1"))
    lease = queue.claim("w1")
    assert lease is not None
    return DatabaseStore(lease)


@pytest.mark.parametrize("record", [FULL, BARE], ids=["full", "bare"])
def test_a_row_is_read_as_it_was_written(kept: DatabaseStore, record: TrialRecord) -> None:
    kept.save(calls=1, trials=[record])
    row = Trial.objects.get()
    assert rows.to_record(row) == record
    assert row.started_at == (parse_datetime(record.started_at) if record.started_at else None)
    assert row.key_id == row.replay.key_id


def test_it_is_the_row_that_the_model_would_have_made(kept: DatabaseStore) -> None:
    kept.save(calls=1, trials=[FULL])
    written = Trial.objects.get()
    made = Trial(replay=written.replay, key_id=written.key_id, exchange=written.exchange)
    for name in ("started_at", "stored_at", "outcome", *rows.CLEAR):
        setattr(made, name, getattr(written, name))
    Trial.objects.all().delete()
    made.save()
    read = Trial.objects.get()
    names = [field.attname for field in Trial._meta.concrete_fields if field.attname != "id"]
    assert {name: getattr(read, name) for name in names} == {name: getattr(written, name) for name in names}


def test_what_is_not_written_may_be_empty() -> None:
    left = [field for field in Trial._meta.concrete_fields if field.column not in rows.COLUMNS]
    assert {field.column for field in left} == {"by_id", "labelled_at"}
    assert all(field.null for field in left)


def test_the_database_holds_none_of_the_words(kept: DatabaseStore) -> None:
    kept.save(calls=1, trials=[FULL])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM replays_trial")
        raw = b"".join(bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode()
                       for value in cursor.fetchone())  # fmt: skip
    for word in (b"BLUE-HERON-42", b"What is the code", b"rhea_k", b"fp_1", b"dddd", b"mail"):
        assert word not in raw


def test_a_trial_that_is_there_stays_as_it_was_and_the_others_come(kept: DatabaseStore) -> None:
    kept.save(calls=1, trials=[FULL])
    kept.save(calls=2, trials=[replace(FULL, answer="something else"), replace(FULL, index=4)])
    assert [rows.to_record(row).answer for row in Trial.objects.order_by("index")] == [FULL.answer, FULL.answer]


def test_what_the_table_cannot_hold_is_an_error_and_not_left_out(kept: DatabaseStore) -> None:
    for wrong in (replace(FULL, ms=-1), replace(FULL, cell=None)):  # type: ignore[arg-type]
        with pytest.raises(IntegrityError), transaction.atomic():
            kept.save(calls=5, trials=[wrong])
    assert (Trial.objects.count(), Trial.objects.filter(replay__calls=5).count()) == (0, 0)
