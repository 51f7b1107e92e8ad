"""What chat completions, Responses and Anthropic Messages put on the wire, and how they read what comes back."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from manyeyes.plugins.builtin.targets.anthropic_messages import AnthropicMessages
from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat, chat_body
from manyeyes.plugins.builtin.targets.openai_responses import OpenAIResponses
from manyeyes.plugins.protocols import Request, Target, TargetError, ToolCall
from tests.plugins.asking import IMAGE, SHA, TOOL, WHOLE, answering, ask
from tests.runs.servers import Answerer, Server, completion, says

IN_BASE64 = base64.b64encode(IMAGE).decode()
CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "send_mail", "arguments": '{"to":"a"}'}},
    {"id": "c2", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}},
]


def chat(url: str, **how: Any) -> Target:
    return OpenAIChat(url=url, model="m", key="k-1", timeout=5, **how)


def responses(url: str) -> Target:
    return OpenAIResponses(url=url, model="m", key="k-1", timeout=5)


def messages(url: str) -> Target:
    return AnthropicMessages(url=url, model="m", key="k-1", timeout=5)


def test_a_chat_completion_with_everything() -> None:
    reply, server = ask(chat, says("hello"), WHOLE)
    assert server.bodies == [reply.sent]
    assert server.headers[0]["Authorization"] == "Bearer k-1"
    assert server.paths == ["/v1/chat/completions"]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IN_BASE64}"}}
    assert json.loads(reply.sent) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "You are Wicket."},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
            {"role": "assistant", "content": None, "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "c1", "content": "sent"},
            {"role": "tool", "tool_call_id": "c2", "content": "not sent"},
            {"role": "user", "content": "Grüß Gott 🪶"},
        ],
        "tools": [{"type": "function", "function": TOOL}],
        "temperature": 0,
        "max_tokens": 5,
        "stop": "END",
        "seed": 9,
    }


def test_the_bytes_made_once_per_cell_are_those_made_each_time() -> None:
    target = OpenAIChat(url="http://127.0.0.1:9", model="m")
    plain = ({"role": "user", "content": 'a "quote"\n'},)
    for request in (WHOLE, replace(WHOLE, messages=plain, tools=()), Request(messages=plain, params={"seed": 4})):
        for seed in (None, 0, 2**31, 7):
            asked = replace(request, seed=seed)
            assert target.body(asked) == target.body(replace(asked)) == chat_body(asked, model="m")
    assert json.loads(target.body(Request(messages=plain, params={"seed": 4})))["seed"] == 4
    assert json.loads(target.body(Request(messages=plain, params={"seed": 4}, seed=5)))["seed"] == 5
    growing: list[dict[str, Any]] = [*plain]
    assert len(json.loads(target.body(Request(messages=growing)))["messages"]) == 1
    growing.append({"role": "assistant", "content": "b"})
    assert len(json.loads(target.body(Request(messages=growing)))["messages"]) == 2


def test_the_name_of_the_token_limit_can_be_chosen() -> None:
    reply, _ = ask(lambda url: chat(url, max_tokens_name="max_completion_tokens"), says("x"), WHOLE)
    sent = json.loads(reply.sent)
    assert (sent["max_completion_tokens"], "max_tokens" in sent) == (5, False)


@pytest.mark.parametrize("make", [chat, responses, messages])
def test_an_image_whose_bytes_are_not_at_hand_is_refused_before_anything_is_sent(make: Any) -> None:
    with pytest.raises(TargetError, match="bytes of the image abababababab… are not at hand") as caught:
        ask(make, says("x"), replace(WHOLE, blobs={}))
    assert not caught.value.retryable


def test_tools_called_in_a_chat_completion() -> None:
    calls = [*CALLS, {"id": "c3", "function": {"name": "look", "arguments": {"at": 1}}}]
    choice = {"message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}
    reply, _ = ask(chat, answering({"choices": [choice]}), WHOLE)
    assert (reply.text, reply.finish_reason) == ("", "tool_calls")
    assert reply.tool_calls[0] == ToolCall(id="c1", name="send_mail", arguments='{"to":"a"}')
    assert reply.tool_calls[2].arguments == '{"at":1}'


@pytest.mark.parametrize(
    ("data", "throttled"),
    [
        ({"error": {"message": "no"}, "choices": [{"message": {"content": "x"}}]}, False),
        ({"error": {"message": "slow down", "code": 429}}, True),
        ({"error": "no"}, False),
        ({"choices": [{"message": {"content": "half"}, "finish_reason": "error", "error": {"code": 503}}]}, True),
    ],
)
def test_an_error_inside_a_200_is_an_error(data: Any, throttled: bool) -> None:
    with pytest.raises(TargetError, match="HTTP 200, but an error") as caught:
        ask(chat, answering(data), WHOLE)
    assert (caught.value.retryable, caught.value.throttled) == (True, throttled)


def streaming(*pieces: bytes, ends: bool = True) -> Answerer:
    """A server that sends these bytes as a stream of events; without `ends` it drops the connection after them."""

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if not ends and request.transport is not None:
            request.transport.close()
        return response

    return answerer


def event(data: Any) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def delta(finish: str | None = None, **what: Any) -> bytes:
    return event({"model": "m-1", "choices": [{"index": 0, "delta": what, "finish_reason": finish}]})


DONE = event(b"[DONE]")
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "system_fingerprint": "f"})


def stream(url: str) -> Target:
    return chat(url, stream=True)


def test_a_stream_is_put_together() -> None:
    whole = (
        b": comment\r\n\r\n" + delta(role="assistant", content="") + delta(content="It is ") + delta(content="hérøn")
    ) + (delta("stop") + USAGE + DONE).replace(b"\n", b"\r\n")
    for size in (1, 7, 10_000):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        reply, server = ask(stream, streaming(*pieces), WHOLE)
        assert (reply.text, reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("It is hérøn", "stop", 3, 2)
        assert (reply.model, reply.fingerprint, reply.status) == ("m-1", "f", 200)
        assert server.bodies == [reply.sent]
        sent = json.loads(reply.sent)
        assert (sent["stream"], sent["stream_options"], sent["seed"]) == (True, {"include_usage": True}, 9)


def test_tools_called_in_a_stream() -> None:
    def piece(index: int, **what: Any) -> bytes:
        return delta(tool_calls=[{"index": index, **what}])

    reply, _ = ask(
        stream,
        streaming(
            piece(0, id="c1", function={"name": "send_mail", "arguments": ""}),
            piece(0, function={"arguments": '{"to":'}),
            piece(1, id="c2", function={"name": "look"}),
            piece(0, function={"arguments": '"a"}'}),
            delta("tool_calls"),
            DONE,
        ),
        WHOLE,
    )
    assert reply.tool_calls == (
        ToolCall(id="c1", name="send_mail", arguments='{"to":"a"}'),
        ToolCall(id="c2", name="look"),
    )


def test_a_refusal_in_a_stream() -> None:
    reply, _ = ask(stream, streaming(delta(refusal="I will"), delta(refusal=" not"), delta("stop"), DONE), WHOLE)
    assert (reply.text, reply.finish_reason) == ("I will not", "refusal")


@pytest.mark.parametrize(
    ("answerer", "said"),
    [
        (streaming(delta(content="It is BLUE"), ends=False), "no answer|broke off"),
        (streaming(delta(content="It is BLUE")), "broke off"),
        (streaming(delta(content="It is BLUE"), DONE), "broke off"),
        (streaming(delta(content="It is BLUE"), delta("stop")[:-1]), "broke off"),
        (streaming(delta(content="x"), event({"error": {"message": "gone"}}), delta("stop")), "an error"),
        (streaming(delta(content="x"), event(b"{half"), delta("stop")), "not a piece"),
        (streaming(delta(content=7), delta("stop")), "not a piece"),
        (streaming(event([1])), "not a piece"),
        (streaming(delta("error", content="x")), "an error"),
        (streaming(), "broke off"),
    ],
)
def test_a_stream_that_breaks_is_an_error_and_never_an_outcome(answerer: Answerer, said: str) -> None:
    with pytest.raises(TargetError, match=said) as caught:
        ask(stream, answerer, WHOLE)
    assert caught.value.retryable


def test_a_stream_without_end_is_refused_and_costs_little() -> None:
    started = time.process_time()
    for piece in (b"x" * 4_000, b"\n", delta(tool_calls=[{"index": 0, "function": {"arguments": "x"}}])):
        many = piece * (40_000 // len(piece))
        with pytest.raises(TargetError, match="larger than 8 MB") as caught:
            ask(stream, streaming(*[many] * 300), WHOLE)
        assert not caught.value.retryable
    assert time.process_time() - started < 30


def test_a_server_that_does_not_stream_is_read_all_the_same() -> None:
    reply, _ = ask(stream, says("whole"), WHOLE)
    assert reply.text == "whole 9"
    with pytest.raises(TargetError, match="asked for fewer") as caught:
        ask(stream, answering({}, 429, {"Retry-After": "4"}), WHOLE)
    assert caught.value.retry_after == 4.0


def response(*output: Any, status: str = "completed", **more: Any) -> Answerer:
    usage = {"input_tokens": 8, "output_tokens": 4}
    return answering({"status": status, "model": "m-2", "output": list(output), "usage": usage, **more})


def spoken(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def test_a_response_with_everything() -> None:
    reply, server = ask(responses, response({"type": "reasoning", "summary": []}, spoken("a"), spoken("b")), WHOLE)
    assert (reply.text, reply.finish_reason, reply.model) == ("ab", "stop", "m-2")
    assert (reply.tokens_in, reply.tokens_out) == (8, 4)
    assert server.bodies == [reply.sent]
    assert server.paths == ["/v1/responses"]
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{IN_BASE64}"}
    assert json.loads(reply.sent) == {
        "model": "m",
        "input": [
            {"role": "system", "content": "You are Wicket."},
            {"role": "user", "content": [{"type": "input_text", "text": "Look"}, image]},
            {"type": "function_call", "call_id": "c1", "name": "send_mail", "arguments": '{"to":"a"}'},
            {"type": "function_call", "call_id": "c2", "name": "send_mail", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sent"},
            {"type": "function_call_output", "call_id": "c2", "output": "not sent"},
            {"role": "user", "content": "Grüß Gott 🪶"},
        ],
        "store": False,
        "tools": [{"type": "function", **TOOL}],
        "temperature": 0,
        "stop": "END",
        "max_output_tokens": 5,
    }


@pytest.mark.parametrize(
    ("answerer", "text", "finish", "calls"),
    [
        (response({"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}), "", "tool_calls", 1),
        (response({"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}), "No.", "refusal", 0),
        (
            response(spoken("cut"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "cut",
            "length",
            0,
        ),
        (response(status="incomplete", incomplete_details={"reason": "content_filter"}), "", "content_filter", 0),
    ],
)
def test_responses_that_are_outcomes(answerer: Answerer, text: str, finish: str, calls: int) -> None:
    reply, _ = ask(responses, answerer, WHOLE)
    assert (reply.text, reply.finish_reason, len(reply.tool_calls)) == (text, finish, calls)


@pytest.mark.parametrize(
    "answerer",
    [
        response(status="failed", error={"code": "server_error", "message": "x"}),
        response(spoken("half"), status="in_progress"),
        response({"type": "message", "content": [{"type": "output_text"}]}),
        answering([]),
        answering({"output": []}),
    ],
)
def test_responses_that_are_faults(answerer: Answerer) -> None:
    with pytest.raises(TargetError, match="HTTP 200, but") as caught:
        ask(responses, answerer, WHOLE)
    assert caught.value.retryable


def message(*content: Any, stop: str | None = "end_turn", **more: Any) -> Answerer:
    usage = {"input_tokens": 8, "cache_read_input_tokens": 100, "output_tokens": 4}
    return answering(
        {"type": "message", "model": "c-1", "content": content, "stop_reason": stop, "usage": usage, **more}
    )


def test_a_message_with_everything() -> None:
    reply, server = ask(
        messages, message({"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}), WHOLE
    )
    assert (reply.text, reply.finish_reason, reply.model) == ("hi", "stop", "c-1")
    assert (reply.tokens_in, reply.tokens_out) == (108, 4)
    assert server.bodies == [reply.sent]
    assert server.paths == ["/v1/messages"]
    assert server.headers[0]["x-api-key"] == "k-1"
    assert server.headers[0]["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in server.headers[0]
    source = {"type": "base64", "media_type": "image/png", "data": IN_BASE64}
    results = [
        {"type": "tool_result", "tool_use_id": "c1", "content": "sent"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "not sent"},
    ]
    uses = [
        {"type": "tool_use", "id": "c1", "name": "send_mail", "input": {"to": "a"}},
        {"type": "tool_use", "id": "c2", "name": "send_mail", "input": {}},
    ]
    assert json.loads(reply.sent) == {
        "model": "m",
        "max_tokens": 5,
        "system": "You are Wicket.",
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "Look"}]},
            {"role": "assistant", "content": uses},
            {"role": "user", "content": results},
            {"role": "user", "content": "Grüß Gott 🪶"},
        ],
        "tools": [{"name": "send_mail", "description": "Sends a mail", "input_schema": TOOL["parameters"]}],
        "temperature": 0,
        "stop_sequences": ["END"],
    }


def test_a_token_limit_is_always_sent_to_anthropic() -> None:
    reply, _ = ask(messages, message({"type": "text", "text": "x"}), Request(messages=WHOLE.messages[-1:]))
    assert json.loads(reply.sent)["max_tokens"] == 4096


@pytest.mark.parametrize(
    ("stop", "said"),
    [("max_tokens", "length"), ("tool_use", "tool_calls"), ("refusal", "refusal"), ("pause_turn", "pause_turn")],
)
def test_reasons_to_stop(stop: str, said: str) -> None:
    use = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": [1]}}
    reply, _ = ask(messages, message(use, stop=stop), WHOLE)
    assert (reply.finish_reason, reply.text) == (said, "")
    assert reply.tool_calls == (ToolCall(id="t", name="n", arguments='{"a":[1]}'),)


def test_overload_asks_for_fewer_calls() -> None:
    data = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(TargetError, match="HTTP 529") as caught:
        ask(messages, answering(data, 529), WHOLE)
    assert caught.value.throttled
    with pytest.raises(TargetError, match="HTTP 200, but an error") as told:
        ask(messages, answering(data), WHOLE)
    assert told.value.throttled


def test_the_filter_of_anthropic_is_an_outcome() -> None:
    said = {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}
    reply, _ = ask(messages, answering({"type": "error", "error": said}, 400), WHOLE)
    assert (reply.finish_reason, reply.text, reply.status) == ("content_filter", "", 400)


@pytest.mark.parametrize("data", [{}, [], {"content": 3, "stop_reason": "x"}, {"content": [{"type": "text"}]}])
def test_messages_that_are_faults(data: Any) -> None:
    with pytest.raises(TargetError, match="not a message"):
        ask(messages, answering(data), WHOLE)


def test_what_anthropic_cannot_take_is_refused_before_it_is_sent() -> None:
    late = replace(WHOLE, messages=(WHOLE.messages[-1], WHOLE.messages[0]))
    broken = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "name": "n", "arguments": "[1"}]}
    for request, said in ((late, "put it first"), (replace(WHOLE, messages=(broken,)), "no JSON object")):
        with pytest.raises(TargetError, match=said) as caught:
            ask(messages, says("x"), request)
        assert not caught.value.retryable


def test_keys_do_not_follow_a_redirect() -> None:
    async def away(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(server.paths) > 1:
            return completion("followed")
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    for make in (chat, stream, responses, messages):
        with pytest.raises(TargetError, match="redirects are not followed") as caught:
            ask(make, away, WHOLE)
        assert not caught.value.retryable


def test_the_digest_of_an_image_is_never_sent() -> None:
    assert SHA not in ask(chat, says("x"), WHOLE)[0].sent.decode()
