"""Targets: what is sent and where, what is an answer, and what never is."""

from __future__ import annotations

import asyncio
import doctest
import json
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from manyeyes.plugins import options
from manyeyes.plugins.builtin.targets import openai_chat, saying, wire
from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat, endpoint
from manyeyes.plugins.builtin.targets.recording import Recording, Scripted
from manyeyes.plugins.protocols import Reply, Request, Target, TargetError
from tests.runs.servers import Answerer, Server, completion, says, serving

REQUEST = Request(
    messages=[{"role": "user", "content": "Grüß Gott 🪶"}], params={"temperature": 0, "max_tokens": 5}, seed=9
)


def asked(answerer: Answerer, **how: Any) -> tuple[Reply, Server]:
    async def ask() -> tuple[Reply, Server]:
        async with serving(answerer) as server:
            target = OpenAIChat(**{"url": server.url, "model": "m", "timeout": 2.0, **how})
            try:
                return await target.ask(REQUEST), server
            finally:
                await target.close()
                await target.close()

    return asyncio.run(ask())


def answering(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answerer:
    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(data, status=status, headers=headers)

    return answerer


def test_doctests() -> None:
    assert all(doctest.testmod(module).failed == 0 for module in (openai_chat, saying, wire, options))


def test_the_bytes_recorded_are_the_bytes_received() -> None:
    reply, server = asked(says("hello"))
    assert [reply.sent] == server.bodies
    assert json.loads(reply.sent) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Grüß Gott 🪶"}],
        "temperature": 0,
        "max_tokens": 5,
        "seed": 9,
    }
    assert (reply.text, reply.finish_reason, reply.status) == ("hello 9", "stop", 200)
    assert (reply.tokens_in, reply.tokens_out, reply.model) == (11, 7, "m-1")


def test_the_key_goes_along_and_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return completion("x")

    asked(answerer, key="k-1", extra={"top_k": 3})
    reply, server = asked(answerer, extra={"top_k": 3})
    assert seen == ["Bearer k-1", None]
    assert json.loads(server.bodies[0])["top_k"] == 3
    assert b"k-1" not in reply.sent


@pytest.mark.parametrize(
    ("message", "finish", "text", "said"),
    [
        ({"content": None, "refusal": "I refuse."}, "stop", "I refuse.", "refusal"),
        ({"content": None}, "content_filter", "", "content_filter"),
        ({"content": "cut of"}, "length", "cut of", "length"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "stop", "ab", "stop"),
        ({"content": "x"}, 7, "x", None),
    ],
)
def test_answers_that_are_outcomes(message: dict[str, Any], finish: Any, text: str, said: str | None) -> None:
    reply, _ = asked(
        answering({"choices": [{"message": message, "finish_reason": finish}], "usage": {"prompt_tokens": -1}})
    )
    assert (reply.text, reply.finish_reason, reply.tokens_in) == (text, said, None)


def test_a_prompt_filter_is_an_outcome_too() -> None:
    reply, _ = asked(answering({"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400))
    assert (reply.text, reply.finish_reason, reply.status) == ("", "content_filter", 400)


@pytest.mark.parametrize(
    ("status", "headers", "retryable", "throttled", "after"),
    [
        (429, {"Retry-After": "3"}, True, True, 3.0),
        (503, {}, True, True, None),
        (500, {"Retry-After": "2"}, True, False, 2.0),
        (408, {}, True, False, None),
        (401, {}, False, False, None),
        (400, {}, False, False, None),
        (404, {}, False, False, None),
        (307, {"Location": "/x"}, False, False, None),
    ],
)
def test_faults(status: int, headers: dict[str, str], retryable: bool, throttled: bool, after: float | None) -> None:
    with pytest.raises(TargetError) as caught:
        asked(answering({"error": "no"}, status, headers))
    error = caught.value
    assert (error.retryable, error.throttled, error.retry_after, error.status) == (retryable, throttled, after, status)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": None}]},
        3,
    ],
)
def test_a_200_that_is_no_completion_is_a_fault(data: Any) -> None:
    with pytest.raises(TargetError, match="not a chat completion"):
        asked(answering(data))


def test_slow_servers_are_given_up() -> None:
    async def hanging(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(5)
        return completion("late")

    with pytest.raises(TargetError, match=r"no answer within 0\.2 s"):
        asked(hanging, timeout=0.2)


def test_private_addresses_can_be_refused() -> None:
    with pytest.raises(TargetError, match=r"127\.0\.0\.1 is not a public address") as caught:
        asked(says("x"), private_ok=False)
    assert not caught.value.retryable

    async def by_name() -> None:
        target = OpenAIChat(url="http://localhost:9/", model="m", private_ok=False)
        try:
            await target.ask(REQUEST)
        finally:
            await target.close()

    with pytest.raises(TargetError, match="is not a public address"):
        asyncio.run(by_name())


@pytest.mark.parametrize("url", ["ftp://a/", "models.example", "http://", "http://user:word@models.example/"])
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        endpoint(url)


def test_scripted_and_recording() -> None:
    scripted = Scripted(lambda request: f"{request.stream} {request.index}")
    reply = asyncio.run(scripted.ask(REQUEST))
    assert (reply.text, scripted.calls) == ("main 0", 1)
    assert json.loads(reply.sent)["seed"] == 9
    recording = Recording({("main", 0): reply})
    assert asyncio.run(recording.ask(REQUEST)) is reply
    with pytest.raises(TargetError, match="holds no trial main 4"):
        asyncio.run(recording.ask(Request(messages=(), index=4)))
    assert isinstance(scripted, Target)
    assert isinstance(recording, Target)


def test_what_a_target_says_of_itself_cannot_drive_a_terminal_or_a_column() -> None:
    with pytest.raises(TargetError) as refused:
        asked(answering({"error": "\x1b]0;owned\x07 \u202eno"}, status=401))
    assert str(refused.value).isprintable()

    async def raw(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=500, body=b"\x1b[31m\xff\x00boom")

    with pytest.raises(TargetError, match="boom") as failed:
        asked(raw)
    assert str(failed.value).isprintable()
    message = {"content": "fine"}
    usage = {"prompt_tokens": 2**62, "completion_tokens": -1}
    reply, _ = asked(answering({"model": "m\x1b[2J", "choices": [{"message": message}], "usage": usage}))
    assert (reply.model, reply.tokens_in, reply.tokens_out) == ("m\ufffd[2J", None, None)
