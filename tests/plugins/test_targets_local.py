"""Targets on this computer: a function, a recording, a model file; and the library for other providers."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from manyeyes.plugins.builtin.targets import any_llm, gguf
from manyeyes.plugins.builtin.targets.gguf import LocalGguf
from manyeyes.plugins.builtin.targets.python_callable import PythonCallable
from manyeyes.plugins.builtin.targets.recording import Recorder, Recording, Scripted
from manyeyes.plugins.options import OptionsError, check_options
from manyeyes.plugins.protocols import Reply, Request, Target, TargetError, ToolCall
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.reach import open_target
from tests.plugins.asking import WHOLE, answering, ask
from tests.runs.servers import Server

REQUEST = Request(messages=({"role": "user", "content": "hi"},), params={"temperature": 1}, seed=9)


def said(target: Target, request: Request = REQUEST) -> Reply:
    async def asked() -> Reply:
        try:
            return await target.ask(request)
        finally:
            await target.close()
            await target.close()

    return asyncio.run(asked())


def test_a_function_of_the_request() -> None:
    def plain(request: Request) -> str:
        return f"{request.messages[0]['content']} in {threading.current_thread().name.partition('_')[0]}"

    async def waiting(request: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply(text="later", tool_calls=(ToolCall(id="c", name="n"),))

    reply = said(PythonCallable(function=plain))
    assert (reply.text, json.loads(reply.sent)["seed"]) == ("hi in manyeyes-target", 9)
    reply = said(PythonCallable(function=waiting))
    assert (reply.text, reply.tool_calls[0].name, bool(reply.sent)) == ("later", "n", True)


@pytest.mark.parametrize(
    ("error", "retryable", "words"),
    [
        (ConnectionResetError("gone"), True, "ConnectionResetError: gone"),
        (KeyError("x"), False, "KeyError: 'x'"),
        (TargetError("mine", throttled=True), True, "^mine$"),
    ],
)
def test_a_function_that_raises_is_an_error_and_no_outcome(error: Exception, retryable: bool, words: str) -> None:
    def raising(request: Request) -> str:
        raise error

    with pytest.raises(TargetError, match=words) as caught:
        said(PythonCallable(function=raising))
    assert caught.value.retryable is retryable


def test_a_function_that_gives_no_text_or_hangs_is_an_error() -> None:
    with pytest.raises(TargetError, match="gave int; it must give text or a Reply"):
        said(PythonCallable(function=lambda request: 7))
    with pytest.raises(TargetError, match=r"no answer within 0\.05 s"):
        said(PythonCallable(function=lambda request: time.sleep(0.3), timeout=0.05))


def test_a_function_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "larkfield_target.py").write_text("def answer(request):\n    return 'found ' + str(request.seed)\n")
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    info = TargetInfo(kind="python", options={"function": "larkfield_target:answer", "folder": str(tmp_path)})
    assert said(open_target(info)).text == "found 9"
    for path, words in (("larkfield_target", "module:function"), ("larkfield_target:no", "cannot be loaded")):
        with pytest.raises(OptionsError, match=words):
            PythonCallable(function=path, folder=str(tmp_path))
    with pytest.raises(OptionsError, match="is no function"):
        PythonCallable(function="os:sep")


@pytest.mark.parametrize("kind", ["python", "gguf", "recording", "any_llm"])
def test_what_runs_on_this_computer_can_be_refused(kind: str) -> None:
    with pytest.raises(OptionsError, match=r"^kind: .* is not allowed here"):
        open_target(TargetInfo(kind=kind, options={"function": "os:getcwd"}), local_ok=False)


@pytest.mark.parametrize(
    ("kind", "url", "options", "words"),
    [
        ("openai_chat", "", {}, "url: openai_chat needs the address"),
        ("scripted", "http://127.0.0.1:9", {"answers": ["a"]}, "url: scripted reaches no server"),
        ("scripted", "", {}, "answers: scripted needs it"),
        ("scripted", "", {"answers": "[]"}, "answers: give at least one text, and nothing but texts"),
        ("scripted", "", {"answers": "a"}, "answers: give a JSON list"),
        ("openai_chat", "http://127.0.0.1:9", {"stream": "perhaps"}, "stream: give yes or no"),
        ("openai_chat", "http://127.0.0.1:9", {"extra": "[]"}, "extra: give a JSON object"),
        ("openai_chat", "http://127.0.0.1:9", {"max_tokens_name": 3}, "max_tokens_name: give a text"),
        ("gguf", "", {"file": "m.gguf", "slots": "two"}, "slots: give a whole number"),
        ("gguf", "", {"file": "m.gguf", "slots": "1.5"}, "slots: give a whole number"),
    ],
)
def test_options_that_cannot_be_name_the_field(kind: str, url: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionsError, match=words):
        open_target(TargetInfo(kind=kind, url=url, options=options))


def test_options_are_read_in_their_own_types() -> None:
    found = check_options("gguf", options={"file": "m.gguf", "slots": "3", "context": 512.0})
    assert found == {"file": "m.gguf", "slots": 3, "context": 512}
    assert said(open_target(TargetInfo(kind="scripted", options={"answers": '["a", "b"]'}))).text == "a"


def test_a_run_can_be_recorded_and_played_again(tmp_path: Path) -> None:
    place = tmp_path / "run.jsonl"
    whole = Reply(text="né", sent=b'{"a":1}', status=200, tokens_in=3, tool_calls=(ToolCall(id="c", name="n"),))
    first = Recorder(Scripted(lambda request: whole), place)
    assert said(first, WHOLE) is whole
    info = TargetInfo(kind="scripted", options={"answers": ["b"]})
    said(open_target(info, record=place), Request(messages=REQUEST.messages, index=4, stream="control"))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in place.read_text().splitlines()]
    assert (rows[0]["stream"], rows[0]["index"], rows[0]["sent"]) == ("main", 0, '{"a":1}')
    with place.open("ab") as file:
        file.write(b'{"format":"manyeyes.rec')  # cut off by a power failure
    assert len(Recording(file=place)._exact) == 2
    more = Request(messages=REQUEST.messages, index=5)
    said(open_target(info, record=place), more)

    def again() -> Target:
        return open_target(TargetInfo(kind="recording", options={"file": str(place)}))

    assert said(again(), WHOLE) == whole
    assert said(again(), more).text == "b"
    assert said(again(), Request(messages=REQUEST.messages, index=4, stream="control")).text == "b"
    with pytest.raises(TargetError, match="holds no trial main 0, only with another request"):
        said(again(), REQUEST)
    with pytest.raises(TargetError, match=r"holds no trial main 7$"):
        said(again(), Request(messages=(), index=7))


@pytest.mark.parametrize("line", ["[]", "{}", "{", '{"format": "other/1"}'])
def test_a_file_that_is_no_recording_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    place = tmp_path / "run.jsonl"
    place.write_text(f"{line}\n")
    with pytest.raises(OptionsError, match="line 1 is no exchange"):
        Recording(file=place)
    with pytest.raises(OptionsError, match="No such file"):
        Recording(file=tmp_path / "none.jsonl")


def test_a_failed_call_is_not_recorded_and_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    def broken(request: Request) -> str:
        raise TargetError("no")

    with pytest.raises(TargetError):
        said(Recorder(Scripted(broken), tmp_path / "run.jsonl"))
    assert (tmp_path / "run.jsonl").read_bytes() == b""
    with pytest.raises(ValueError, match=r"record: .* cannot be written"):
        open_target(TargetInfo(kind="scripted", options={"answers": ["a"]}), record=tmp_path / "no" / "run.jsonl")


def test_a_model_file_is_checked_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionsError, match=r"no model file ending in \.gguf"):
        LocalGguf(file=str(tmp_path / "m.gguf"))
    (tmp_path / "m.gguf").write_bytes(b"<html>not found")
    with pytest.raises(OptionsError, match="download it again"):
        LocalGguf(file=str(tmp_path / "m.gguf"))
    (tmp_path / "m.gguf").write_bytes(b"GGUF....")
    monkeypatch.setattr(gguf, "PACKAGE", "xllamacpp_absent")
    with pytest.raises(OptionsError, match="pip install xllamacpp_absent"):
        LocalGguf(file=str(tmp_path / "m.gguf"))
    monkeypatch.setattr(gguf, "PACKAGE", "json")
    with pytest.raises(OptionsError, match="context: give a number above 0"):
        LocalGguf(file=str(tmp_path / "m.gguf"), context=0)


@pytest.mark.model
def test_a_real_model_in_this_process() -> None:
    from manyeyes.demo.model_server import model_path

    async def asked() -> list[Any]:
        info = TargetInfo(kind="gguf", options={"file": str(model_path()), "context": 512, "threads": 1})
        target = open_target(info, connections=2)
        try:
            many = [
                target.ask(Request(messages=REQUEST.messages, params={"temperature": 1.0, "max_tokens": 12}, seed=seed))
                for seed in (1, 2, 3)
            ]
            found: list[Any] = [*await asyncio.gather(*many)]
            long = Request(messages=({"role": "user", "content": "heron " * 3000},))
            try:
                found.append(await target.ask(long))
            except TargetError as error:
                found.append(error)
            return found
        finally:
            await target.close()
            await target.close()

    *replies, refused = asyncio.run(asked())
    assert len({reply.text for reply in replies}) > 1
    assert all(reply.status == 200 and reply.tokens_out in range(1, 13) for reply in replies)
    assert {reply.model for reply in replies} == {"SmolLM2-135M-Instruct.Q4_1"}
    assert os.sep not in replies[0].model
    assert json.loads(replies[0].sent)["seed"] == 1
    assert isinstance(refused, TargetError)
    assert (refused.retryable, refused.status) == (False, 400)


def test_other_providers_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(any_llm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionsError, match="pip install any-llm-sdk"):
        any_llm.OtherProvider(provider="openai", model="m")


library = pytest.mark.skipif(
    importlib.util.find_spec("any_llm") is None, reason="the optional package any-llm-sdk is not installed"
)


def other(url: str) -> Target:
    return any_llm.OtherProvider(provider="openai", model="m", url=f"{url}/v1", key="k-1")


@library
def test_other_providers_are_asked_once_and_the_bytes_are_on_record() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    data = {"id": "x", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice], "usage": usage}
    reply, server = ask(other, answering(data), REQUEST)
    assert server.bodies == [reply.sent]
    assert (reply.text, reply.tokens_in, json.loads(reply.sent)["temperature"]) == ("hello", 3, 1)


@library
@pytest.mark.parametrize(
    ("status", "retryable", "throttled"),
    [(429, True, True), (500, True, False), (400, False, False), (401, False, False), (307, False, False)],
)
def test_faults_of_other_providers(status: int, retryable: bool, throttled: bool) -> None:
    seen: list[Server] = []

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        seen.append(server)
        headers = {"Retry-After": "3", "Location": "/v1/chat/completions"}
        return await answering({"error": {"message": "no"}}, status, headers)(server, request, body)

    with pytest.raises(TargetError) as caught:
        ask(other, answerer, REQUEST)
    assert (caught.value.retryable, caught.value.throttled, len(seen)) == (retryable, throttled, 1)


@library
def test_other_providers_are_refused_where_connections_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionsError, match="cannot be held to public addresses"):
        any_llm.OtherProvider(provider="openai", model="m", key="k", private_ok=False)
    with pytest.raises(OptionsError, match="provider: nobody cannot be used"):
        any_llm.OtherProvider(provider="nobody", model="m", key="k")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(OptionsError, match="unset HTTPS_PROXY"):
        any_llm.OtherProvider(provider="openai", model="m", key="k")
