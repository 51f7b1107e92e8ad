"""A replay whose judge cannot be reached keeps the answer, encrypted, and asks that judge alone again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.replays import queue
from manyeyes.replays.models import HeldAnswer, Replay
from manyeyes.replays.store import DatabaseStore
from manyeyes.runs.driver import TargetUnreachable, run
from manyeyes.runs.result import RunResult
from tests.replays.making import queued, version_at
from tests.replays.test_queue import URL, record
from tests.runs.judged import judging, leaking, planned
from tests.runs.test_held import PLAN, Down

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writer() -> Iterator[ThreadPoolExecutor]:
    """The one thread that talks to the database, as in the worker."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
        pool.submit(connections.close_all).result()


def driven(writer: ThreadPoolExecutor, **targets: Scripted) -> RunResult:
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    stored = Replay.objects.get(pk=lease.replay_id)
    document = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAN)
    assert stored.plan_hash == document.hash
    try:
        return asyncio.run(run(document, store, targets, concurrency=4, executor=writer))
    except TargetUnreachable as error:
        queue.park(lease, code="target_unreachable", reason=str(error))
        raise


def test_only_the_judge_is_asked_again(writer: ThreadPoolExecutor) -> None:
    replay = queued(version_at(URL), planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAN))
    main, judge, second = leaking(0.04), Down(judging(1, 0.1), after=5), judging(1, 0, name="second")
    with pytest.raises(TargetUnreachable, match="target judge"):
        driven(writer, main=main, judge=judge, confirm=second)
    held = replay.held.count()
    assert held > 0
    assert main.calls == held + replay.trials.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT record FROM replays_heldanswer")
        assert not any(b"herons" in bytes(row[0]) or b"blue" in bytes(row[0]) for row in cursor.fetchall())
    replay.refresh_from_db()
    queue.resume(replay)
    judge.after = 1_000
    result = driven(writer, main=main, judge=judge, confirm=second)
    late = set(replay.held.values_list("stream", "index"))
    assert not late & set(replay.trials.values_list("stream", "index")), "what is held is no trial yet"
    assert main.calls == replay.trials.count() + len(late), "no answer was asked for twice"
    replay.refresh_from_db()
    assert result.calls == replay.calls == main.calls + len(judge.asked) + second.calls
    assert replay.unanswered == len(judge.asked) - judge.calls, "the judge's calls that came to nothing"


def test_a_worker_that_lost_its_lease_holds_nothing() -> None:
    queued(version_at(URL))
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    store.load()
    queue.release(lease)
    with pytest.raises(queue.LeaseLost):
        store.hold(record(0, outcome=None))  # type: ignore[arg-type]
    assert HeldAnswer.objects.count() == 0


def test_held_twice_it_is_there_once_as_it_was_last() -> None:
    queued(version_at(URL))
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    values: dict[str, Any] = {"outcome": None}
    for attempts in (1, 2):
        store.hold(record(0, **values, attempts=attempts))
    stored = store.load()
    assert [one.attempts for one in stored.held] == [2]
    assert stored.trials == []
    store.save(calls=3, trials=[record(0, attempts=2)])
    assert store.load().held == ()
