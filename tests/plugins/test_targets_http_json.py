"""An application as a target: what its template may say, what is sent, where the answer is, and what is refused."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.plugins.builtin.targets import template
from manyeyes.plugins.builtin.targets.http_json import HttpJson
from manyeyes.plugins.options import OptionsError, check_options
from manyeyes.plugins.protocols import Request, Target, TargetError
from tests.plugins.asking import WHOLE, answering, ask
from tests.runs.servers import Server

PLAIN = Request(
    messages=(
        {"role": "system", "content": "You are Wicket."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "say {{seed}} and {{key}}"},
    ),
    params={"temperature": 0, "top_p": 0.5},
    seed=9,
)
BODY = {
    "question": "{{prompt}}",
    "whole": "{{messages}}",
    "role": "{{system}}",
    "heat": "{{setting.temperature}}",
    "absent": "{{setting.max_tokens}}",
    "note": "seed {{ seed }} at {{setting.top_p}}, {{setting.gone}}.",
    "fixed": [1, True, None, {"deep": "{{model}}"}],
}
SAID = answering({"reply": {"text": "hi", "why": "end"}, "use": [3, 4], "who": "w-1"})


def app(url: str, **how: Any) -> Target:
    usual: dict[str, Any] = {
        "url": f"{url}/ask?v=2",
        "model": "m",
        "body": BODY,
        "answer": "$.reply.text",
        "timeout": 5,
    }
    return HttpJson(**{**usual, **how})


def test_doctests() -> None:
    assert doctest.testmod(template).failed == 0


def test_the_template_is_filled_and_nothing_that_was_filled_in_is_looked_at_again() -> None:
    paths = {"finish": "reply.why", "tokens_in": "use[0]", "tokens_out": "$.use[-1]", "model_path": "who"}
    reply, server = ask(lambda url: app(url, key="k-1", **paths), SAID, PLAIN)
    assert server.bodies == [reply.sent]
    assert server.paths == ["/ask"]
    assert server.headers[0]["Authorization"] == "Bearer k-1"
    assert json.loads(reply.sent) == {
        "question": "say {{seed}} and {{key}}",
        "whole": list(PLAIN.messages),
        "role": "You are Wicket.",
        "heat": 0,
        "note": "seed 9 at 0.5, .",
        "fixed": [1, True, None, {"deep": "m"}],
    }
    assert (reply.text, reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("hi", "end", 3, 4)
    assert (reply.model, reply.status) == ("w-1", 200)


def test_the_key_goes_where_the_headers_say_and_is_not_on_record() -> None:
    reply, server = ask(lambda url: app(url, key="k-1", headers={"X-Api-Key": "a {{key}}", "X-Team": "t"}), SAID, PLAIN)
    assert (server.headers[0]["X-Api-Key"], server.headers[0]["X-Team"]) == ("a k-1", "t")
    assert "Authorization" not in server.headers[0]
    assert b"k-1" not in reply.sent


@given(st.text(), st.text())
def test_no_conversation_reaches_beyond_its_place(system: str, user: str) -> None:
    """Whatever a conversation holds, it comes out as it went in, and the rest of the template stands."""
    request = Request(messages=({"role": "system", "content": system}, {"role": "user", "content": user}), seed=3)
    filled = template.fill({"a": "{{prompt}}", "b": "{{system}}", "c": "x{{seed}}"}, template.scope(request))
    assert filled == {"a": user, "c": "x3", **({"b": system} if system else {})}


def opening(server: Server, path: str) -> web.Response:
    """A server that hands out numbered sessions, and says in which one it was asked."""
    if path == "/sessions":
        return web.json_response({"data": {"id": server.count}}, status=201)
    return web.json_response({"reply": {"text": "hi"}})


async def sessions(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return opening(server, request.path)


def test_a_session_is_opened_before_each_call_and_is_counted() -> None:
    session = {"path": "/sessions", "body": {"user": "{{setting.temperature}}"}, "id": "$.data.id"}
    how = {"body": {"q": "{{prompt}}", "session": "{{session}}", "in": "/s/{{session}}"}, "session": session}
    target = app("http://127.0.0.1:9", **how)
    assert target.requests_per_ask == 2  # type: ignore[attr-defined]
    reply, server = ask(lambda url: app(url, **how), sessions, PLAIN)
    assert server.paths == ["/sessions", "/ask"]
    assert [json.loads(body) for body in server.bodies] == [
        {"user": 0},
        {"q": "say {{seed}} and {{key}}", "session": "1", "in": "/s/1"},
    ]
    assert server.bodies[1] == reply.sent
    with pytest.raises(TargetError, match="the id of the session is not where the path says"):
        ask(lambda url: app(url, **how), answering({"data": {}}), PLAIN)
    with pytest.raises(TargetError, match="HTTP 500"):
        ask(lambda url: app(url, **how), answering({}, 500), PLAIN)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"reply": {"text": None}}, "the answer is not where the path says"),
        ({"reply": []}, "the answer is not where the path says"),
        ({"reply": {"text": "x"}, "error": {"message": "quota"}}, "HTTP 200, but an error"),
    ],
)
def test_answers_that_are_faults(data: Any, said: str) -> None:
    with pytest.raises(TargetError, match=said) as caught:
        ask(lambda url: app(url, error="$.error"), answering(data), PLAIN)
    assert caught.value.retryable


def test_any_status_of_success_may_carry_the_answer() -> None:
    reply, _ = ask(app, answering({"reply": {"text": "made"}}, 201), PLAIN)
    assert (reply.text, reply.status) == ("made", 201)
    with pytest.raises(TargetError, match="no JSON"):
        ask(app, answering(None, 204), PLAIN)


def test_an_answer_that_is_no_text_is_given_as_json() -> None:
    reply, _ = ask(lambda url: app(url, answer="$.reply"), SAID, PLAIN)
    assert json.loads(reply.text) == {"text": "hi", "why": "end"}


def test_html_is_a_fault_and_a_redirect_is_not_followed() -> None:
    async def page(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text="<html>Sign in")

    with pytest.raises(TargetError, match="no JSON: <html>Sign in"):
        ask(app, page, PLAIN)
    with pytest.raises(TargetError, match="redirects are not followed"):
        ask(app, answering({}, 302, {"Location": "/ask"}), PLAIN)


def test_images_and_tools_need_the_whole_conversation() -> None:
    with pytest.raises(TargetError, match=r"need \{\{messages\}\}"):
        ask(lambda url: app(url, body={"q": "{{prompt}}"}), SAID, WHOLE)


def test_a_put_is_never_sent_twice_by_itself() -> None:
    async def dropping(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    seen: list[Server] = []

    async def noting(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        seen.append(server)
        return await dropping(server, request, body)

    with pytest.raises(TargetError, match="no answer"):
        ask(lambda url: app(url, method="PUT"), noting, PLAIN)
    assert [server.count for server in seen] == [1]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"body": {"q": "{{prompt}} {{env.HOME}}"}}, "body", "env.HOME}} stands for nothing"),
        ({"body": {"q": "{{file:/etc/passwd}}"}}, "body", "stands for nothing"),
        ({"body": {"q": "{{prompt.__class__}}"}}, "body", "stands for nothing"),
        ({"body": {"q": "{{session}}"}}, "body", "stands for nothing"),
        ({"body": {"q": ["{{key}}"]}}, "body", "stands for nothing"),
        ({"body": "{{prompt}}"}, "body", "give a JSON object"),
        ({"answer": "$.a[?(@.b)]"}, "answer", "cannot be read"),
        ({"finish": ".."}, "finish", "cannot be read"),
        ({"headers": {"Authorization": "Bearer abc"}}, "headers.Authorization", "a plan never holds one"),
        ({"headers": {"cookie": "a=b"}}, "headers.cookie", "a plan never holds one"),
        ({"headers": {"Host": "models.example"}}, "headers.Host", "leave it out"),
        ({"headers": {"X-A": "b\r\nHost: c"}}, "headers.X-A", "on one line"),
        ({"headers": {"X-A": 3}}, "headers.X-A", "on one line"),
        ({"method": "GET"}, "method", "one of POST, PUT, PATCH"),
        ({"session": {"path": "//models.example/s"}}, "session.path", "on the same server"),
        ({"session": {"path": "https://models.example/s"}}, "session.path", "on the same server"),
        ({"session": {"url": "/s"}}, "session", "give {path, body, id}"),
        ({"session": {"path": "/s", "id": "$["}}, "session.id", "cannot be read"),
        ({"session": {"path": "/s", "body": {"a": "{{session}}"}}}, "session.body", "stands for nothing"),
    ],
)
def test_options_that_cannot_be_name_the_field_and_the_mend(change: dict[str, Any], field: str, said: str) -> None:
    options = {"body": {"q": "{{prompt}}"}, "answer": "$.a", **change}
    with pytest.raises(OptionsError) as caught:
        check_options("http_json", url="https://app.example/ask", options=options)
    assert caught.value.field == field
    assert said in str(caught.value)


def test_options_may_come_as_text() -> None:
    options = {"body": '{"q": "{{prompt}}"}', "answer": "$.a", "headers": '{"X-Team": "t"}'}
    found = check_options("http_json", url="https://app.example/ask", options=options)
    assert found == {"body": {"q": "{{prompt}}"}, "answer": "$.a", "headers": {"X-Team": "t"}}
