"""How fast a run goes: slots that open step by step and close when the target asks for it, and waits on errors."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, kw_only=True)
class Pacing:
    """Waits in seconds. An error is tried again `retries` times: after about `first`, then twice as long each time.

    `throttled` is for a target that asks for fewer calls and names no time; `drain` for calls under way at the verdict.
    """

    retries: int = 5
    first: float = 1.0
    most: float = 60.0
    most_asked: float = 300.0
    throttled: float = 1.0
    drain: float = 120.0

    @classmethod
    def lasting(cls, seconds: float) -> Pacing:
        """Repeats that give up on a silent target after at most about this many seconds of waiting.

        >>> pacing = Pacing.lasting(31)
        >>> pacing.first, pacing.retries
        (1.0, 5)
        """
        return cls(first=max(0.0, seconds) / (2**cls.retries - 1))

    def wait(self, attempt: int, asked: float | None) -> float:
        """How long to wait after a failed attempt (1 is the first): what the target asked, else longer each time."""
        if asked is not None:
            return min(asked, self.most_asked)
        longest = min(self.most, self.first * 2.0 ** (attempt - 1))
        return longest * random.uniform(0.5, 1.0)


class HaltedError(Exception):
    """The run is ending; what has not been sent stays unsent."""


class Slots:
    """At most `limit` calls at once: 2, then 4, 8, … up to `most`; halved by throttling only, then grown one by one."""

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.limit = min(2, self.most)
        self._active = 0
        self._good = 0
        self._calm = False
        self._shrunk_at = -1.0
        self._not_before = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._halt = asyncio.Event()

    @property
    def halted(self) -> bool:
        """Whether nothing more may be sent."""
        return self._halt.is_set()

    def halt(self) -> None:
        """Lets calls under way end, and no other begin: whoever waits for a slot or rests gets HaltedError."""
        self._halt.set()
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)

    async def rest(self, seconds: float) -> None:
        """Waits, unless the run is halted."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._halt.wait(), seconds)
        if self._halt.is_set():
            raise HaltedError

    async def __aenter__(self) -> float:
        """Waits for a slot; gives the moment it was taken."""
        loop = asyncio.get_running_loop()
        while True:
            if self._halt.is_set():
                raise HaltedError
            if (wait := self._not_before - loop.time()) > 0:
                await self.rest(wait)
            elif self._active < self.limit:
                self._active += 1
                return loop.time()
            else:
                turn: asyncio.Future[None] = loop.create_future()
                self._waiting.append(turn)
                await turn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active -= 1
        self._wake()

    def answered(self, taken: float) -> None:
        """An answer came: after as many as there are slots, there may be more of them."""
        if taken <= self._shrunk_at:
            return
        self._good += 1
        if self._good >= self.limit < self.most:
            self._good = 0
            self.limit = min(self.most, self.limit + 1 if self._calm else self.limit * 2)
            self._wake()

    def throttled(self, taken: float, asked: float) -> None:
        """The target asked for fewer calls: half the slots, once for all calls under way, and none for a while."""
        now = asyncio.get_running_loop().time()
        self._not_before = max(self._not_before, now + asked)
        if taken > self._shrunk_at:
            self._shrunk_at = now
            self._calm = True
            self._good = 0
            self.limit = max(1, self.limit // 2)

    def _wake(self) -> None:
        free = self.limit - self._active
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
