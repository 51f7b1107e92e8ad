"""What a judge said is kept with its trial, encrypted, and its calls are not taken for lost answers."""

from __future__ import annotations

import pytest
from django.db import connection

from manyeyes.replays import queue
from manyeyes.replays.store import DatabaseStore
from tests.replays.making import queued, version_at
from tests.replays.test_queue import URL, record

pytestmark = pytest.mark.django_db
SAID = {
    "role": "judge",
    "version": "judge/1:x",
    "word": "success",
    "answer": "MARKER yes",
    "model": "j-1",
    "ms": 3,
    "attempts": 2,
    "tokens_in": 5,
    "tokens_out": 2,
    "sent": "MARKER sent",
    "finish_reason": "stop",
}


def test_a_judged_trial_comes_back_as_it_was() -> None:
    replay = queued(version_at(URL))
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    first = record(0, "success", judged=[SAID, {**SAID, "role": "confirm", "attempts": 1}], attempts=1)
    store.save(calls=5, trials=[first])
    kept = store.load()
    assert kept.trials == [first]
    replay.refresh_from_db()
    assert replay.unanswered == 1, "one call for the answer, three for the judges, one lost"
    with connection.cursor() as cursor:
        cursor.execute("SELECT exchange FROM replays_trial")
        assert b"MARKER" not in bytes(cursor.fetchone()[0])
