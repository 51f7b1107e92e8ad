"""Puts a streamed chat completion together; one that breaks off midway is a fault, never an answer."""

from __future__ import annotations

from typing import Any

import orjson

from manyeyes.plugins.builtin.targets.saying import count, excerpt, fault_in, name
from manyeyes.plugins.protocols import Reply, TargetError, ToolCall


class Assembled:
    """The pieces of one answer as they come; only the first choice is read."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._texts: list[str] = []
        self._refused: list[str] = []
        self._calls: dict[int, dict[str, list[str]]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] = {}
        self._model: str | None = None
        self._fingerprint: str | None = None

    def add(self, data: bytes) -> None:
        """Takes in the data of one event. Raises TargetError on an error or on what is no piece of an answer."""
        try:
            chunk = orjson.loads(data)
            if error := chunk.get("error"):
                fault_in(error, data)
            self._model = self._model or name(chunk.get("model"))
            self._fingerprint = self._fingerprint or name(chunk.get("system_fingerprint"))
            self._usage = chunk.get("usage") or self._usage
            for choice in chunk.get("choices") or ():
                if not choice.get("index"):
                    self._piece(choice)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            raise TargetError(f"HTTP 200, but not a piece of a chat completion{excerpt(data)}", status=200) from None

    def _piece(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or {}
        self._texts.append(_text(delta.get("content")))
        self._refused.append(_text(delta.get("refusal")))
        for call in delta.get("tool_calls") or ():
            kept = self._calls.setdefault(int(call.get("index") or 0), {"id": [], "name": [], "arguments": []})
            function = call.get("function") or {}
            kept["id"] = kept["id"] or [_text(call.get("id"))]
            kept["name"].append(_text(function.get("name")))
            kept["arguments"].append(_text(function.get("arguments")))
        if finish := name(choice.get("finish_reason")):
            if finish == "error":
                fault_in(choice.get("error"), orjson.dumps(choice))
            self._finish = finish

    def reply(self) -> Reply:
        """The whole answer. Raises TargetError where the stream ended before it said why it ends."""
        if self._finish is None:
            raise TargetError("the stream of the answer broke off: it named no finish_reason", status=200)
        refused = "".join(self._refused)
        rows = (kept for _, kept in sorted(self._calls.items()))
        calls = ({field: "".join(pieces) for field, pieces in row.items()} for row in rows)
        return Reply(
            text="".join(self._texts) or refused,
            sent=self._body,
            finish_reason="refusal" if refused else self._finish,
            status=200,
            tokens_in=count(self._usage.get("prompt_tokens")),
            tokens_out=count(self._usage.get("completion_tokens")),
            model=self._model,
            fingerprint=self._fingerprint,
            tool_calls=tuple(
                ToolCall(id=call["id"], name=call["name"], arguments=call["arguments"] or "{}") for call in calls
            ),
        )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("a piece of an answer is no text")
    return value
