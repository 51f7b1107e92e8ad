"""What a trial said, as turns for a reader: each a role and a text, however many calls it took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from manyeyes.plugins.protocols import Message, Reply, ToolCall
from manyeyes.runs.document import CellRequest
from manyeyes.runs.steps import exchange_of, shown
from manyeyes.runs.store import TrialRecord

Turn = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """The turns before the last answer, those after it (its calls of tools, and what was seen), and all bodies sent.

    In a body an image is a word: its bytes are kept once, with the reproducer.
    """

    before: tuple[Turn, ...]
    after: tuple[Turn, ...]
    sent: tuple[str, ...]


def transcript(request: CellRequest, record: TrialRecord) -> Transcript:
    """One trial, ready to be shown. Every text in it is hostile until shown inert."""
    exchange = exchange_of(request, record)
    rows = [*exchange.messages]
    if request.environment is not None:
        rows += [_message(reply) for reply in exchange.replies[:-1]]
    seen = [
        {"role": channel, "content": json.dumps(entry, ensure_ascii=False)}
        for channel, entries in exchange.observations.items()
        for entry in entries
    ]
    bodies = [(step.get("sent", ""), step.get("cuts", ())) for step in record.steps] + [(record.sent, record.cuts)]
    return Transcript(
        before=tuple(turns(rows)),
        after=(*_calls(exchange.reply.tool_calls), *seen),
        sent=tuple(shown(text, cuts) for text, cuts in bodies if text),
    )


def turns(messages: Iterable[Message]) -> list[Turn]:
    """Messages in normal form as turns: images and calls of tools are turns of their own.

    >>> turns([{"role": "user", "content": "Look.", "images": [{"sha256": "ab" * 32, "media_type": "image/png"}]}])
    [{'role': 'user', 'content': 'Look.'}, {'role': 'image', 'content': 'image/png, SHA-256 abababababababab'}]
    """
    found: list[Turn] = []
    for message in messages:
        images, calls = message.get("images", ()), message.get("tool_calls", ())
        if message["content"] or not (images or calls):
            found.append({"role": message["role"], "content": message["content"]})
        for image in images:
            found.append({"role": "image", "content": f"{image['media_type']}, SHA-256 {image['sha256'][:16]}"})
        found += _calls([ToolCall(**call) for call in calls])
    return found


def _calls(calls: Iterable[ToolCall]) -> list[Turn]:
    return [{"role": "calls", "content": f"{call.name} {call.arguments}"} for call in calls]


def _message(reply: Reply) -> dict[str, Any]:
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls]
    return {"role": "answer", "content": reply.text, "tool_calls": calls}
