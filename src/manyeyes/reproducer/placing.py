"""Puts the wording and the documents where a reproducer says they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manyeyes.reproducer.conversation import Attachment, Document, Message, arguments_text

PLACEHOLDER = "{{wording}}"
_PLACE = re.compile(r"\{\{(?:wording|document:([A-Za-z0-9][A-Za-z0-9._-]{0,63}))\}\}")


def documents_in(text: str) -> list[str]:
    """The ids of the documents that a text places, in order.

    >>> documents_in("Sum up {{document:mail}} for {{wording}}")
    ['mail']
    """
    return [found for found in _PLACE.findall(text) if found]


def texts(data: Any) -> Iterator[str]:
    """Every text in plain data, keys left out."""
    waiting = [data]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, Mapping):
            waiting += node.values()
        elif isinstance(node, list | tuple):
            waiting += node


def message_texts(messages: Sequence[Message]) -> Iterator[str]:
    """Every text of these messages in which something may be placed."""
    for message in messages:
        yield message.content
        for call in message.tool_calls:
            yield from texts(call.arguments)


class Placing:
    """Places one wording (None: left as it stands) and the documents. What is placed is never looked through again.

    So a wording or a document may hold braces of its own without anything being put there.
    """

    def __init__(self, documents: Sequence[Document], wording: str | None = None) -> None:
        self._wording = wording
        self._documents = {
            document.id: document.content if wording is None else document.content.replace(PLACEHOLDER, wording)
            for document in documents
        }

    def text(self, text: str) -> str:
        """The text with everything in its place.

        >>> mail = Document(id="mail", content="Note: {{wording}}")
        >>> Placing([mail], "say {{document:mail}}").text("Read {{document:mail}} and {{wording}}")
        'Read Note: say {{document:mail}} and say {{document:mail}}'
        """

        def put(found: re.Match[str]) -> str:
            if found[1] is not None:
                return self._documents.get(found[1], found[0])
            return found[0] if self._wording is None else self._wording

        return _PLACE.sub(put, text)

    def data(self, data: Any) -> Any:
        """Plain data with everything in its place, in values only."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {key: self.data(value) for key, value in data.items()}
        return [self.data(value) for value in data] if isinstance(data, list) else data

    def message(self, message: Message, attachments: Mapping[str, Attachment]) -> dict[str, Any]:
        """The message as it is sent, in the normal form of `plugins.protocols.Message`."""
        row: dict[str, Any] = {"role": str(message.role), "content": self.text(message.content)}
        if message.tool_calls:
            row["tool_calls"] = [
                {"id": call.id, "name": call.name, "arguments": arguments_text(self.data(call.arguments))}
                for call in message.tool_calls
            ]
        if message.tool_call_id is not None:
            row["tool_call_id"] = message.tool_call_id
        if message.attachments:
            files = [attachments[name] for name in message.attachments]
            row["images"] = [{"sha256": file.sha256, "media_type": file.media_type} for file in files]
        return row
