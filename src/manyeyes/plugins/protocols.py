"""What a target, an environment and a detector are: the promises a plugin makes to the driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from manyeyes.engine.plan import Outcome

Message = Mapping[str, Any]
"""One message in normal form, which every target translates to its own wire.

`role` and `content` (text, "" where there is none) always; where it has them `images` ([{sha256, media_type}]),
`tool_calls` ([{id, name, arguments: JSON text}]) and, for the role tool, `tool_call_id`.
"""


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call of a tool that a model asks for; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call to make. `params` holds only what is to be sent; `stream` and `index` never leave this computer.

    `tools` are [{name, description, parameters: JSON Schema}]; `blobs` holds, by SHA-256, the bytes of the images that
    the messages name.
    """

    messages: Sequence[Message]
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    blobs: Mapping[str, bytes] = field(default_factory=dict)
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
    tool_calls: tuple[ToolCall, ...] = ()


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
    """Something that answers requests. One `ask` is exactly one call: a target never retries by itself.

    A target that must send more for each call, such as one that opens a session first, says how many requests a call
    takes in all with an attribute `requests_per_ask` (default 1), so that the caps hold.
    """

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""

    async def close(self) -> None:
        """Lets go of connections; called once, at the end of a run."""


class EnvironmentFault(Exception):  # noqa: N818 - what happened to the trial, not a programming error
    """An environment that could not be set up, planted, triggered, observed or reset; it is never an outcome.

    A trial in which this is raised is void: the same index and seed again, from a new reset.
    """


Model = Callable[[Request], Awaitable[Reply]]
"""How an environment asks the target of the run: counted, capped and recorded like every other call.

Raises TargetError, which an environment lets pass through.
"""
Observations = Mapping[str, Sequence[Mapping[str, Any]]]
"""What an environment saw, by channel (such as `mailbox`), in order; entries are plain data."""


@runtime_checkable
class Environment(Protocol):
    """A stateful thing under test, such as an agent with a mailbox. One instance carries out one trial at a time.

    Made once per slot with the keyword `ask` (a `Model`) and the options of the reproducer. One trial is `reset`,
    `plant`, `trigger`, `observe`; nothing of a trial may be left after the next `reset`. Every method raises
    EnvironmentFault where it cannot do its part. An environment that reaches a system of its own, and so never calls
    `ask`, says so with a class attribute `own_system = True`: then each trigger is counted as one call.
    """

    async def setup(self) -> None:
        """Makes ready, once, before the first trial."""

    async def reset(self) -> None:
        """Back to the clean state."""

    async def plant(self, what: Mapping[str, Any]) -> None:
        """Puts the hostile content where the thing under test will find it."""

    async def trigger(self, request: Request) -> Reply:
        """Lets the thing under test act on the request until it is done; its last answer. May raise TargetError."""

    async def observe(self) -> Observations:
        """What it did, beside what it said."""

    async def close(self) -> None:
        """Lets go of everything; called once, at the end of a run."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What a detector looks at: the whole trial.

    `messages` is the transcript before `reply`, which is the last answer; `replies` are all live answers in order (the
    last included), `tool_calls` every call of a tool that they asked for, and `observations` what an environment saw.
    """

    messages: Sequence[Message]
    reply: Reply
    replies: tuple[Reply, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    observations: Observations = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A detector that cannot decide alone: the driver asks `role` (a judge target, or `human`).

    Judge calls share the caps, the price and the record of the run. `human` parks the trial until a person labels it.
    `read` says what the answer makes of the whole rule; `word`, for the record, what this judge alone said, and
    `version` which version of it.
    """

    role: str
    question: str = ""
    messages: Sequence[Message] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    read: Callable[[Reply], Outcome | Ask] | None = None
    word: Callable[[Reply], Outcome] | None = None
    version: str = ""


@runtime_checkable
class Detector(Protocol):
    """Decides what an answer was. `version` changes whenever the same answer might be decided otherwise."""

    @property
    def version(self) -> str: ...

    def decide(self, exchange: Exchange) -> Outcome | Ask: ...
