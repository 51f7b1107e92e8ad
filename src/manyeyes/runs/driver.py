"""Drives a plan against its targets: starts trials, feeds answers to the engine, keeps everything, stops in order."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from manyeyes.engine.plan import REPORTED, Feed, Progress, Stream, Trial
from manyeyes.engine.schedule import Layout
from manyeyes.engine.verdict import Verdict
from manyeyes.plugins.detection import Whole, roles
from manyeyes.plugins.protocols import Target
from manyeyes.rules.numerals import many
from manyeyes.runs.beforehand import look
from manyeyes.runs.blobs import BlobSource
from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.runs.environments import EnvironmentBroken
from manyeyes.runs.formless import Formless
from manyeyes.runs.journal import Journal
from manyeyes.runs.kept import Identity
from manyeyes.runs.meter import BudgetStop
from manyeyes.runs.pacing import HaltedError, Pacing, Slots
from manyeyes.runs.result import RunResult
from manyeyes.runs.resumed import Resumed
from manyeyes.runs.store import Store, Stored, TrialRecord
from manyeyes.runs.throttling import TargetUnreachable
from manyeyes.runs.trial import Asking, UnjudgedError

__all__ = ["AwaitingLabel", "BudgetStop", "EnvironmentBroken", "Interrupted", "Standing", "TargetUnreachable", "run"]

LOOK = 0.1
"""So many seconds pass between two tellings of where a run stands."""

WAITING = 24
"""Answers that may wait for a person before the run waits too: labels decide whether more are needed at all."""


class AwaitingLabel(Exception):  # noqa: N818 - a state of the run, not a fault
    """A person must say what some answers were: so many that no more are asked for, or all that can be asked for."""

    def __init__(self, waiting: int) -> None:
        said = many(waiting, "answer waits", "answers wait")
        super().__init__(f"{said} for a person to say what {'it is' if waiting == 1 else 'they are'}")
        self.waiting = waiting


class Interrupted(Exception):  # noqa: N818 -- says what happened to the run, not what went wrong
    """The run was told to stop: the calls under way were finished and kept, and running again goes on."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run stands, for people to look at."""

    progress: Progress
    calls: int
    under_way: int
    slots: int


async def run(
    document: PlanDocument,
    store: Store,
    targets: Mapping[str, Target],
    *,
    concurrency: int = 8,
    on_progress: Callable[[Standing], None] | None = None,
    pacing: Pacing | None = None,
    caps: Caps | None = None,
    executor: Executor | None = None,
    stop: asyncio.Event | None = None,
    blobs: BlobSource | None = None,
) -> RunResult:
    """Runs a plan to its verdict, from wherever the store says it stands; the same store again goes on from there.

    `targets` has one target for each role of the document (`main`, and `positive` and `old` where the plan has those);
    they are not closed here. `caps` take the place of the document's. The store is called in `executor` (one thread).
    `blobs` gives the images that messages name by hash; BlobError (a ValueError) before trial 1 where it cannot.
    Raises TargetUnreachable, EnvironmentBroken, BudgetStop and AwaitingLabel, each with everything kept and to be gone
    on from by calling again; StoreError where the store holds another plan. Cancelling it keeps every answer that has
    come; setting `stop` also waits for the calls under way, and raises Interrupted.
    """
    missing = _roles(document) - set(targets)
    if missing:
        raise ValueError(f"targets: the plan needs a target for {', '.join(sorted(missing))}")
    images = look(document, blobs)
    own = ThreadPoolExecutor(max_workers=1, thread_name_prefix="manyeyes-store") if executor is None else None
    try:
        thread = executor or own
        assert thread is not None
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(thread, store.freeze, document)
        resumed = Resumed(document, caps)
        stored = await loop.run_in_executor(thread, resumed.read, store)
        driver = _Driver(resumed, store, stored, targets, thread, slots=Slots(concurrency), pacing=pacing)
        driver.stop, driver.asking.blobs = stop, images
        return await driver.finish(await driver.go(on_progress or _silent))
    finally:
        if own is not None:
            own.shutdown()


def _roles(document: PlanDocument) -> set[str]:
    plan = document.plan
    arms = {"main"} | ({"positive"} if plan.positive else set()) | ({"old"} if plan.compare else set())
    return arms.union(*(roles(rule) for rule in document.detectors.values())) - {"human"}


def _silent(standing: Standing) -> None:
    """Tells nobody."""


class _Driver:
    def __init__(
        self,
        resumed: Resumed,
        store: Store,
        stored: Stored,
        targets: Mapping[str, Target],
        thread: Executor,
        *,
        slots: Slots,
        pacing: Pacing | None,
    ) -> None:
        self.resumed, self.store, self.stored, self.thread = resumed, store, stored, thread
        self.document, self.meter, self.parked = resumed.document, resumed.meter, resumed.parked
        self.slots, self.pacing = slots, pacing or Pacing()
        detectors = {name: Whole(rule) for name, rule in self.document.detectors.items()}
        self.journal = Journal(store, thread, calls=stored.calls)
        self.asking = Asking(self.document, targets, detectors, self.slots, self.meter, self.journal, self.pacing)
        self.began, self.told = time.monotonic(), (0.0, 0)
        self.formless = Formless()
        self.late: set[Identity] = set()
        self.tasks: dict[asyncio.Task[None], int] = {}
        self.begun = 0
        self.landed: list[TrialRecord] = []
        self.ready = asyncio.Event()
        self.trouble: Exception | None = None
        self.stop: asyncio.Event | None = None

    async def go(self, tell: Callable[[Standing], None]) -> Verdict:
        """Until the engine gives its verdict, or the run cannot go on."""
        watch = asyncio.create_task(self._watch())
        try:
            verdict = await self._converse(tell)
            await self._drain()
            return verdict
        finally:
            watch.cancel()
            for task in self.tasks:
                task.cancel()
            await asyncio.shield(self._close())

    async def _watch(self) -> None:
        if self.stop is not None:
            await self.stop.wait()
            self._give_up(Interrupted("The run was told to stop."))
            self.ready.set()

    async def _close(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._collect()
        await self.asking.environments.close()
        await self.journal.close()

    async def _converse(self, tell: Callable[[Standing], None]) -> Verdict:
        progress, answers = self.resumed.progress, self.resumed.answers()
        while True:
            # An interval takes longer to work out than a trial to make, so nobody is told more often than people read.
            due = time.monotonic() - self.told[0] >= LOOK or self.slots.limit != self.told[1]
            look = due and tell is not _silent
            try:
                batch = self.resumed.engine.send(Feed(answers=answers, room=self._room(progress), look=look))
            except StopIteration as stop:
                verdict: Verdict = stop.value
                return verdict
            progress = batch.progress
            for trial in batch.trials:
                self._start(trial)
            if look:
                self.told = time.monotonic(), self.slots.limit
                under_way, slots = len(self.tasks), self.slots.limit
                tell(Standing(progress=progress, calls=self.meter.calls, under_way=under_way, slots=slots))
            self._stuck(bool(batch.trials))
            if self.tasks:
                await self.ready.wait()
            self.ready.clear()
            answers = [answer for record in self._collect() if (answer := self.resumed.on_record(record))]

    def _room(self, progress: Progress) -> int:
        """How many trials may be started now.

        An answer that is slow to come blocks the look at all after it, and what is started meanwhile is overrun if the
        boundary was near. So no trial starts further from the oldest one under way than there are slots. Trials of a
        fixed number have no boundary, and just fill the slots. Where many answers wait for a person, none is asked for.
        """
        if self.slots.halted or len(self.parked) >= WAITING:
            return 0
        used = len(self.tasks)
        if progress.phase != "score":
            used = self.begun - next(iter(self.tasks.values()), self.begun)  # the oldest is first
        if progress.phase == "main":
            known = self.resumed.beforehand
            used += bisect_left(known, max(progress.n, self.document.plan.cap)) - bisect_left(known, progress.n)
        return max(0 if self.tasks else 1, self.slots.limit - used)

    def _stuck(self, started: bool) -> None:
        """Raises what ends a run without a verdict, once nothing is under way any more."""
        if self.tasks or self.landed:
            return
        if self.trouble is not None:
            raise self.trouble
        if not started and self.parked:
            raise AwaitingLabel(len(self.parked))

    def _start(self, trial: Trial) -> None:
        if (str(trial.stream), trial.index) not in self.parked:
            task = asyncio.create_task(self._one(trial))
            self.tasks[task] = self.begun
            self.begun += 1
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.pop(task, None)
        self.ready.set()

    async def _one(self, trial: Trial) -> None:
        try:
            held = self.resumed.held.pop((str(trial.stream), trial.index), None)
            record = await self.asking.trial(trial, held)
            self.landed.append(record)
            if silent := self.formless.add(record):
                self._give_up(silent)
        except HaltedError:
            pass
        except UnjudgedError as error:
            self.journal.hold(error.record)
            if not isinstance(error.cause, HaltedError):
                self._give_up(error.cause)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if self.trouble is None or isinstance(self.trouble, BudgetStop):
            self.trouble = error
        self.slots.halt()

    def _collect(self, *, late: bool = False) -> list[TrialRecord]:
        """Takes what has landed, and hands it to the journal."""
        records, self.landed = self.landed, []
        for record in records:
            record.overrun = late
            self.journal.add(record)
        return records

    async def _drain(self) -> None:
        """Calls under way at the verdict are paid for, so their answers are kept, as overrun."""
        self.slots.halt()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self.pacing.drain)
        self.late = {record.identity for record in self._collect(late=True)}

    async def finish(self, verdict: Verdict) -> RunResult:
        """Keeps the verdict and what came after its boundary."""
        beyond = self._beyond(verdict)
        result = RunResult(
            document=self.document,
            verdict=verdict,
            calls=self.meter.calls,
            tokens_in=self.meter.tokens_in,
            tokens_out=self.meter.tokens_out,
            cost=self.meter.cost,
            seconds=self._seconds(),
            overrun=verdict.overrun + len(self.late),
            models=self.resumed.models,
            noticed=self.resumed.honoured.checks(),
            cells=self._cells(beyond),
        )
        keep = partial(self.store.finish, result.to_json(), overrun=sorted(beyond))
        await asyncio.get_running_loop().run_in_executor(self.thread, keep)
        return result

    def _seconds(self) -> float:
        """Time spent in all runs together; of earlier ones, the time in which a trial was under way."""
        before: Any = (self.stored.result or {}).get("seconds")
        return float(before) if before is not None else self.resumed.earlier + time.monotonic() - self.began

    def _beyond(self, verdict: Verdict) -> set[Identity]:
        """Trials the verdict does not count: they came after it, or after the boundary of their stream or part."""
        ends = {arm.arm: arm.n for arm in verdict.arms}
        ends |= {str(Stream.MAIN): verdict.n, str(Stream.CONTROL): verdict.n}
        fresh = self.document.plan.cap  # from here on a control's trials are its fixed ones
        beyond = set(self.late)
        pairs = verdict.beside.get("n", 0)
        paired = (REPORTED, verdict.beside.get("part"))
        left = {part.part: part.n - (pairs if part.part in paired else 0) for part in verdict.parts}
        layout = Layout(self.document.plan) if verdict.beside else None
        for identity, cell, _ in self.resumed.tried.rows(Stream.MAIN):
            stream, index = identity
            part = self.document.requests[cell].part
            if verdict.items and stream == Stream.MAIN:
                turn, item = divmod(index, len(verdict.items))
                ends[stream] = index + (turn < verdict.items[item].n)
            past = index >= ends.get(stream, index + 1) and not (stream == Stream.CONTROL and index >= fresh)
            if layout and stream == Stream.ATTRIBUTE and (pair := layout.pair(index)) is not None:
                beyond |= {identity} if pair >= pairs else set()
            elif past or (stream == Stream.ATTRIBUTE and left.get(part, 0) <= 0):
                beyond.add(identity)
            elif stream in (Stream.MAIN, Stream.ATTRIBUTE):
                left[part] = left.get(part, 0) - 1
        return beyond

    def _cells(self, beyond: set[Identity]) -> dict[str, tuple[int, int]]:
        """Trials and successes of each cell of the exploit, as far as the verdict counts them."""
        counts: dict[str, tuple[int, int]] = {}
        for identity, cell, success in self.resumed.tried.rows(Stream.MAIN):
            if identity[0] in (Stream.MAIN, Stream.ATTRIBUTE) and identity not in beyond:
                n, k = counts.get(cell, (0, 0))
                counts[cell] = (n + 1, k + success)
        return counts
