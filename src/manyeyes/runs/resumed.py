"""What a run knows of its trials, those of earlier runs included: the engine, the bill, and a few bytes of each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from manyeyes.engine import replay
from manyeyes.engine.plan import Answer, Feed, Outcome, Stream
from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.runs.honoured import Honoured
from manyeyes.runs.kept import Busy, Identity, Tried
from manyeyes.runs.meter import Meter
from manyeyes.runs.store import Store, Stored, TrialRecord

PORTION = 500
"""So many trials on record are taken in at a time."""


class Resumed:
    """What the trials so far come to.

    `beforehand` are the indices in blocks that were on record before this run, `held` the trials that were answered
    and must still be judged.
    """

    def __init__(self, document: PlanDocument, caps: Caps | None) -> None:
        self.document = document
        self.meter = Meter(caps or document.caps, document.price, prices=document.prices)
        self.engine = replay(document.plan)
        self.progress = next(self.engine).progress
        self.tried, self.models = Tried(), Counter[str]()
        self.honoured = Honoured(document)
        self.parked: set[Identity] = set()
        self.held: dict[Identity, TrialRecord] = {}
        self.beforehand = array("L")
        self._busy = Busy()
        self._answers: list[Answer] = []

    def read(self, store: Store) -> Stored:
        """Everything on record, in portions. Called in the store's thread."""
        stored = store.recall(self._take)
        self.meter.calls = stored.calls
        for record in stored.held:
            self._spent(record)
            self.held[record.identity] = record
        self.beforehand = array("L", sorted(self.beforehand))
        return stored

    @property
    def earlier(self) -> float:
        """Seconds spent in earlier runs."""
        return self._busy.seconds

    def _spent(self, record: TrialRecord) -> None:
        """Puts a trial on the bill."""
        sent = self.document.requests[record.cell]
        self.meter.recall(
            sent.messages,
            sent.params,
            tokens_in=record.tokens_in,
            tokens_out=record.tokens_out,
            calls=1 + len(record.steps),
        )
        for row in record.judged:
            spent = {"tokens_in": row["tokens_in"] or 0, "tokens_out": row["tokens_out"] or 0}
            self.meter.recall((), {}, **spent, role=row["role"])
        self._busy.add(record.started_at, record.ms)

    def _take(self, record: TrialRecord) -> None:
        self._spent(record)
        if record.stream in (Stream.MAIN, Stream.CONTROL):
            self.beforehand.append(record.index)
        if answer := self.on_record(record):
            self._answers.append(answer)
        if len(self._answers) >= PORTION:
            # More is on record than this, so the engine reads on without giving a verdict yet.
            self.progress = self.engine.send(Feed(answers=self.answers(), room=0, more=True)).progress

    def answers(self) -> list[Answer]:
        """The answers that the engine has not been told yet."""
        told, self._answers = self._answers, []
        return told

    def on_record(self, record: TrialRecord) -> Answer | None:
        """What the engine is told of a trial; None where a person must say first what it was."""
        self.tried.add(record.identity, record.cell, record.outcome == Outcome.SUCCESS)
        if record.model and record.stream != Stream.POSITIVE:
            self.models[record.model] += 1
        self.honoured.add(record)
        if record.outcome is None:
            self.parked.add(record.identity)
            return None
        return answer_of(record, record.outcome)


def answer_of(record: TrialRecord, outcome: str, *, judged: Sequence[Mapping[str, Any]] | None = None) -> Answer:
    """What the engine is told of a trial that came to this, and (`judged`, else as on record) by whose word."""
    rows = record.judged if judged is None else judged
    return Answer(
        stream=Stream(record.stream),
        index=record.index,
        outcome=Outcome(outcome),
        digest=record.digest,
        model=record.model,
        fingerprint=record.fingerprint,
        judges=tuple((row["role"], row["model"]) for row in rows if row.get("model")) if rows else (),
    )
