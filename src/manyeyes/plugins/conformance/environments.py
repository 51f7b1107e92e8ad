"""The promises of an environment, as tests that a stranger runs against one of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from manyeyes.plugins.conformance.check import Check, require
from manyeyes.plugins.protocols import Environment, EnvironmentFault, Model, Observations, Reply, Request, TargetError

_METHODS = ("setup", "reset", "plant", "trigger", "observe", "close")


@dataclass(frozen=True, kw_only=True)
class EnvironmentCase:
    """One environment and what to try in it.

    `make` gives a new instance for the keyword `ask`. `plant` is put into it and `messages` trigger it; `replies` are
    what the model answers in turn (the last one again and again), chosen so that something can be observed afterwards:
    an entry in one of the `channels` that was not there before. `bad_plant` is one that it cannot plant.
    """

    make: Callable[..., Environment]
    channels: Sequence[str]
    replies: Sequence[Reply] = (Reply(text="Done."),)
    plant: Mapping[str, Any] = field(default_factory=dict)
    bad_plant: Mapping[str, Any] | None = None
    messages: Sequence[Mapping[str, Any]] = ({"role": "user", "content": "Do your work."},)


def checks(case: EnvironmentCase) -> list[Check]:
    """The tests of one environment. With pytest: parametrize over them and call each."""
    rows: list[tuple[str, str, Callable[[EnvironmentCase], Awaitable[None]]]] = [
        ("protocol", "it has every method of the protocol, and each is async", _protocol),
        ("clean", "after setup and reset every channel is there and can be observed as plain data", _clean),
        ("trace", "a trial leaves something to observe in one of its channels", _trace),
        ("reset", "after a reset nothing of a trial is left, and the same trial runs again just so", _reset),
        ("memory", "the model is sent nothing of an earlier trial", _memory),
        ("apart", "two instances see nothing of one another", _apart),
        ("fault", "a call of the model that fails is not turned into an answer", _fault),
        ("plant", "what cannot be planted is an EnvironmentFault", _plant),
        ("close", "close may be called at any time after setup", _close),
    ]
    return [
        Check(name, promise, partial(_run, case, test))
        for name, promise, test in rows
        if name != "plant" or case.bad_plant is not None
    ]


def _run(case: EnvironmentCase, test: Callable[[EnvironmentCase], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(case), 120)

    asyncio.run(limited())


class _Model:
    """Gives the replies of the case in turn, and keeps what it was sent."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = replies
        self.sent: list[str] = []

    async def __call__(self, request: Request) -> Reply:
        self.sent.append(json.dumps([list(request.messages), list(request.tools)], sort_keys=True, default=str))
        return self._replies[min(len(self.sent), len(self._replies)) - 1]


async def _made(case: EnvironmentCase, model: Model) -> Environment:
    found = case.make(ask=model)
    await found.setup()
    return found


async def _trial(case: EnvironmentCase, environment: Environment) -> tuple[Reply, Observations]:
    await environment.reset()
    await environment.plant(case.plant)
    reply = await environment.trigger(Request(messages=tuple(case.messages)))
    return reply, await environment.observe()


async def _protocol(case: EnvironmentCase) -> None:
    environment = case.make(ask=_Model(case.replies))
    for name in _METHODS:
        method = getattr(environment, name, None)
        require(asyncio.iscoroutinefunction(method), f"{name} is missing or not async")


async def _clean(case: EnvironmentCase) -> None:
    environment = await _made(case, _Model(case.replies))
    await environment.reset()
    seen = await environment.observe()
    require(set(case.channels) <= set(seen), f"observe gave {sorted(seen)}, without some of {sorted(case.channels)}")
    json.dumps({channel: [dict(row) for row in rows] for channel, rows in seen.items()}, allow_nan=False)
    await environment.close()


async def _trace(case: EnvironmentCase) -> None:
    environment = await _made(case, _Model(case.replies))
    await environment.reset()
    before = await environment.observe()
    reply, after = await _trial(case, environment)
    require(isinstance(reply, Reply), f"trigger gave {type(reply).__name__}, not a Reply")
    require(_plain(after) != _plain(before), "what can be observed is the same before and after the trial")
    await environment.close()


async def _reset(case: EnvironmentCase) -> None:
    environment = await _made(case, _Model(case.replies))
    await environment.reset()
    clean = _plain(await environment.observe())
    for _ in range(3):
        await _trial(case, environment)
        await environment.reset()
        left = _plain(await environment.observe())
        require(left == clean, f"after a reset {left} can be observed, and {clean} before the trial")
    await environment.close()


async def _memory(case: EnvironmentCase) -> None:
    first, second = _Model(case.replies), _Model(case.replies)
    turn = [first]

    async def model(request: Request) -> Reply:
        return await turn[0](request)

    environment = await _made(case, model)
    await _trial(case, environment)
    turn[0] = second
    await _trial(case, environment)
    require(first.sent == second.sent, "the second trial sent the model something else than the first")
    await environment.close()


async def _apart(case: EnvironmentCase) -> None:
    one, other = await _made(case, _Model(case.replies)), await _made(case, _Model(case.replies))
    await one.reset()
    await other.reset()
    clean = _plain(await other.observe())
    await _trial(case, one)
    require(_plain(await other.observe()) == clean, "a trial in one instance shows in another")
    await one.close()
    await other.close()


async def _fault(case: EnvironmentCase) -> None:
    async def model(request: Request) -> Reply:
        raise TargetError("no answer within 1 s")

    environment = await _made(case, model)
    if getattr(environment, "own_system", False):
        return
    try:
        await _trial(case, environment)
    except (TargetError, EnvironmentFault):
        await environment.close()
        return
    require(False, "the model gave no answer, and trigger gave one all the same")


async def _plant(case: EnvironmentCase) -> None:
    environment = await _made(case, _Model(case.replies))
    await environment.reset()
    try:
        await environment.plant(case.bad_plant or {})
    except EnvironmentFault:
        return
    require(False, "bad_plant was taken without an EnvironmentFault")


async def _close(case: EnvironmentCase) -> None:
    untouched = await _made(case, _Model(case.replies))
    await untouched.close()
    used = await _made(case, _Model(case.replies))
    await _trial(case, used)
    await used.close()


def _plain(seen: Observations) -> str:
    return json.dumps({channel: [dict(row) for row in rows] for channel, rows in seen.items()}, sort_keys=True)
