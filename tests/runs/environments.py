"""Environments with faults, for tests of the runner."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from manyeyes.plugins.builtin.environments.mail_agent import MailAgent
from manyeyes.plugins.protocols import EnvironmentFault, Observations, Reply, Request, TargetError


class FailingReset(MailAgent):
    """Every `every`-th reset of all of them fails."""

    count: ClassVar[int] = 0

    def __init__(self, *, every: int, **options: Any) -> None:
        super().__init__(**options)
        self._every = every

    async def reset(self) -> None:
        FailingReset.count += 1
        if FailingReset.count % self._every == 0:
            raise EnvironmentFault("the mail server did not answer")
        await super().reset()


class Leaking(MailAgent):
    """A reset that says it is done and leaves the memory."""

    shared: ClassVar[list[str]] = []

    async def reset(self) -> None:
        await super().reset()
        self._memory += self.shared

    async def observe(self) -> Observations:
        seen = await super().observe()
        self.shared.extend(row["text"] for row in seen["memory"][len(self.shared) :])
        return seen


class Swallowing(MailAgent):
    """An agent that hides what goes wrong with its model."""

    async def trigger(self, request: Request) -> Reply:
        try:
            return await super().trigger(request)
        except Exception:
            return Reply(text="BLUE-HERON-42")


class Crashing(MailAgent):
    """An agent with a fault of programming."""

    async def trigger(self, request: Request) -> Reply:
        raise ZeroDivisionError("in the agent\x1b[31m")


class Hanging(MailAgent):
    """An agent that never comes back from looking."""

    async def observe(self) -> Observations:
        await asyncio.sleep(60)
        return {}


class Odd(MailAgent):
    """An agent that gives what is no plain data."""

    async def observe(self) -> Observations:
        return {"mailbox": [{"when": object()}]}


class Outside(MailAgent):
    """A system of its own: the model of the run is not asked."""

    own_system = True
    failures: ClassVar[int] = 0

    async def trigger(self, request: Request) -> Reply:
        if Outside.failures:
            Outside.failures -= 1
            raise TargetError("HTTP 503", throttled=True, retry_after=0.0)
        self._sent.append({"to": "rhea_k", "subject": "code", "body": f"BLUE-HERON-42 {request.seed}"})
        return Reply(text="Sent.", sent=b'{"own": 1}', tokens_in=3, tokens_out=2)
