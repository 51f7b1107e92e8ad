"""A target behind an Anthropic Messages address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.openai_chat import image_of
from manyeyes.plugins.builtin.targets.saying import count, excerpt, fault_in, name, refuse
from manyeyes.plugins.builtin.targets.wire import Wire, address
from manyeyes.plugins.options import Option
from manyeyes.plugins.protocols import Message, Reply, Request, TargetError, ToolCall

MAX_TOKENS = 4_096
"""Sent where the settings name no max_tokens, since this address demands one."""
NO_ANSWER = "(no answer)"
"""Stands for an answer without text where the conversation goes on: this address refuses messages that are blank."""
_ENDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class AnthropicMessages:
    """Asks an Anthropic Messages address. It takes no seed, so none is sent.

    System messages at the beginning become `system`; `stop` is sent as `stop_sequences`. Reasons to stop
    get their usual names: stop, length, tool_calls, refusal. A blank answer of the model that further turns
    follow is sent as `(no answer)`; what the detectors are shown stays blank.
    """

    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "version": Option("text", "the anthropic-version header (default 2023-06-01)"),
        "beta": Option("text", "the anthropic-beta header (default: none is sent)"),
        "extra": Option("object", "fields to send beside those of the settings, such as thinking"),
    }

    def __init__(
        self,
        *,
        url: str,
        model: str,
        key: str | None = None,
        timeout: float = 120.0,
        connections: int = 64,
        private_ok: bool = True,
        version: str = "2023-06-01",
        beta: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = address(url, "/messages")
        self.model = model
        self._extra = dict(extra or {})
        headers = {"anthropic-version": version, **({"x-api-key": key} if key else {})}
        headers |= {"anthropic-beta": beta} if beta else {}
        self._wire = Wire(self.url, headers=headers, timeout=timeout, connections=connections, private_ok=private_ok)

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request. Raises TargetError on a system message between the others."""
        rows = list(request.messages)
        system: list[str] = []
        while rows and rows[0]["role"] == "system":
            system.append(rows.pop(0)["content"])
        params = dict(request.params)
        if "stop" in params:
            stop = params.pop("stop")
            params["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        tools = [
            {"name": tool["name"], "description": tool.get("description", ""), "input_schema": tool["parameters"]}
            for tool in request.tools
        ]
        data: dict[str, Any] = {
            "model": self.model,
            "max_tokens": MAX_TOKENS,
            **({"system": "\n\n".join(system)} if system else {}),
            "messages": _merged(rows, request.blobs),
            **({"tools": tools} if tools else {}),
            **params,
            **self._extra,
        }
        return orjson.dumps(data)

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""
        body = self.body(request)
        status, headers, raw = await self._wire.send(body)
        if status == 200:
            return _answer(raw, body)
        if status == 400 and b"content filtering policy" in raw:  # its own filter: an outcome, not a fault
            return Reply(text="", sent=body, finish_reason="content_filter", status=status)
        refuse(status, headers, raw)

    async def close(self) -> None:
        """Closes the connections."""
        await self._wire.close()


def _merged(messages: list[Message], blobs: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The messages; results of tools are parts of one user message, all those of one step together."""
    made: list[dict[str, Any]] = []
    results: list[dict[str, Any]] | None = None
    for message in messages:
        if message["role"] == "tool":
            if results is None:
                results = []
                made.append({"role": "user", "content": results})
            results.append(
                {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]}
            )
        else:
            results = None
            made.append(_message(message, blobs))
    return made


def _message(message: Message, blobs: Mapping[str, bytes]) -> dict[str, Any]:
    role, content = message["role"], message["content"]
    if role not in ("user", "assistant"):
        raise TargetError(
            f"messages: this address takes a {role} message only before all others; put it first", retryable=False
        )
    parts: list[dict[str, Any]] = []
    for image in message.get("images") or ():
        source = {"type": "base64", "media_type": image["media_type"], "data": image_of(image, blobs)}
        parts.append({"type": "image", "source": source})
    blank = role == "assistant" and not content.strip()
    if content and not blank:
        parts.append({"type": "text", "text": content})
    for call in message.get("tool_calls") or ():
        parts.append({"type": "tool_use", "id": call["id"], "name": call["name"], "input": _object(call)})
    if message.get("images") or message.get("tool_calls"):
        return {"role": role, "content": parts}
    return {"role": role, "content": NO_ANSWER if blank else content}


def _object(call: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = orjson.loads(call["arguments"] or "{}")
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise TargetError(
            f"messages: the arguments of the call of {call['name']} are no JSON object, which this address demands",
            retryable=False,
        )
    return found


def _answer(raw: bytes, body: bytes) -> Reply:
    try:
        data = orjson.loads(raw)
        if error := data.get("error"):
            fault_in(error, raw)
        blocks = data["content"]
        usage = data.get("usage") or {}
        finish = name(data["stop_reason"])
        return Reply(
            text="".join(block["text"] for block in blocks if block["type"] == "text"),
            sent=body,
            finish_reason=_ENDS.get(finish or "", finish),
            status=200,
            tokens_in=_read_tokens(usage),
            tokens_out=count(usage.get("output_tokens")),
            model=name(data.get("model")),
            tool_calls=tuple(
                ToolCall(id=str(block["id"]), name=str(block["name"]), arguments=orjson.dumps(block["input"]).decode())
                for block in blocks
                if block["type"] == "tool_use"
            ),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise TargetError(f"HTTP 200, but not a message{excerpt(raw)}", status=200) from None


def _read_tokens(usage: Mapping[str, Any]) -> int | None:
    """All tokens read; those of a prompt cache are counted apart here."""
    read = count(usage.get("input_tokens"))
    if read is None:
        return None
    return read + sum(count(usage.get(f"cache_{way}_input_tokens")) or 0 for way in ("creation", "read"))
