"""The store of `runs` in the database: batches of encrypted trials, fenced by the lease, each trial kept once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import models, transaction

from manyeyes.engine.plan import Progress
from manyeyes.replays import queue
from manyeyes.replays.models import HeldAnswer, Replay
from manyeyes.replays.rows import to_record, write
from manyeyes.rules import clock
from manyeyes.runs.document import DocumentError, PlanDocument
from manyeyes.runs.store import Identity, Stored, StoreError, TrialRecord

BATCH = 100


class DatabaseStore:
    """One replay, held by `lease`. Every write first proves the lease, so a worker that lost it can write nothing.

    Lives in the thread that owns the database connection; `progress` may be set from elsewhere and goes along with the
    next write.
    """

    def __init__(self, lease: queue.Lease) -> None:
        self.lease = lease
        self.progress: dict[str, Any] | None = None
        self._key_id: Any = None
        self._held_back: set[Identity] = set()

    def load(self) -> Stored:
        """The plan and all trials on record; also counts the calls that left no answer behind."""
        trials: list[TrialRecord] = []
        stored = self.recall(trials.append)
        stored.trials = trials
        return stored

    def recall(self, take: Callable[[TrialRecord], None]) -> Stored:
        """The same, with the trials handed over one by one."""
        replay = self._row()
        self._key_id = replay.key_id
        held = held_of(replay)
        self._held_back = {record.identity for record in held}
        kept = sum(_calls(record) for record in held)
        for row in replay.trials.all().iterator(chunk_size=BATCH):
            record = to_record(row)
            kept += _calls(record)
            take(record)
        self.lease.rows().update(unanswered=max(0, replay.calls - kept))
        try:
            document = PlanDocument.from_json(replay.document)
        except DocumentError as error:
            raise StoreError(f"replay {replay.pk}: {error}") from None
        return Stored(document=document, calls=replay.calls, result=replay.verdict, held=held)

    def freeze(self, document: PlanDocument) -> None:
        """The plan was frozen when the replay was requested; raises StoreError for any other."""
        kept = self._row().plan_hash
        if kept != document.hash:
            raise StoreError(f"The replay was planned as {kept[:12]} and cannot run {document.hash[:12]}.")

    def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
        """Keep the count of calls and these trials, or nothing. Raises queue.LeaseLost."""
        now = clock.now()
        values: dict[str, Any] = {"calls": calls, "heartbeat_at": now, "lease_until": now + queue.lease_time()}
        if self.progress is not None:
            values["progress"] = self.progress
        with transaction.atomic():
            # The update comes first: it takes the row's lock, so a lease cannot change hands before the commit.
            if not self.lease.rows().update(**values):
                raise queue.LeaseLost(str(self.lease.replay_id))
            if trials:
                write(trials, replay_id=self.lease.replay_id, key_id=self._key(), now=now)
            for stream, index in self._held_back & {record.identity for record in trials}:
                HeldAnswer.objects.filter(replay_id=self.lease.replay_id, stream=stream, index=index).delete()
        self._held_back -= {record.identity for record in trials}

    def hold(self, record: TrialRecord) -> None:
        """Keep an answer whose judge could not be reached; the trial itself takes its place. Raises queue.LeaseLost."""
        stream, index = record.identity
        with transaction.atomic():
            if not self.lease.rows().update(heartbeat_at=clock.now()):
                raise queue.LeaseLost(str(self.lease.replay_id))
            HeldAnswer.objects.filter(replay_id=self.lease.replay_id, stream=stream, index=index).delete()
            HeldAnswer.objects.create(
                replay_id=self.lease.replay_id, key_id=self._key(), stream=stream, index=index, record=record.to_json()
            )
        self._held_back.add(record.identity)

    def finish(self, result: Mapping[str, Any], *, overrun: Sequence[Identity]) -> None:
        """Keep the verdict, and mark the trials that came after its boundary."""
        with transaction.atomic():
            replay = queue.finish(self.lease, dict(result))
            for start in range(0, len(overrun), BATCH):
                late = models.Q(pk__in=[])
                for stream, index in overrun[start : start + BATCH]:
                    late |= models.Q(stream=stream, index=index)
                replay.trials.filter(late).update(overrun=True)

    def _row(self) -> Replay:
        replay: Replay | None = self.lease.rows().first()
        if replay is None:
            raise queue.LeaseLost(str(self.lease.replay_id))
        return replay

    def _key(self) -> Any:
        if self._key_id is None:
            self._key_id = self._row().key_id
        return self._key_id


def held_of(replay: Replay) -> tuple[TrialRecord, ...]:
    """The answers that were given and whose judge could not be reached."""
    return tuple(TrialRecord(**row.record) for row in replay.held.order_by("stream", "index"))


def _calls(record: TrialRecord) -> int:
    return record.attempts + sum(int(said["attempts"]) for said in record.judged)


def progress_json(progress: Progress) -> dict[str, Any]:
    """Where a run stands as plain data: counts and evidence, nothing that was said."""
    return {**asdict(progress), "evalues": dict(progress.evalues)}
