"""A target behind an OpenAI-compatible chat completions address."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import orjson

from manyeyes.plugins.builtin.targets.chat_stream import Assembled
from manyeyes.plugins.builtin.targets.event_stream import events, streamed
from manyeyes.plugins.builtin.targets.saying import count, excerpt, fault_in, name, refuse
from manyeyes.plugins.builtin.targets.wire import Answered, Wire, address, whole
from manyeyes.plugins.options import Option
from manyeyes.plugins.protocols import Message, Reply, Request, TargetError, ToolCall

_BLOCKED = frozenset({"content_filter", "ResponsibleAIPolicyViolation", "content_policy_violation"})
_KEPT = 32 * 1024 * 1024


def endpoint(url: str) -> str:
    """The address of chat completions that a base address stands for.

    >>> endpoint("http://127.0.0.1:8080")
    'http://127.0.0.1:8080/v1/chat/completions'
    >>> endpoint("https://models.example/openai/v1/")
    'https://models.example/openai/v1/chat/completions'
    """
    return address(url, "/chat/completions")


class OpenAIChat:
    """Asks an OpenAI-compatible chat completions address, streaming or not; most servers of models speak this.

    Sends one request per `ask`. No redirect is followed, no proxy of the environment used, and the key is sent to this
    address only.
    """

    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "stream": Option("flag", "ask for the answer as a stream of events (a broken stream is an error)"),
        "max_tokens_name": Option("text", "the name under which max_tokens is sent, such as max_completion_tokens"),
        "extra": Option("object", "fields to send beside those of the settings"),
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
        stream: bool = False,
        max_tokens_name: str = "max_tokens",
    ) -> None:
        self.url = endpoint(url)
        self.model = model
        self._extra = dict(extra or {})
        self._limit = max_tokens_name
        self._stream = stream
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._wire = Wire(self.url, headers=headers, timeout=timeout, connections=connections, private_ok=private_ok)
        self._ready: dict[tuple[int, ...], tuple[tuple[Any, ...], bytes]] = {}
        self._size = 0

    def body(self, request: Request) -> bytes:
        """The bytes that stand for a request: what is not named in the settings is not sent."""
        return self._body(request)

    async def ask(self, request: Request) -> Reply:
        """The answer. Raises TargetError where there is none."""
        body = self._body(request)
        if self._stream:
            async with self._wire.sent(body) as response:
                if streamed(response):
                    return await _assembled(response, body)
                answered = Answered(response.status, response.headers, await whole(response))
        else:
            answered = await self._wire.send(body)
        return _reply(answered, body)

    async def close(self) -> None:
        """Closes the connections."""
        await self._wire.close()

    def _body(self, request: Request) -> bytes:
        """All trials of a cell differ in the seed only, so what stands before it is made once per cell.

        A tuple of messages, and what stands beside it, are taken never to change. The entry holds the objects, so that
        no other object can get their identity.
        """
        parts = (request.messages, request.params, request.tools, request.blobs)
        key = (id(parts[0]), *(id(part) if part else 0 for part in parts[1:]), request.seed is None)
        kept = self._ready.get(key)
        made = self._made(request) if kept is None else kept[1]
        if kept is None and isinstance(request.messages, tuple):
            if self._size > _KEPT:
                self._ready.clear()
                self._size = 0
            self._ready[key] = (parts, made)
            self._size += len(made) + 256
        return made if request.seed is None else b'%b,"seed":%d}' % (made[:-1], request.seed)

    def _made(self, request: Request) -> bytes:
        """The body without a seed; it always has messages, so that a comma may follow."""
        stream = {"stream": True, "stream_options": {"include_usage": True}} if self._stream else {}
        return orjson.dumps(_fields(request, self.model, limit=self._limit, more={**self._extra, **stream}))


def chat_body(request: Request, *, model: str = "") -> bytes:
    """The bytes of a chat completion without anything special."""
    data = _fields(request, model, limit="max_tokens", more={})
    return orjson.dumps(data if request.seed is None else {**data, "seed": request.seed})


def _fields(request: Request, model: str, *, limit: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Everything but the seed of the trial."""
    params = {(limit if field == "max_tokens" else field): value for field, value in request.params.items()}
    tools = [{"type": "function", "function": dict(tool)} for tool in request.tools]
    data: dict[str, Any] = {
        **({"model": model} if model else {}),
        "messages": [_message(message, request.blobs) for message in request.messages],
        **({"tools": tools} if tools else {}),
        **params,
        **more,
    }
    if request.seed is not None:
        data.pop("seed", None)
    return data


def image_of(image: Mapping[str, Any], blobs: Mapping[str, bytes]) -> str:
    """The bytes of an image in base64. Raises TargetError where they are not at hand."""
    found = blobs.get(image["sha256"])
    if found is None:
        raise TargetError(
            f"attachments: the bytes of the image {image['sha256'][:12]}… are not at hand", retryable=False
        )
    return base64.b64encode(found).decode()


def _message(message: Message, blobs: Mapping[str, bytes]) -> Mapping[str, Any]:
    if len(message) == 2:
        return message
    made: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    if images := message.get("images"):
        urls = [f"data:{image['media_type']};base64,{image_of(image, blobs)}" for image in images]
        texts = [{"type": "text", "text": message["content"]}] if message["content"] else []
        made["content"] = [*texts, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]
    if calls := message.get("tool_calls"):
        made["content"] = message["content"] or None
        made["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
            for call in calls
        ]
    if "tool_call_id" in message:
        made["tool_call_id"] = message["tool_call_id"]
    return made


def _reply(answered: Answered, body: bytes) -> Reply:
    status, headers, raw = answered
    if status == 200:
        return answer_of(raw, body)
    if status == 400 and is_block(raw):
        return Reply(text="", sent=body, finish_reason="content_filter", status=status)
    refuse(status, headers, raw)


def answer_of(raw: bytes, body: bytes) -> Reply:
    """The reply in a whole chat completion. Raises TargetError where it is none."""
    try:
        data = orjson.loads(raw)
        if error := data.get("error"):
            fault_in(error, raw)
        choice = data["choices"][0]
        message = choice["message"]
        text = _text(message)
        usage = data.get("usage") or {}
        finish = choice.get("finish_reason")
        if finish == "error":
            fault_in(choice.get("error"), raw)
        calls = message.get("tool_calls")
        return Reply(
            text=text,
            sent=body,
            finish_reason="refusal" if message.get("refusal") else name(finish),
            status=200,
            tokens_in=count(usage.get("prompt_tokens")),
            tokens_out=count(usage.get("completion_tokens")),
            model=name(data.get("model")),
            fingerprint=name(data.get("system_fingerprint")),
            tool_calls=tuple(_call(call) for call in calls) if calls else (),
        )
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError):
        raise TargetError(f"HTTP 200, but not a chat completion{excerpt(raw)}", status=200) from None


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None:
        content = message.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content)
    if not isinstance(content, str):
        raise TypeError("content is no text")
    return content


def _call(call: Mapping[str, Any]) -> ToolCall:
    """A call of a tool as the model wrote it; some servers give the arguments as an object."""
    function = call["function"]
    arguments = function.get("arguments")
    written = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
    return ToolCall(id=str(call.get("id") or ""), name=str(function["name"]), arguments=written)


def is_block(raw: bytes) -> bool:
    """Whether a 400 is the target's own filter refusing the prompt, which is an outcome and not a fault."""
    try:
        error = orjson.loads(raw)["error"]
        return bool({error.get("code"), (error.get("innererror") or {}).get("code")} & _BLOCKED)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return False


async def _assembled(response: aiohttp.ClientResponse, body: bytes) -> Reply:
    assembled = Assembled(body)
    async for data in events(response):
        if data == b"[DONE]":
            break
        assembled.add(data)
    return assembled.reply()
