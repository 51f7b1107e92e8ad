"""Every built-in target keeps the promises that strangers are held to, and targets that do not are found out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from manyeyes.plugins import registry
from manyeyes.plugins.builtin.targets.recording import Recorder, Recording, Scripted
from manyeyes.plugins.conformance.__main__ import main
from manyeyes.plugins.conformance.check import Check, NotConformingError
from manyeyes.plugins.conformance.targets import REQUEST, TargetCase, checks
from manyeyes.plugins.protocols import Reply, Request, Target, TargetError
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.reach import open_target
from tests.runs.hostile import spoken


def opener(kind: str, **options: Any) -> Callable[..., Target]:
    def make(url: str, *, private_ok: bool, timeout: float) -> Target:
        info = TargetInfo(kind=kind, url=url, model="m", options=options)
        return open_target(info, key="k-1", private_ok=private_ok, timeout=timeout)

    return make


def chat(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()


def response(text: str) -> bytes:
    content = [{"type": "output_text", "text": text}]
    return json.dumps({"status": "completed", "output": [{"type": "message", "content": content}]}).encode()


def message(text: str) -> bytes:
    return json.dumps({"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}).encode()


def both(text: str) -> bytes:
    """Answers of an application that opens a session first."""
    return json.dumps({"id": "s1", "say": text}).encode()


def recorded(place: Path) -> Callable[..., Target]:
    asyncio.run(_record(place))
    replies = {("main", index): Reply(text="again", sent=b"{}") for index in range(1, 8)}

    def make(url: str, *, private_ok: bool, timeout: float) -> Target:
        return Recording(replies, file=place)

    return make


async def _record(place: Path) -> None:
    recorder = Recorder(Scripted(answers=["again"]), place)
    await recorder.ask(REQUEST)
    await recorder.close()


def cases(place: Path) -> dict[str, TargetCase]:
    template = {"q": "{{prompt}}"}
    session = {"body": {"q": "{{prompt}}", "s": "{{session}}"}, "session": {"path": "/s", "id": "$.id"}}
    return {
        "openai_chat": TargetCase(make=opener("openai_chat"), good=chat),
        "openai_chat, streaming": TargetCase(
            make=opener("openai_chat", stream=True), good=lambda text: spoken(text), kind="text/event-stream"
        ),
        "openai_responses": TargetCase(make=opener("openai_responses"), good=response),
        "anthropic_messages": TargetCase(make=opener("anthropic_messages"), good=message),
        "http_json": TargetCase(make=opener("http_json", body=template, answer="$.say"), good=both),
        "http_json, with sessions": TargetCase(
            make=opener("http_json", answer="$.say", **session), good=both, requests=2
        ),
        "python": TargetCase(
            make=lambda url, **_: open_target(
                TargetInfo(kind="python", options={"function": f"{__name__}:function_under_test"})
            ),
            local=True,
        ),
        "scripted": TargetCase(make=lambda url, **_: Scripted(answers=["a", "b"])),
        "recording": TargetCase(make=recorded(place / "run.jsonl")),
    }


def function_under_test(request: Request) -> str:
    return "a heron"


NAMES = [
    "openai_chat",
    "openai_chat, streaming",
    "openai_responses",
    "anthropic_messages",
    "http_json",
    "http_json, with sessions",
    "python",
    "scripted",
    "recording",
]
ELSEWHERE = {"gguf": "below, with a real model", "any_llm": "needs its optional package"}


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_target_conforms(name: str, tmp_path: Path) -> None:
    found = checks(cases(tmp_path)[name])
    assert len(found) >= 4
    for check in found:
        check()


@pytest.mark.model
def test_a_model_on_this_computer_conforms() -> None:
    from manyeyes.demo.model_server import model_path

    options = {"file": str(model_path()), "context": 512, "threads": 1}
    for check in checks(TargetCase(make=lambda url, **_: open_target(TargetInfo(kind="gguf", options=options)))):
        check()


def test_no_built_in_target_is_left_out(tmp_path: Path) -> None:
    covered = {name.partition(",")[0] for name in cases(tmp_path)} | set(ELSEWHERE)
    assert covered == set(registry.BUILTIN["targets"])


class Careless:
    """A stranger's first attempt: it repeats, follows redirects, forgets bytes, and takes anything for an answer."""

    def __init__(self, url: str, *, private_ok: bool = True, timeout: float = 10.0) -> None:
        self.url = url

    async def ask(self, request: Request) -> Reply:
        async with aiohttp.ClientSession(trust_env=True) as session:
            for _ in range(2):
                try:
                    async with session.post(self.url, json={"q": request.messages[-1]["content"]}) as response:
                        if response.status < 400:
                            return Reply(text=await response.text() or "nothing")
                except aiohttp.ClientError:
                    continue
        raise TargetError("no answer")

    async def close(self) -> None:
        """Nothing to let go of."""


CARELESS = TargetCase(make=Careless, good=lambda text: json.dumps({"say": text}).encode())
CASE = TargetCase(make=lambda url, **_: Scripted(answers=["a"]))


def kept(check: Check) -> bool:
    try:
        check()
    except (NotConformingError, TimeoutError):
        return False
    return True


def test_a_careless_target_is_found_out() -> None:
    found = {check.name for check in checks(CARELESS) if check.name not in ("time-out",) and not kept(check)}
    assert found == {
        "answers",
        "bytes sent",
        "no repeats",
        "faults",
        "broken answers",
        "dropped connection",
        "redirects",
        "private addresses",
        "proxies",
    }


def test_the_target_of_the_guide_conforms() -> None:
    """What the guide shows strangers is run as it stands there."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "plugins.md").read_text(encoding="utf-8")
    shown = [part.partition("```")[0] for part in guide.split("```python\n")[1:]]
    space: dict[str, Any] = {"__name__": "larkfield_manyeyes"}
    exec(compile(next(part for part in shown if "class Larkfield" in part), "plugins.md", "exec"), space)
    found = checks(space["CASE"])
    assert len(found) == 15
    for check in found:
        check()


def test_it_runs_from_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["targets", f"{__name__}:CASE"]) == 0
    assert "4 of 4 promises kept" in capsys.readouterr().out
    for path in ("no_such_module:x", f"{__name__}:nothing", f"{__name__}:NAMES", "one", f"{__name__}:"):
        assert main(["targets", path]) == 2
        assert "cannot be used" in capsys.readouterr().err
    monkeypatch.setattr(Scripted, "close", None)
    assert main(["targets", f"{__name__}:CASE"]) == 1
    assert "not ok  answers" in capsys.readouterr().out
