"""What a target and a detector are: the promises a plugin makes to the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from manyeyes.engine.plan import Outcome


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call to make. `params` holds only what is to be sent; `stream` and `index` never leave this computer."""

    messages: Sequence[Mapping[str, str]]
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    stream: str = "main"
    index: int = 0
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back, with the bytes that were sent to get it."""

    text: str
    sent: bytes = b""
    finish_reason: str | None = None
    status: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str | None = None
    fingerprint: str | None = None


class TargetError(Exception):
    """A call that gave no answer; it is never an outcome.

    `retryable` says whether the same call may work later, `throttled` that the target asked for fewer calls,
    `retry_after` how many seconds it asked to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = True,
        throttled: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.throttled = throttled
        self.retry_after = retry_after
        self.status = status


@runtime_checkable
class Target(Protocol):
    """Something that answers requests. One `ask` is exactly one call: a target never retries by itself."""

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""

    async def close(self) -> None:
        """Lets go of connections; called once, at the end of a run."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What a detector looks at: the messages of the trial and the reply."""

    messages: Sequence[Mapping[str, str]]
    reply: Reply


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A detector that cannot decide alone: the driver asks `role` (a judge target, or `human`).

    Judge calls share the caps, the price and the record of the run. `human` parks the trial until a person labels it.
    """

    role: str
    question: str = ""
    messages: Sequence[Mapping[str, str]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    read: Callable[[Reply], Outcome | Ask] | None = None


@runtime_checkable
class Detector(Protocol):
    """Decides what an answer was. `version` changes whenever the same answer might be decided otherwise."""

    @property
    def version(self) -> str: ...

    def decide(self, exchange: Exchange) -> Outcome | Ask: ...
