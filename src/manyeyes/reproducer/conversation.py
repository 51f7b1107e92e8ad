"""What stands in the conversations of a reproducer: messages, tools and their results, documents, attachments."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from manyeyes.reproducer.conditions import Wants
from manyeyes.reproducer.limits import MAX_IMAGE
from manyeyes.reproducer.settings import Name
from manyeyes.reproducer.strict import MAX_TEXT, Strict, Text

MAX_STEPS: Final = 64

Role = Literal["system", "user", "assistant", "tool"]
Turns = Literal["frozen", "fixed", "human"]
MediaType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
CallId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,99}$")]
Data = dict[Annotated[str, Field(max_length=200)], JsonValue]
MaybeText = Annotated[str, Field(max_length=MAX_TEXT)]


Where = tuple[str | int, ...]
"""The steps to a field of the file."""


def at(field: str | Where, message: str) -> PydanticCustomError:
    """An error about a field below the value that is validated; `field` is its name, or the steps to it."""
    return PydanticCustomError("field", "{said}", {"field": field, "said": message})


class WithData(Strict):
    """A part that holds plain data: its numbers must be finite, so that every JSON writer says the same."""

    @field_validator("arguments", "parameters", "options", "plant", check_fields=False)
    @classmethod
    def _finite(cls, value: Any) -> Any:
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, float) and not math.isfinite(node):
                raise ValueError("must hold finite numbers only")
            waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return value


class WrittenCall(WithData):
    """A call of a tool in an answer that the file gives."""

    id: CallId
    name: ToolName
    arguments: Data = {}


class Message(Strict):
    """One message of a conversation; `{{wording}}` stands for the wording that is tried.

    `{{document:ID}}` stands for a document. `attachments` are names of images that go with the text.
    """

    role: Role
    content: MaybeText = ""
    tool_calls: Annotated[list[WrittenCall], Field(max_length=32)] = []
    tool_call_id: CallId | None = None
    attachments: Annotated[list[Name], Field(max_length=16)] = []


Conversation = Annotated[list[Message], Field(min_length=1, max_length=64)]


class Tool(WithData):
    """A tool that the model may call; `parameters` is a JSON Schema of its arguments."""

    name: ToolName
    description: Annotated[str, Field(max_length=20_000)] = ""
    parameters: Data = {"type": "object", "properties": {}}


class ToolResult(WithData):
    """What a tool answers: the first result that fits the call is given, and one without `when` fits every call."""

    tool: ToolName
    content: MaybeText
    when: Wants | None = None


class Document(Strict):
    """A text that the system under test retrieves, placed where `{{document:ID}}` stands."""

    id: Name
    title: Annotated[str, Field(max_length=200)] = ""
    content: Text


class Attachment(Strict):
    """An image, named by the hash of its bytes. The bytes are never in the file, and no path is."""

    sha256: Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{64}$"})]
    media_type: MediaType
    size: Annotated[int, Field(ge=1, le=MAX_IMAGE)]

    @field_validator("sha256")
    @classmethod
    def _digest(cls, value: str) -> str:
        if len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise ValueError("must be the SHA-256 of the bytes: 64 small hexadecimal digits")
        return value


class EnvironmentUse(WithData):
    """A stateful agent that the exploit is tried in: a plugin by name, its options, and what is planted in it."""

    name: Name
    options: Data = {}
    plant: Data = {}


PARTS = (Message, WrittenCall, Tool, ToolResult, Document, Attachment, EnvironmentUse)
"""Every model of this file, for the names of fields."""


def check_conversation(where: Where, messages: Sequence[Message], *, turns: Turns) -> None:
    """What must hold inside one conversation, whatever the rest of the file says. Raises a field error."""
    open_calls: dict[str, Where] = {}
    for place, message in enumerate(messages):
        here: Where = (*where, place)
        _check_message(here, message)
        if turns == "fixed" and (message.tool_calls or message.role == "tool"):
            said = "must not stand in a conversation with fixed turns, where answers are live; use tool_results"
            raise at((*here, "tool_calls" if message.tool_calls else "role"), said)
        if turns == "fixed" and message.role == "assistant" and not _asked(messages[:place]):
            raise at(here, "must follow a message of the user, which the live answer in its place replies to")
        if message.role == "tool" and message.tool_call_id is not None:
            if message.tool_call_id not in open_calls:
                raise at((*here, "tool_call_id"), "must be the id of a call in the assistant message before it")
            del open_calls[message.tool_call_id]
        elif open_calls:
            raise _unanswered(open_calls)
        open_calls |= _calls(here, message)
    if open_calls:
        raise _unanswered(open_calls)
    if turns == "fixed" and messages and messages[-1].role == "assistant":
        said = "must end with a message that the last live answer replies to, since turns is 'fixed'"
        raise at(where, said)


def _asked(before: Sequence[Message]) -> bool:
    return bool(before) and before[-1].role == "user"


def _check_message(here: Where, message: Message) -> None:
    if not message.content and not message.tool_calls and not message.attachments and message.role != "tool":
        raise at((*here, "content"), "must not be empty, unless the message has attachments or tool_calls")
    if message.tool_calls and message.role != "assistant":
        raise at((*here, "tool_calls"), "belong to a message with role assistant")
    if message.tool_call_id is not None and message.role != "tool":
        raise at((*here, "tool_call_id"), "belongs to a message with role tool")
    if message.attachments and message.role != "user":
        raise at((*here, "attachments"), "belong to a message with role user")


def _calls(here: Where, message: Message) -> dict[str, Where]:
    found: dict[str, Where] = {}
    for number, call in enumerate(message.tool_calls):
        place: Where = (*here, "tool_calls", number)
        if call.id in found:
            raise at((*place, "id"), f"{call.id!r} stands here twice; give each call its own")
        found[call.id] = place
    return found


def _unanswered(calls: Mapping[str, Where]) -> PydanticCustomError:
    name, place = next(iter(calls.items()))
    said = f"has no answer: add, right after it, a message with role tool and tool_call_id {name!r}"
    return at(place, said)


def check_names(where: Where, messages: Sequence[Message], *, tools: Iterable[str], attachments: Iterable[str]) -> None:
    """That every tool and attachment a conversation names is described in the file. Raises a field error.

    An imported transcript may call tools that nobody described, so calls are held to `tools` only where there are any.
    """
    known, files = set(tools), set(attachments)
    for place, message in enumerate(messages):
        for number, call in enumerate(message.tool_calls):
            if known and call.name not in known:
                said = f"{call.name!r} is not among the tools: {', '.join(sorted(known))}"
                raise at((*where, place, "tool_calls", number, "name"), said)
        for number, name in enumerate(message.attachments):
            if name not in files:
                said = f"names {name!r}, which attachments does not describe (sha256, media_type, size)"
                raise at((*where, place, "attachments", number), said)


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Arguments of a call as the JSON text that is sent."""
    return json.dumps(arguments, ensure_ascii=False)
