"""How a target is treated that asks for fewer calls: waits that grow while nothing else comes, and at last an end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from manyeyes.plugins.protocols import TargetError
from manyeyes.rules.numerals import many
from manyeyes.runs.pacing import Pacing


class TargetUnreachable(Exception):  # noqa: N818 - a state of the run, not a fault
    """A target gave no answer, repeats included. The run is paused: everything is kept, and running again goes on."""

    def __init__(self, role: str, said: str) -> None:
        super().__init__(f"target {role}: {said}")
        self.role = role


@dataclass
class _Dry:
    """A time in which a target did nothing but ask for fewer calls."""

    since: float
    calls: int = 0
    rounds: int = 0
    last: float = -1.0


class Throttling:
    """What is known of the targets of a run that ask for fewer calls, each by its role.

    To be asked to wait is an answer of a target that is there, so it never counts as a failed try of a trial. A run
    ends over it only when a role has given nothing else for `pacing.peace` seconds and over more rounds than there are
    retries; calls under way together are one round.
    """

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self._dry: dict[str, _Dry] = {}

    def good(self, role: str) -> None:
        """Something came that is kept."""
        if self._dry:
            self._dry.pop(role, None)

    def asked(self, role: str, taken: float, after: float | None) -> float:
        """Notes that a call begun at `taken` was turned away; gives the seconds in which nothing should be sent."""
        now = asyncio.get_running_loop().time()
        dry = self._dry.setdefault(role, _Dry(since=now))
        dry.calls += 1
        if taken > dry.last:
            dry.rounds, dry.last = dry.rounds + 1, now
        return self._pacing.easing(dry.rounds, after)

    def over(self, role: str) -> str:
        """Why the run should end over it, or nothing."""
        dry = self._dry.get(role)
        if dry is None or dry.rounds <= self._pacing.retries:
            return ""
        seconds = asyncio.get_running_loop().time() - dry.since
        return f"for {seconds:.0f} s, over {many(dry.calls, 'call')}" if seconds >= self._pacing.peace else ""


class Repeats:
    """The tries of one trial, or of one question to a judge: after each that failed, how long to wait for the next."""

    def __init__(self, role: str, pacing: Pacing, throttling: Throttling) -> None:
        self._role, self._pacing, self._throttling = role, pacing, throttling
        self._faults = self._turned_away = 0

    def after(self, error: TargetError) -> float:
        """The wait. Raises TargetUnreachable where there shall be no other try."""
        if not error.retryable:
            raise TargetUnreachable(self._role, str(error)) from None
        if error.throttled:
            if over := self._throttling.over(self._role):
                raise TargetUnreachable(self._role, f"{error} (nothing else {over})") from None
            self._turned_away += 1
            return self._pacing.easing(self._turned_away, error.retry_after)
        self._faults += 1
        if self._faults > self._pacing.retries:
            raise TargetUnreachable(self._role, f"{error} (tried {many(self._faults, 'time')})") from None
        return self._pacing.wait(self._faults, error.retry_after)

    def answered(self) -> None:
        """Something came that is kept: the next to be turned away is the first again."""
        self._turned_away = 0
        self._throttling.good(self._role)
