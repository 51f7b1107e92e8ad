"""The worker: one event loop that drives replays, one thread that owns the database connection; any number may run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import connections

from manyeyes import events
from manyeyes.cases import alarms, bundles_queue, coreporters, digests, drafts, placing, preflight, replayed
from manyeyes.plugins.protocols import Target, TargetError
from manyeyes.programs import guests
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.replays.ready import NotPermitted, Ready, open_target, prepare
from manyeyes.replays.store import DatabaseStore, progress_json
from manyeyes.runs import driver
from manyeyes.runs.meter import BudgetStop
from manyeyes.runs.store import Identity
from manyeyes.vault import orphans

log = logging.getLogger("manyeyes.worker")
T = TypeVar("T")

AT_ONCE = 4  # replays of different targets; two of one target never run side by side
POLL = 0.5
SWEEP = 2.0
RING = 30.0
DIGEST = 600.0
SCORE = 1.0
ARRIVALS = 1.0
TIDY = 3600.0
TICK = 0.2


class Desk:
    """The one thread that talks to the database, and others for what is slow: the mail server, a bundle to score."""

    def __init__(self) -> None:
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._mail = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._scores = ThreadPoolExecutor(1, thread_name_prefix="scores")

    async def do(self, act: Callable[..., T], *args: Any) -> T:
        """Do something with the database and come back with its result."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, _fresh, act, args)

    async def deliver(self) -> None:
        """Send the mails that are due."""
        await asyncio.get_running_loop().run_in_executor(self._mail, _fresh, events.deliver_due, ())

    async def score(self, owner: str, stop: Callable[[], bool]) -> bool:
        """Score a bundle that waits, which takes a while; whether there was one."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._scores, _fresh, bundles_queue.score_next, (owner, stop))

    def close(self) -> None:
        """Let the threads finish what they hold and give their connections back."""
        for pool in (self.writer, self._mail, self._scores):
            pool.submit(connections.close_all)
            pool.shutdown(wait=True)


def _fresh(act: Callable[..., T], args: tuple[Any, ...]) -> T:
    # A connection that the database has dropped meanwhile is opened again instead of failing every call from then on.
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    return act(*args)


def work(stop: threading.Event, *, once: bool = False) -> None:
    """Work until `stop` is set; with `once` until nothing is waiting."""
    desk = Desk()
    try:
        asyncio.run(_Worker(desk, stop).run(once=once))
    finally:
        desk.close()


class _Worker:
    def __init__(self, desk: Desk, stop: threading.Event) -> None:
        self.desk, self.stop = desk, stop
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.runs: set[asyncio.Task[None]] = set()

    async def run(self, *, once: bool) -> None:
        rounds = ((SWEEP, self.desk.deliver), (SWEEP, self._conclude), (TIDY, self._tidy), (RING, self._ring),
                  (SCORE, self._score), (ARRIVALS, self._arrivals), (DIGEST, self._digest))  # fmt: skip
        if once:
            await self._arrivals()
        side = [asyncio.create_task(self._again(seconds, act)) for seconds, act in rounds]
        try:
            while not self.stop.is_set():
                lease = await self._claim() if len(self.runs) < AT_ONCE else None
                if lease is not None:
                    task = asyncio.create_task(self._drive(lease))
                    self.runs.add(task)
                    task.add_done_callback(self.runs.discard)
                elif once and not self.runs:
                    break
                else:
                    await asyncio.sleep(POLL)
            await asyncio.gather(*self.runs, return_exceptions=True)
            await self._conclude()
            if once:
                await self.desk.do(preflight.settle_stopped)
                await self._score()
                await self.desk.deliver()
        finally:
            for task in side:
                task.cancel()
            await asyncio.gather(*side, return_exceptions=True)

    async def _claim(self) -> queue.Lease | None:
        try:
            return await self.desk.do(queue.claim, self.name)
        except Exception:
            log.exception("claiming failed")  # the database may be back in a moment
            await asyncio.sleep(SWEEP)
            return None

    async def _again(self, seconds: float, act: Callable[[], Any]) -> None:
        while True:
            try:
                await act()
            except Exception:
                log.exception("a round failed")
            await asyncio.sleep(seconds)

    async def _tidy(self) -> None:
        for sweep in (drafts.sweep, coreporters.sweep, guests.sweep, orphans.sweep):
            await self.desk.do(sweep)
        await self.desk.do(placing.again)

    async def _score(self) -> None:
        while not self.stop.is_set() and await self.desk.score(self.name, self.stop.is_set):
            pass

    async def _arrivals(self) -> None:
        """Decide on reports that wait to be tried, one at a time, so that nothing else waits for all of them."""
        while not self.stop.is_set() and await self.desk.do(preflight.decide_next):
            pass
        await self.desk.do(preflight.settle_stopped)

    async def _conclude(self) -> None:
        for replay in await self.desk.do(queue.to_conclude):
            try:
                await self.desk.do(conclude, replay)
            except Exception:
                log.exception("concluding %s failed", replay.pk)

    async def _ring(self) -> None:
        await self.desk.do(alarms.ring)

    async def _digest(self) -> None:
        await self.desk.do(digests.send)

    async def _drive(self, lease: queue.Lease) -> None:
        try:
            await Drive(self.desk, lease, self.stop).run()
        except queue.LeaseLost:
            log.warning("replay %s is held by another worker now", lease.replay_id)
        except Exception as error:
            log.exception("replay %s stopped", lease.replay_id)
            said = f"The worker met a fault of its own ({type(error).__name__}). What was measured is kept; resume it."
            with contextlib.suppress(Exception):
                await self.desk.do(lambda: queue.park(lease, code="failed", reason=said))


class _TellingStore(DatabaseStore):
    """Tells the case of the verdict in the same breath: what a page shows as done, people act on at once."""

    def finish(self, result: Mapping[str, Any], *, overrun: Sequence[Identity]) -> None:
        super().finish(result, overrun=overrun)
        try:
            conclude(Replay.objects.get(pk=self.lease.replay_id))
        except Exception:
            log.exception("concluding %s failed", self.lease.replay_id)  # the next sweep tries again


class Drive:
    """One replay under one lease, from the claim to the verdict, a pause, or the end of the worker."""

    def __init__(self, desk: Desk, lease: queue.Lease, stop: threading.Event) -> None:
        self.desk, self.lease, self.stop = desk, lease, stop
        self.store = _TellingStore(lease)
        self.halt = asyncio.Event()
        self.wish = ""

    async def run(self) -> None:
        """Drive it. Raises LeaseLost when somebody else holds it."""
        targets: dict[str, Target] = {}
        try:
            ready = await self.desk.do(prepare, self.lease)
            targets = {role: open_target(way) for role, way in ready.ways.items()}
            await self._driven(ready, targets)
        except NotPermitted as refused:
            await self._park("not_permitted", str(refused))
        except TargetError as refused:
            await self._park("target_unreachable", str(refused))
        except driver.TargetUnreachable as error:
            await self._park("target_unreachable", str(error))
        except driver.EnvironmentBroken as error:
            await self._park("environment_broken", str(error))
        except BudgetStop as error:
            await self._park("budget", f"Stopped before a verdict: {error}. Raise the limit and resume.")
        except driver.AwaitingLabel as error:
            await self._park("awaiting_label", f"{error}.", Replay.State.AWAITING_LABEL)
        except driver.Interrupted:
            await self.desk.do(*((queue.grant, self.lease, self.wish) if self.wish else (queue.release, self.lease)))
        finally:
            for target in targets.values():
                await target.close()

    async def _driven(self, ready: Ready, targets: dict[str, Target]) -> None:
        run = asyncio.create_task(
            driver.run(
                ready.document,
                self.store,
                targets,
                concurrency=ready.concurrency,
                caps=ready.caps,
                pacing=ready.pacing,
                executor=self.desk.writer,
                on_progress=self._progress,
                stop=self.halt,
                blobs=ready.images.__getitem__,
            )
        )
        beat = asyncio.create_task(self._beat())
        try:
            await asyncio.wait({run, beat}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                beat.result()  # a lost lease ends the run at once: its answers belong to nobody
            await run
        finally:
            for task in (run, beat):
                task.cancel()
            await asyncio.gather(run, beat, return_exceptions=True)

    async def _beat(self) -> None:
        """Keep the lease, and pass on what people wish of the run or the worker is told."""
        pause = settings.MANYEYES_LEASE_SECONDS / 4
        while True:
            waited = 0.0
            while waited < pause:
                await asyncio.sleep(min(TICK, pause))
                waited += TICK
                if self.stop.is_set():
                    self.halt.set()
            try:
                self.wish = await self.desk.do(queue.heartbeat, self.lease)
            except queue.LeaseLost:
                raise
            except Exception:
                log.exception("a heartbeat failed")  # the lease outlives three of them
            if self.wish:
                self.halt.set()

    async def _park(self, code: str, reason: str, state: str = Replay.State.PAUSED) -> None:
        await self.desk.do(lambda: queue.park(self.lease, code=code, reason=reason, state=state))

    def _progress(self, standing: driver.Standing) -> None:
        self.store.progress = {**progress_json(standing.progress), "under_way": standing.under_way}


def conclude(replay: Replay) -> None:
    """Tell the case of a finished replay; once, however often the worker tries."""
    replayed.conclude(replay)
    queue.concluded(replay)
