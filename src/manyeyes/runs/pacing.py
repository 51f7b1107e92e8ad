"""How fast a run goes: slots that open step by step and close when the target asks for it, and waits on errors."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pacing:
    """Waits in seconds. An error is tried again `retries` times: after about `first`, then twice as long each time.

    `throttled` is for a target that asks for fewer calls and names no time; `drain` for calls under way at the verdict.
    One that asks for nothing but fewer calls is given four times as long as one that is silent.
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

    @property
    def peace(self) -> float:
        """How many seconds long a target may ask for fewer calls and give no answer at all."""
        return 4 * sum(min(self.most, self.first * 2.0**attempt) for attempt in range(self.retries))

    def easing(self, times: int, asked: float | None) -> float:
        """How long to leave a target alone that asked for fewer calls so many times running.

        What it asked for is believed; where that leads nowhere it is left alone longer and longer all the same, from
        an eighth of `throttled` on.
        """
        doubled = times - 1 if asked is None else times - 5
        own = min(self.most, self.throttled * 2.0 ** min(doubled, 60)) * random.uniform(0.5, 1.0)
        if asked is None:
            return own
        return max(min(asked, self.most_asked), own if times > 1 else 0.0)


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
        self._watching: deque[asyncio.Future[None]] = deque()
        self._halt = asyncio.Event()

    @property
    def halted(self) -> bool:
        """Whether nothing more may be sent."""
        return self._halt.is_set()

    def halt(self) -> None:
        """Lets calls under way end, and no other begin: whoever waits for a slot or rests gets HaltedError."""
        self._halt.set()
        for turn in self._waiting:
            _go(turn)
        self.look_again()

    async def rest(self, seconds: float) -> None:
        """Waits, unless the run is halted."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._halt.wait(), seconds)
        if self._halt.is_set():
            raise HaltedError

    async def take(self) -> float:
        """Waits for a slot; gives the moment it was taken. Raises HaltedError."""
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
                await self._turn(self._waiting)

    def leave(self, *, unused: bool = False) -> None:
        """Gives a slot back: whatever came of its call, or `unused`."""
        self._active -= 1
        self._wake()
        if not unused:
            self.look_again()

    async def one_over(self) -> None:
        """Waits until a call is over, or there is something else to look at again."""
        await self._turn(self._watching)

    def look_again(self) -> None:
        """Lets all go on that wait for a call to be over."""
        while self._watching:
            _go(self._watching.popleft())

    async def _turn(self, queue: deque[asyncio.Future[None]]) -> None:
        queue.append(asyncio.get_running_loop().create_future())
        await queue[-1]

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
            free -= _go(self._waiting.popleft())


def _go(turn: asyncio.Future[None]) -> bool:
    """Lets whoever waits go on; False where nobody does any more."""
    if turn.done():
        return False
    turn.set_result(None)
    return True
