"""Targets that need no model: scripted answers, and a recording played again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from manyeyes.plugins.protocols import Reply, Request, TargetError

Script = Callable[[Request], str | Reply]


class Scripted:
    """Answers what a function of the request says; the function may raise TargetError. Counts its calls."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls = 0

    async def ask(self, request: Request) -> Reply:
        """The scripted answer."""
        self.calls += 1
        found = self._script(request)
        return found if isinstance(found, Reply) else Reply(text=found, sent=_bytes(request), status=200)

    async def close(self) -> None:
        """Nothing to let go of."""


class Recording:
    """Answers each trial with what was recorded for its stream and index, for re-scoring stored answers."""

    def __init__(self, replies: Mapping[tuple[str, int], Reply]) -> None:
        self._replies = replies

    async def ask(self, request: Request) -> Reply:
        """The recorded answer. Raises TargetError where none is recorded."""
        reply = self._replies.get((request.stream, request.index))
        if reply is None:
            raise TargetError(f"the recording holds no trial {request.stream} {request.index}", retryable=False)
        return reply

    async def close(self) -> None:
        """Nothing to let go of."""


def _bytes(request: Request) -> bytes:
    data = {"messages": list(request.messages), **request.params}
    return orjson.dumps(data if request.seed is None else {**data, "seed": request.seed})
