"""Writes a run's record in the background: one commit carries all that came while the last was written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from manyeyes.runs.store import Store, TrialRecord

BATCH = 100
PAUSE = 0.5
CROWD = 8
GATHER = 0.002
"""Seconds that a call waits for others to be counted with, where at least CROWD were counted together before."""


class Journal:
    """Hands trials to the store in batches of at most 100 or half a second, and calls before they are sent.

    A store that is `quick` is called on the spot: to another thread and back would take longer than the writing.
    """

    def __init__(self, store: Store, executor: Executor, *, calls: int) -> None:
        self._store, self._executor, self._calls = store, executor, calls
        self._quick = getattr(store, "quick", False)
        self._records: list[TrialRecord] = []
        self._held: list[TrialRecord] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._more, self._urgent = asyncio.Event(), asyncio.Event()
        self._closing = False
        self._error: BaseException | None = None
        self._task = asyncio.create_task(self._write())

    def add(self, record: TrialRecord) -> None:
        """Keeps a trial, soon."""
        self._records.append(record)
        self._more.set()
        if len(self._records) >= BATCH:
            self._urgent.set()

    def hold(self, record: TrialRecord) -> None:
        """Keeps an answer that no judge was reached for, where the store can: it need not be asked for again."""
        hold = getattr(self._store, "hold", None)
        if hold is None or self._error is not None:
            return
        if self._quick:
            hold(record)
        else:
            self._held.append(record)
            self._more.set()
            self._urgent.set()

    async def call(self, requests: int = 1) -> None:
        """Counts one call of one or more requests; comes back when that is on record, so that it may be sent."""
        self._calls += requests
        if self._quick:
            await self._save(self._taken())
        else:
            await self.flush()

    async def flush(self) -> None:
        """Comes back when everything added so far is on record. Raises what the store raised."""
        if self._error is not None:
            raise self._error
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._more.set()
        self._urgent.set()
        await waiter

    async def close(self) -> None:
        """Writes the rest and ends. Raises what the store raised."""
        self._closing = True
        self._more.set()
        self._urgent.set()
        await self._task
        if self._error is not None:
            raise self._error

    async def _write(self) -> None:
        crowded = False
        while not self._closing or self._records or self._held or self._waiters:
            await self._more.wait()
            if not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), PAUSE)
            if crowded and not self._closing:
                # Where many go at once, more are about to ask: one write carries them all.
                await asyncio.sleep(GATHER)
            self._more.clear()
            self._urgent.clear()
            crowded = len(self._waiters) >= CROWD
            records = self._taken()
            waiters, self._waiters = self._waiters, []
            try:
                await self._put_by()
                await self._save(records, waiters)
            except Exception as error:
                self._fail(error, waiters)
                return

    async def _put_by(self) -> None:
        held, self._held = self._held, []
        for record in held:
            hold = partial(self._store.hold, record)  # type: ignore[attr-defined]
            await asyncio.get_running_loop().run_in_executor(self._executor, hold)

    def _taken(self) -> list[TrialRecord]:
        records, self._records = self._records, []
        return records

    async def _save(self, records: list[TrialRecord], waiters: Sequence[asyncio.Future[None]] = ()) -> None:
        if self._error is not None:
            raise self._error
        if not self._quick:
            loop = asyncio.get_running_loop()
            # One turn of the thread for all batches, since between two turns a busy loop lets it wait; but calls go out
            # with the first, which counts them, or a thousand of them would stand still until the last.
            counted = partial(loop.call_soon_threadsafe, _release, waiters)
            await loop.run_in_executor(self._executor, self._batches, self._calls, records, counted)
            return
        try:
            self._batches(self._calls, records)  # nothing is awaited on this way, so no two saves can meet
        except Exception as error:
            self._error = error
            raise

    def _batches(self, calls: int, records: list[TrialRecord], counted: Callable[[], object] | None = None) -> None:
        for start in range(0, max(len(records), 1), BATCH):
            self._store.save(calls=calls, trials=records[start : start + BATCH])
            if start == 0 and counted is not None:
                counted()

    def _fail(self, error: BaseException, waiters: list[asyncio.Future[None]]) -> None:
        self._error = error
        for waiter in (*waiters, *self._waiters):
            if not waiter.done():
                waiter.set_exception(error)
        self._waiters = []


def _release(waiters: Sequence[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
