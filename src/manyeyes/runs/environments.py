"""Carries out trials in environments: each from a reset that is checked, one instance for each trial under way."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from manyeyes.plugins.protocols import (
    Environment,
    EnvironmentFault,
    Exchange,
    Model,
    Observations,
    Reply,
    Request,
    TargetError,
)
from manyeyes.plugins.registry import find
from manyeyes.runs.document import MOST_CALLS, CellRequest
from manyeyes.runs.steps import seen_exchange

PATIENCE = 300.0
"""Seconds that a setup, reset, plant or look may take."""
LONGEST = 3_600.0
"""Seconds that one trigger may take, waits for the target included."""
MOST_SEEN = 8 * 1024 * 1024
Direct = Callable[[Callable[[Request], Awaitable[Reply]], Request], Awaitable[Reply]]
"""Makes one counted call of something other than the target of the run."""


class EnvironmentBroken(Exception):  # noqa: N818 - a state of the run, not a fault
    """An environment gave no valid trial, repeats included. The run is paused, and running it again goes on."""

    def __init__(self, name: str, said: str, *, voids: int) -> None:
        super().__init__(f"environment {name}: {said} ({voids} void trials in a row; none of them counts)")
        self.name, self.voids = name, voids


class Environments:
    """The environments of one run. They are made when first needed, used again, and put away after a fault."""

    def __init__(self) -> None:
        self._free: dict[str, list[_Room]] = {}
        self._clean: dict[str, Mapping[str, int]] = {}

    async def trial(self, role: str, cell: CellRequest, request: Request, ask: Model, direct: Direct) -> Exchange:
        """One trial from a clean state. Raises EnvironmentFault where it is void, and what `ask` raised."""
        assert cell.environment is not None
        key = json.dumps([role, cell.environment["name"], cell.environment["options"]], sort_keys=True)
        free = self._free.setdefault(key, [])
        room = free.pop() if free else await _Room.opened(cell.environment)
        try:
            await room.clean(self._clean, key)
            found = await room.trial(cell, request, ask, direct)
        except TargetError:
            free.append(room)
            raise
        except BaseException:
            await room.close()
            raise
        free.append(room)
        return found

    async def close(self) -> None:
        """Lets go of every environment."""
        for rooms in self._free.values():
            for room in rooms:
                await room.close()
        self._free.clear()


class _Room:
    """One environment, and the model of the trial it is in."""

    def __init__(self, used: Mapping[str, Any]) -> None:
        self._model: Model | None = None
        self._environment: Environment = find("environments", used["name"])(ask=self._ask, **used["options"])

    @classmethod
    async def opened(cls, used: Mapping[str, Any]) -> _Room:
        try:
            room = cls(used)
        except (TypeError, ValueError) as error:
            raise EnvironmentFault(f"options: {_plain(error)}") from None
        await _part("setup", room._environment.setup())
        return room

    async def _ask(self, request: Request) -> Reply:
        if self._model is None:
            raise EnvironmentFault("asked the model outside a trial")
        return await self._model(request)

    async def clean(self, known: dict[str, Mapping[str, int]], key: str) -> None:
        """Resets, and holds what can be seen then against the first reset: a reset that leaves things is a fault."""
        await _part("reset", self._environment.reset())
        seen = await self._seen()
        counts = {channel: len(rows) for channel, rows in seen.items() if rows}
        first = known.setdefault(key, counts)
        for channel in sorted({*counts, *first}):
            now, then = counts.get(channel, 0), first.get(channel, 0)
            if now != then:
                raise EnvironmentFault(f"reset: {channel} still holds {now} entries where a clean state has {then}")

    async def trial(self, cell: CellRequest, request: Request, ask: Model, direct: Direct) -> Exchange:
        """Plants, triggers and looks."""
        environment = self._environment
        if cell.environment and cell.environment["plant"]:
            await _part("plant", environment.plant(cell.environment["plant"]))
        asking = _Asking(ask)
        self._model = asking
        try:
            reply = await (direct(self._trigger, request) if _own(environment) else self._trigger(request))
        except EnvironmentFault:
            if asking.trouble is not None:
                raise asking.trouble from None
            raise
        finally:
            self._model = None
        if asking.trouble is not None:
            raise asking.trouble
        answers = list(asking.replies)
        if not answers or answers[-1] is not reply:
            answers.append(reply)
        return seen_exchange(cell, answers, await self._seen())

    async def _trigger(self, request: Request) -> Reply:
        reply = await _part("trigger", self._environment.trigger(request), LONGEST)
        if not isinstance(reply, Reply):
            raise EnvironmentFault("trigger: gave no Reply")
        return reply

    async def _seen(self) -> Observations:
        seen = await _part("observe", self._environment.observe())
        try:
            raw = orjson.dumps({str(channel): [dict(row) for row in rows] for channel, rows in seen.items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise EnvironmentFault(f"observe: gave no plain data: {_plain(error)}") from None
        if len(raw) > MOST_SEEN:
            raise EnvironmentFault(f"observe: gave more than {MOST_SEEN // 1024 // 1024} MB")
        plain: Observations = orjson.loads(raw)
        return plain

    async def close(self) -> None:
        with contextlib.suppress(EnvironmentFault):
            await _part("close", self._environment.close())


class _Asking:
    """The model as one trial asks it: what went wrong is kept, so that no agent can swallow it."""

    def __init__(self, ask: Model) -> None:
        self._ask = ask
        self.replies: Sequence[Reply] = []
        self.trouble: Exception | None = None

    async def __call__(self, request: Request) -> Reply:
        if self.trouble is not None:
            raise self.trouble
        try:
            if len(self.replies) >= MOST_CALLS:
                raise EnvironmentFault(f"asked the model more than {MOST_CALLS} times in one trial")
            reply = await self._ask(request)
        except Exception as error:
            self.trouble = error
            raise
        self.replies = [*self.replies, reply]
        return reply


def _own(environment: Environment) -> bool:
    """Whether a trigger is a call of a system of the environment's own."""
    return bool(getattr(environment, "own_system", False))


async def _part(name: str, doing: Awaitable[Any], seconds: float = PATIENCE) -> Any:
    """One part of a trial; whatever it raises but a TargetError is a fault of the environment."""
    try:
        return await asyncio.wait_for(doing, seconds)
    except TargetError:
        raise
    except EnvironmentFault as fault:
        raise EnvironmentFault(f"{name}: {_plain(fault)}") from None
    except TimeoutError:
        raise EnvironmentFault(f"{name}: took more than {seconds:g} s") from None
    except Exception as error:
        raise EnvironmentFault(f"{name}: {_plain(error)}") from None


def _plain(error: Exception) -> str:
    """An error in one line; an environment may repeat hostile text in it."""
    said = "".join(letter if letter.isprintable() else " " for letter in str(error)[:300])
    return said if isinstance(error, EnvironmentFault) else f"{type(error).__name__}: {said}"
