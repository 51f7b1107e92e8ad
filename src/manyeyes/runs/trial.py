"""Carries out one trial: the call, its repeats on errors, the detector's decision, the record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from manyeyes.engine.plan import Stream, Trial
from manyeyes.plugins.protocols import Ask, Detector, Exchange, Reply, Request, Target, TargetError
from manyeyes.rules import clock
from manyeyes.runs.deciding import decide
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.journal import Journal
from manyeyes.runs.meter import Meter
from manyeyes.runs.pacing import Pacing, Slots
from manyeyes.runs.store import TrialRecord


class TargetUnreachable(Exception):  # noqa: N818 - a state of the run, not a fault
    """A target gave no answer, repeats included. The run is paused: everything is kept, and running again goes on."""

    def __init__(self, role: str, said: str) -> None:
        super().__init__(f"target {role}: {said}")
        self.role = role


class Asking:
    """What every trial of a run shares."""

    def __init__(
        self,
        document: PlanDocument,
        targets: Mapping[str, Target],
        detectors: Mapping[str, Detector],
        slots: Slots,
        meter: Meter,
        journal: Journal,
        pacing: Pacing,
    ) -> None:
        self.document, self.targets, self.detectors = document, targets, detectors
        self.slots, self.meter, self.journal, self.pacing = slots, meter, journal, pacing

    async def trial(self, trial: Trial) -> TrialRecord:
        """One trial from a clean state to its record. Raises TargetUnreachable, BudgetStop, HaltedError."""
        cell = self.document.requests[trial.cell]
        role = "positive" if trial.stream is Stream.POSITIVE else "main"
        request = Request(
            messages=cell.messages,
            params=cell.params,
            seed=self._seed(trial),
            stream=str(trial.stream),
            index=trial.index,
        )
        started = clock.now().isoformat()
        reply, attempts, ms = await self.answer(role, request, trial.cell)
        exchange = Exchange(messages=cell.messages, reply=reply)
        decided = await decide(self.detectors[cell.detector], exchange, partial(self._asked, trial))
        return TrialRecord(
            stream=str(trial.stream),
            index=trial.index,
            cell=trial.cell,
            seed=trial.seed,
            outcome=None if decided.outcome is None else str(decided.outcome),
            digest=_digest(reply),
            sent=reply.sent.decode(),
            answer=reply.text,
            finish_reason=reply.finish_reason,
            http_status=reply.status,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            ms=ms,
            started_at=started,
            attempts=attempts,
            model=reply.model,
            fingerprint=reply.fingerprint,
            judged=list(decided.judged),
        )

    def _seed(self, trial: Trial) -> int | None:
        return {"per_trial": trial.seed, "fixed": self.document.seed}.get(self.document.seeds)

    async def answer(self, role: str, request: Request, cell: str) -> tuple[Reply, int, int]:
        """The reply, the number of calls it took, and the last one's milliseconds; the same bytes each time."""
        attempt = 0
        while True:
            attempt += 1
            try:
                reply, ms = await self._call(role, replace(request, attempt=attempt), cell)
                return reply, attempt, ms
            except TargetError as error:
                if not error.retryable:
                    raise TargetUnreachable(role, str(error)) from None
                if attempt > self.pacing.retries:
                    raise TargetUnreachable(role, f"{error} (tried {attempt} times)") from None
                await self.slots.rest(self.pacing.wait(attempt, error.retry_after))

    async def _call(self, role: str, request: Request, cell: str) -> tuple[Reply, int]:
        """Exactly one call, counted and on record as counted before it is sent."""
        async with self.slots as taken:
            held = self.meter.reserve(cell, request.messages, request.params)
            usage: dict[str, Any] = {}
            try:
                await self.journal.call()
                began = time.monotonic()
                reply = await self.targets[role].ask(request)
                usage = {"cell": cell, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out}
            except TargetError as error:
                if error.throttled:
                    asked = self.pacing.throttled if error.retry_after is None else error.retry_after
                    self.slots.throttled(taken, min(asked, self.pacing.most_asked))
                raise
            finally:
                self.meter.settle(held, **usage)
            self.slots.answered(taken)
            return reply, round((time.monotonic() - began) * 1000)

    async def _asked(self, trial: Trial, ask: Ask) -> tuple[Reply, int, int]:
        """A judge's answer. Its calls go the same way as all others."""
        return await self.answer(ask.role, _judge_request(ask, trial), f"judge/{ask.role}")


def _judge_request(ask: Ask, trial: Trial) -> Request:
    messages: Sequence[Mapping[str, str]] = ask.messages
    return Request(messages=messages, params=ask.params, seed=trial.seed, stream=str(trial.stream), index=trial.index)


def _digest(reply: Reply) -> str:
    return hashlib.sha256(reply.text.encode("utf-8", "surrogatepass")).hexdigest()
