"""What the database is asked: few queries for many trials, and the trials of a resumed run one by one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from manyeyes.replays import queue
from manyeyes.replays.store import DatabaseStore
from tests.replays.making import queued, version_at
from tests.replays.test_queue import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept() -> DatabaseStore:
    queued(version_at("http://127.0.0.1:9/v1"))
    lease = queue.claim("w1")
    assert lease is not None
    found = DatabaseStore(lease)
    found.load()
    return found


def test_a_hundred_trials_take_a_handful_of_queries(kept: DatabaseStore) -> None:
    kept.save(calls=1, trials=[record(1_000)])  # opens the data key
    with CaptureQueriesContext(
        connection,
    ) as asked:
        kept.save(calls=101, trials=[record(index) for index in range(100)])
    # a savepoint each way, the lease, and as many inserts as the database's limit on parameters needs
    assert len(asked) <= 6
    with CaptureQueriesContext(connection) as asked:
        kept.save(calls=102, trials=[])
    assert len(asked) <= 3


def test_a_resumed_run_reads_trial_after_trial(kept: DatabaseStore) -> None:
    kept.save(calls=250, trials=[record(index) for index in range(240)])
    seen: list[int] = []
    stored = kept.recall(lambda trial: seen.append(trial.index))
    assert seen == list(range(240))
    assert (stored.calls, stored.trials) == (250, [])
    assert stored.document is not None
    assert kept.load().trials == [record(index, started_at="") for index in range(240)]
