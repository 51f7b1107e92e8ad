"""A key reaches nobody but its target: not the record, not the bundle, not an error, whatever a server repeats."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from manyeyes.plugins.protocols import Request, TargetError, ToolCall
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.keyless import Keyless
from manyeyes.runs.reach import open_target
from manyeyes.runs.store import FileStore
from tests.runs.servers import Server, completion, serving
from tests.runs.test_driver import document

KEY = "sk-larkfield-0123456789"


async def echo(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    said = request.headers["Authorization"]
    return completion(f"You sent {said} with seed {body.get('seed')}", model=said, finish=said)


async def refusal(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": f"no such key: {request.headers['Authorization']}"}, status=401)


async def asked(answerer: Any, place: Path) -> None:
    async with serving(answerer) as server:
        target = open_target(TargetInfo(url=server.url), key=KEY, record=place / "record.jsonl")
        store = FileStore(place / "run")
        try:
            await run(document(), store, {"main": target})
        finally:
            store.close()
            await target.close()


def test_a_server_that_repeats_the_key_gets_it_into_no_file(tmp_path: Path) -> None:
    asyncio.run(asked(echo, tmp_path))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"trials.jsonl", "verdict.json", "plan.json", "record.jsonl"} <= {path.name for path in files}
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert b"You sent Bearer [the key] with seed" in (tmp_path / "run" / "trials.jsonl").read_bytes()


def test_nor_into_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"no such key: Bearer \[the key\]") as found:
        asyncio.run(asked(refusal, tmp_path))
    assert KEY not in str(found.value)


def test_nor_into_the_arguments_of_a_tool(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "send", "arguments": json.dumps({"to": KEY})}}

    async def calls(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return web.json_response({"choices": [{"message": message, "finish_reason": "tool_calls"}]})

    async def once() -> Any:
        async with serving(calls) as server:
            target = open_target(TargetInfo(url=server.url), key=KEY)
            try:
                return await target.ask(Request(messages=({"role": "user", "content": "Hi"},)))
            finally:
                await target.close()

    assert asyncio.run(once()).tool_calls == (ToolCall(id="1", name="send", arguments='{"to": "[the key]"}'),)


def test_a_short_key_is_not_looked_for() -> None:
    target = open_target(TargetInfo(url="http://127.0.0.1:9"), key="abc")
    assert not isinstance(target, Keyless)
    asyncio.run(target.close())


@pytest.mark.parametrize("name", ["key", "API_KEY", "access_token"])
def test_an_address_holds_no_key(name: str) -> None:
    with pytest.raises((ValueError, TargetError), match="must not hold a key") as found:
        open_target(TargetInfo(url=f"https://models.example/v1?x=1&{name}={KEY}"))
    assert KEY not in str(found.value)
