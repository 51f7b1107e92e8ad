"""A target behind an OpenAI Responses address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson

from manyeyes.plugins.builtin.targets.openai_chat import image_of, is_block
from manyeyes.plugins.builtin.targets.saying import count, excerpt, fault_in, name, refuse
from manyeyes.plugins.builtin.targets.wire import Wire, address
from manyeyes.plugins.options import Option
from manyeyes.plugins.protocols import Message, Reply, Request, TargetError, ToolCall

_ENDS = {"max_output_tokens": "length", "content_filter": "content_filter"}


class OpenAIResponses:
    """Asks an OpenAI Responses address. It takes no seed, so none is sent; nothing is asked to be stored there.

    `max_tokens` of the settings is sent as `max_output_tokens`; everything else under its own name.
    """

    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "extra": Option("object", "fields to send beside those of the settings, such as reasoning"),
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
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = address(url, "/responses")
        self.model = model
        self._extra = dict(extra or {})
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._wire = Wire(self.url, headers=headers, timeout=timeout, connections=connections, private_ok=private_ok)

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request."""
        params = dict(request.params)
        if "max_tokens" in params:
            params["max_output_tokens"] = params.pop("max_tokens")
        data: dict[str, Any] = {
            **({"model": self.model} if self.model else {}),
            "input": [item for message in request.messages for item in _items(message, request.blobs)],
            "store": False,
            **({"tools": [{"type": "function", **tool} for tool in request.tools]} if request.tools else {}),
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
        if status == 400 and is_block(raw):
            return Reply(text="", sent=body, finish_reason="content_filter", status=status)
        refuse(status, headers, raw)

    async def close(self) -> None:
        """Closes the connections."""
        await self._wire.close()


def _items(message: Message, blobs: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """One message may be several items here: each call of a tool, and each of its results, is one."""
    if message["role"] == "tool":
        yield {"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}
        return
    content: Any = message["content"]
    if images := message.get("images"):
        urls = [f"data:{image['media_type']};base64,{image_of(image, blobs)}" for image in images]
        texts = [{"type": "input_text", "text": content}] if content else []
        content = [*texts, *({"type": "input_image", "image_url": url} for url in urls)]
    calls = message.get("tool_calls") or ()
    if content or not calls:
        yield {"role": message["role"], "content": content}
    for call in calls:
        yield {"type": "function_call", "call_id": call["id"], "name": call["name"], "arguments": call["arguments"]}


def _answer(raw: bytes, body: bytes) -> Reply:
    try:
        data = orjson.loads(raw)
        if error := data.get("error"):
            fault_in(error, raw)
        status = data["status"]
        if status not in ("completed", "incomplete"):
            raise TargetError(f"HTTP 200, but the answer is {name(status)}{excerpt(raw)}", status=200)
        texts, refusals, calls = _read(data["output"])
        finish = "tool_calls" if calls else "stop"
        if status == "incomplete":
            reason = name((data.get("incomplete_details") or {}).get("reason")) or "incomplete"
            finish = _ENDS.get(reason, reason)
        usage = data.get("usage") or {}
        return Reply(
            text="".join(texts) or "".join(refusals),
            sent=body,
            finish_reason="refusal" if refusals else finish,
            status=200,
            tokens_in=count(usage.get("input_tokens")),
            tokens_out=count(usage.get("output_tokens")),
            model=name(data.get("model")),
            tool_calls=calls,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise TargetError(f"HTTP 200, but not a response{excerpt(raw)}", status=200) from None


def _read(output: Any) -> tuple[list[str], list[str], tuple[ToolCall, ...]]:
    texts: list[str] = []
    refusals: list[str] = []
    calls: list[ToolCall] = []
    for item in output:
        if item["type"] == "function_call":
            calls.append(ToolCall(id=str(item["call_id"]), name=str(item["name"]), arguments=str(item["arguments"])))
        for part in item["content"] if item["type"] == "message" else ():
            texts += [part["text"]] if part["type"] == "output_text" else []
            refusals += [part["refusal"]] if part["type"] == "refusal" else []
    return texts, refusals, tuple(calls)
