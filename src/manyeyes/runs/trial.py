"""Carries out one trial of any form: its calls, its repeats from a clean state on errors, the decision, the record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from manyeyes.engine.plan import Stream, Trial
from manyeyes.plugins.protocols import (
    Ask,
    Detector,
    EnvironmentFault,
    Exchange,
    Reply,
    Request,
    Target,
    TargetError,
)
from manyeyes.rules import clock
from manyeyes.runs.conversation import converse
from manyeyes.runs.deciding import decide
from manyeyes.runs.document import CellRequest, PlanDocument
from manyeyes.runs.environments import EnvironmentBroken, Environments
from manyeyes.runs.journal import Journal
from manyeyes.runs.meter import BudgetStop, Meter, Reserve, TightError
from manyeyes.runs.pacing import HaltedError, Pacing, Slots
from manyeyes.runs.steps import Called, digest, exchange_of, kept
from manyeyes.runs.store import TrialRecord
from manyeyes.runs.throttling import Repeats, TargetUnreachable, Throttling

ROLES = {Stream.POSITIVE: "positive", Stream.OLD: "old"}
"""The role of the target that a stream is tried on; every other stream has `main`."""


class UnjudgedError(Exception):
    """A trial that was answered, and whose judge was not reached: `record` is all there is, `cause` what happened."""

    def __init__(self, record: TrialRecord, cause: Exception) -> None:
        super().__init__(str(cause))
        self.record, self.cause = record, cause


@dataclass(kw_only=True)
class _Played:
    """A trial as it was carried out: what came of it, its calls that were answered, and all that were sent."""

    exchange: Exchange
    calls: list[Called] = field(default_factory=list)
    attempts: int = 0
    voids: int = 0


class Asking:
    """What every trial of a run shares. `blobs` are the images of the plan by hash."""

    def __init__(
        self,
        document: PlanDocument,
        targets: Mapping[str, Target],
        detectors: Mapping[str, Detector],
        slots: Slots,
        meter: Meter,
        journal: Journal,
        pacing: Pacing,
        blobs: Mapping[str, bytes] | None = None,
    ) -> None:
        self.document, self.targets, self.detectors = document, targets, detectors
        self.slots, self.meter, self.journal, self.pacing = slots, meter, journal, pacing
        self.blobs, self.environments = blobs or {}, Environments()
        self.throttling = Throttling(pacing)
        self._begun, self._new = asyncio.Lock(), asyncio.Lock()

    async def trial(self, trial: Trial, held: TrialRecord | None = None) -> TrialRecord:
        """One trial from a clean state to its record; one that was `held` with its answer is only judged.

        Raises TargetUnreachable, EnvironmentBroken, BudgetStop, HaltedError; UnjudgedError where there is an answer.
        """
        cell = self.document.requests[trial.cell]
        if held is None:
            started = clock.now().isoformat()
            played = await self._played(trial, cell)
            exchange = played.exchange
            held = TrialRecord(
                stream=str(trial.stream),
                index=trial.index,
                cell=trial.cell,
                seed=trial.seed,
                outcome=None,
                digest=digest(exchange),
                started_at=started,
                attempts=played.attempts,
                observations=exchange.observations,
                voids=played.voids,
                **kept(played.calls, self.blobs),
            )
        else:
            exchange = exchange_of(cell, held)
        heard = list(held.judged)
        try:
            decided = await decide(self.detectors[cell.detector], exchange, partial(self._asked, trial), heard=heard)
        except (TargetUnreachable, BudgetStop, HaltedError) as error:
            held.judged = heard
            raise UnjudgedError(held, error) from error
        held.outcome = None if decided.outcome is None else str(decided.outcome)
        held.judged = list(decided.judged)
        return held

    async def _played(self, trial: Trial, cell: CellRequest) -> _Played:
        """The trial, carried out whole: where a call fails midway, all of it again from a clean state."""
        role = ROLES.get(trial.stream, "main")
        request = self._request(trial, cell)
        repeats = Repeats(role, self.pacing, self.throttling)
        attempt = voids = sent = 0
        while True:
            attempt += 1
            again = request if attempt == 1 else replace(request, attempt=attempt)
            play = _Play(self, role, trial.cell, again, repeats)
            try:
                exchange = await (play.conversation(cell) if cell.environment is None else play.environment(cell))
                repeats.answered()
                return _Played(exchange=exchange, calls=play.calls, attempts=sent + play.sent, voids=voids)
            except TargetError as error:
                wait = repeats.after(error)
            except EnvironmentFault as fault:
                voids += 1
                if voids > self.pacing.retries:
                    assert cell.environment is not None
                    raise EnvironmentBroken(cell.environment["name"], str(fault), voids=voids) from None
                wait = self.pacing.wait(voids, None)
            sent += play.sent
            await self.slots.rest(wait)

    def _request(self, trial: Trial, cell: CellRequest) -> Request:
        return Request(
            messages=cell.messages,
            params=cell.params,
            tools=cell.tools,
            blobs=self.blobs,
            seed=self._seed(trial),
            stream=str(trial.stream),
            index=trial.index,
        )

    def _seed(self, trial: Trial) -> int | None:
        return {"per_trial": trial.seed, "fixed": self.document.seed}.get(self.document.seeds)

    async def answer(self, role: str, request: Request, cell: str) -> tuple[Reply, int, int]:
        """A judge's reply, the number of calls it took, and the last one's milliseconds; the same bytes each time."""
        repeats = Repeats(role, self.pacing, self.throttling)
        attempt = 0
        while True:
            attempt += 1
            try:
                reply, ms = await self.call(role, replace(request, attempt=attempt), cell, live=True)
                repeats.answered()
                return reply, attempt, ms
            except TargetError as error:
                await self.slots.rest(repeats.after(error))

    async def call(
        self,
        role: str,
        request: Request,
        cell: str,
        *,
        live: bool = False,
        ask: Callable[[Request], Awaitable[Reply]] | None = None,
    ) -> tuple[Reply, int]:
        """Exactly one call, counted and on record as counted before it is sent.

        `live`: its messages hold live answers, so that what earlier calls of this cell took says nothing of it. `ask`
        is called in the place of the target.
        """
        target = self.targets[role]
        requests = 1 if ask else getattr(target, "requests_per_ask", 1)  # more where a session is opened first
        reserve = partial(
            self.meter.reserve,
            cell, request.messages, request.params, requests=requests, tools=request.tools, live=live, role=role,
        )  # fmt: skip
        taken, held = await self._room(reserve, begun=live)
        usage: dict[str, Any] = {}
        try:
            await self.journal.call(requests)
            began = time.monotonic()
            reply = await (ask or target.ask)(request)
            usage = {"cell": cell, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out}
        except TargetError as error:
            if error.throttled:
                self.slots.throttled(taken, self.throttling.asked(role, taken, error.retry_after))
            raise
        finally:
            self.meter.settle(held, **usage)
            self.slots.leave()
        self.slots.answered(taken)
        return reply, round((time.monotonic() - began) * 1000)

    async def _room(self, reserve: Callable[[], Reserve], *, begun: bool) -> tuple[float, Reserve]:
        """A slot, and what a call may cost set aside. Raises BudgetStop and HaltedError.

        Where it is only calls under way that leave too little of a cap, it waits until they have said what they took.
        Each waits for those that came before, and what begins a trial for all that goes on with one (`begun`).
        """
        try:
            async with self._begun if begun else self._new:
                while True:
                    if begun or self.slots.halted or not self._begun.locked():
                        taken = await self.slots.take()
                        try:
                            return taken, reserve()
                        except BudgetStop as stop:
                            self.slots.leave(unused=True)
                            if not isinstance(stop, TightError):
                                raise
                    await self.slots.one_over()
        finally:
            if begun:
                self.slots.look_again()

    async def _asked(self, trial: Trial, ask: Ask) -> tuple[Reply, int, int]:
        """A judge's answer. Its calls go the same way as all others."""
        return await self.answer(ask.role, _judge_request(ask, trial), f"judge/{ask.role}")


class _Play:
    """One attempt at a trial, with every call that it makes."""

    def __init__(self, asking: Asking, role: str, cell: str, request: Request, repeats: Repeats) -> None:
        self._asking, self._role, self._cell, self._request = asking, role, cell, request
        self._repeats = repeats
        self.calls: list[Called] = []
        self.sent = 0

    async def conversation(self, cell: CellRequest) -> Exchange:
        """The script of the cell, a call for each live answer."""
        script = converse(cell)
        messages = next(script)
        while True:
            request = self._request if messages is cell.messages else replace(self._request, messages=messages)
            reply = await self._turn(request)
            try:
                messages = script.send(reply)
            except StopIteration as stop:
                exchange: Exchange = stop.value
                return exchange

    async def _turn(self, request: Request) -> Reply:
        """One live answer. What the target turned away is sent again by itself: no word was said, so none is lost."""
        while True:
            try:
                reply = await self._call(request)
            except TargetError as error:
                if not error.throttled:
                    raise
                await self._asking.slots.rest(self._repeats.after(error))
            else:
                self._repeats.answered()
                return reply

    async def environment(self, cell: CellRequest) -> Exchange:
        """A trial that an environment plays; it asks the model, or a system of its own."""
        exchange = await self._asking.environments.trial(self._role, cell, self._request, self._model, self._direct)
        if not self.calls or self.calls[-1].reply is not exchange.reply:
            self.calls.append(Called(reply=exchange.reply, ms=0))
        return exchange

    async def _model(self, request: Request) -> Reply:
        """A call that an environment makes: under the settings, seed and images of the trial, its own words first."""
        mine = self._request
        params, blobs = {**mine.params, **request.params}, {**mine.blobs, **request.blobs}
        messages, tools = request.messages, request.tools
        return await self._call(replace(mine, messages=messages, tools=tools, params=params, blobs=blobs), live=True)

    async def _direct(self, ask: Callable[[Request], Awaitable[Reply]], request: Request) -> Reply:
        return await self._call(request, ask=ask)

    async def _call(
        self, request: Request, *, live: bool = False, ask: Callable[[Request], Awaitable[Reply]] | None = None
    ) -> Reply:
        self.sent += 1
        reply, ms = await self._asking.call(self._role, request, self._cell, live=live or bool(self.calls), ask=ask)
        self.calls.append(Called(reply=reply, ms=ms))
        return reply


def _judge_request(ask: Ask, trial: Trial) -> Request:
    return Request(
        messages=ask.messages, params=ask.params, seed=trial.seed, stream=str(trial.stream), index=trial.index
    )
