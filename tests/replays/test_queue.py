"""The queue: one holder at a time, leases that run out, pauses and ends that keep everything."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from manyeyes.programs import targets
from manyeyes.programs.models import TargetVersion
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.replays.store import DatabaseStore
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict
from manyeyes.runs.store import StoreError, TrialRecord
from tests.replays.making import plan, queued, version_at

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def version() -> TargetVersion:
    return version_at(URL)


def record(index: int, outcome: str = "failure", **more: object) -> TrialRecord:
    values = {"stream": "main", "index": index, "cell": "deployed/reported", "seed": 2**53 - 1, "outcome": outcome}
    return TrialRecord(**{**values, "digest": f"d{index}", "answer": f"MARKER {index} \udcff\x00", **more})


def test_asking_twice_with_one_id_gives_one_replay(version: TargetVersion) -> None:
    wanted = uuid.uuid4()
    first = queued(version, replay_id=wanted)
    assert queued(version, replay_id=wanted).pk == first.pk
    assert Replay.objects.count() == 1
    with pytest.raises(Conflict):
        queued(version, plan(URL, seed=8), replay_id=wanted)


def test_one_holder_at_a_time_and_never_two_replays_of_one_target(version: TargetVersion) -> None:
    first, second = queued(version), queued(version, plan(URL, seed=8))
    lease = queue.claim("a")
    assert lease is not None
    assert lease.replay_id == first.pk
    assert queue.claim("b") is None
    elsewhere = queued(version_at(URL, slug="other"))
    other = queue.claim("b")
    assert other is not None
    assert other.replay_id == elsewhere.pk
    queue.finish(lease, {"verdict": "reproduced", "n": 3, "k": 3})
    third = queue.claim("b")
    assert third is not None
    assert third.replay_id == second.pk


def test_versions_of_one_target_take_turns_because_they_share_its_permit(version: TargetVersion) -> None:
    queued(version)
    second = queued(targets.add_version(version.target, label="v2", endpoint_url=URL, model="wicket"))
    lease = queue.claim("a")
    assert lease is not None
    assert queue.claim("b") is None
    queue.finish(lease, {"verdict": "reproduced", "n": 3, "k": 3})
    after = queue.claim("b")
    assert after is not None
    assert after.replay_id == second.pk


def test_silent_worker_loses_its_replay_and_can_write_nothing_more(version: TargetVersion) -> None:
    replay = queued(version)
    with clock.freeze(NOW):
        old = queue.claim("old")
        assert old is not None
        store = DatabaseStore(old)
        store.save(calls=2, trials=[record(0)])
        clock.advance(queue.lease_time() / 2)
        assert queue.heartbeat(old) == ""
        clock.advance(queue.lease_time() * 0.9)
        assert queue.claim("new") is None, "a heartbeat keeps the lease"
        clock.advance(timedelta(minutes=5))
        new = queue.claim("new")
        assert new is not None
        assert new.attempt > old.attempt
        for act in (
            lambda: queue.heartbeat(old),
            lambda: store.save(calls=9, trials=[record(1)]),
            lambda: store.finish({"verdict": "holds", "n": 1, "k": 0}, overrun=()),
            lambda: queue.park(old, code="x", reason="x"),
            store.load,
        ):
            with pytest.raises(queue.LeaseLost):
                act()
        queue.release(old)
        kept = DatabaseStore(new).load()
    assert (kept.calls, [trial.index for trial in kept.trials]) == (2, [0])
    replay.refresh_from_db()
    assert (replay.state, replay.unanswered) == ("running", 1)


def test_trial_is_stored_once_and_comes_back_as_it_was(version: TargetVersion) -> None:
    replay = queued(version)
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    first = record(0, "success", tokens_in=5, started_at=NOW.isoformat(), sent='{"a":1}', model="wicket-1")
    store.save(calls=1, trials=[first])
    store.save(calls=3, trials=[record(0, "failure"), record(1, None)])
    kept = store.load()
    assert kept.trials == [first, record(1, None)]
    assert kept.calls == 3
    assert replay.trials.count() == 2
    store.freeze(plan(URL))
    with pytest.raises(StoreError):
        store.freeze(plan(URL, seed=99))


def test_finish_marks_what_came_after_the_boundary(version: TargetVersion) -> None:
    replay = queued(version)
    lease = queue.claim("w")
    assert lease is not None
    store = DatabaseStore(lease)
    store.save(calls=130, trials=[record(i) for i in range(130)])
    late = [("main", i) for i in range(10, 130)]
    store.finish({"verdict": "not_reproduced", "n": 10, "k": 0}, overrun=late)
    assert replay.trials.filter(overrun=True).count() == 120
    replay.refresh_from_db()
    assert (replay.state, replay.verdict_word, replay.n, replay.k) == ("done", "not_reproduced", 10, 0)
    assert [row.pk for row in queue.to_conclude()] == [replay.pk]
    queue.concluded(replay)
    assert queue.to_conclude() == []


def test_pause_resume_cancel(version: TargetVersion) -> None:
    replay = queued(version)
    queue.pause(replay)
    assert (replay.state, queue.claim("w")) == ("paused", None)
    queue.resume(replay)
    with pytest.raises(Conflict):
        queue.resume(replay)
    lease = queue.claim("w")
    assert lease is not None
    queue.pause(replay)
    assert replay.state == "running", "the worker finishes what is in flight first"
    assert queue.heartbeat(lease) == "pause"
    queue.grant(lease, "pause")
    replay.refresh_from_db()
    assert (replay.state, replay.pause_code, replay.wish) == ("paused", "asked", "")
    with pytest.raises(queue.LeaseLost):
        queue.heartbeat(lease)
    queue.cancel(replay)
    assert (replay.state, replay.is_over) == ("cancelled", True)
    for act in (queue.cancel, queue.pause, queue.resume):
        with pytest.raises(Conflict):
            act(replay)


def test_replay_of_a_dead_worker_is_paused_at_once(version: TargetVersion) -> None:
    replay = queued(version)
    with clock.freeze(NOW):
        assert queue.claim("dead") is not None
        clock.advance(timedelta(hours=1))
        queue.cancel(replay)
    assert replay.state == "cancelled"


def test_plan_and_answers_are_encrypted(version: TargetVersion) -> None:
    from django.db import connection

    queued(version)
    lease = queue.claim("w")
    assert lease is not None
    DatabaseStore(lease).save(calls=1, trials=[record(0, sent="MARKER", model="MARKER", finish_reason="MARKER")])
    queue.park(lease, code="target_unreachable", reason="MARKER said the target")
    with connection.cursor() as cursor:
        for table in ("replays_replay", "replays_trial"):
            cursor.execute(f"select * from {table}")
            stored = repr([bytes(v) if isinstance(v, memoryview) else v for row in cursor for v in row])
            assert "MARKER" not in stored
            assert "internal code" not in stored
