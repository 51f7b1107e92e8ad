"""The driver against real local servers: what is sent, what goes wrong, where it stops, and that it goes on."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web

from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import Caps, PlanDocument, TargetInfo
from manyeyes.runs.driver import BudgetStop, Standing, TargetUnreachable, run
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore, StoreError
from tests.reproducer.examples import EXAMPLE
from tests.runs.servers import Answerer, Server, by_seed, completion, says, serving

QUICK = Pacing(retries=3, first=0.01, most=0.02, throttled=0.01, drain=2.0)
T = TypeVar("T")


def document(question: str = "reproduce", **changes: Any) -> PlanDocument:
    options = Options(**{"seed": 7, "use_control": False, "benign_n": 0, "rated_n": 6, "setting_n": 2, **changes})
    return prepare(load_text(EXAMPLE), question, targets={"main": TargetInfo(model="m")}, options=options)


async def driven(
    answerer: Answerer, plan: PlanDocument, place: Path, *, timeout: float = 5.0, **how: Any
) -> tuple[RunResult | Exception, Server]:
    """The result, or what stopped the run, with the server that was asked."""
    async with serving(answerer) as server:
        target = OpenAIChat(url=server.url, model="m", key="k-1", timeout=timeout)
        store = FileStore(place)
        try:
            return await run(plan, store, {"main": target}, **{"pacing": QUICK, **how}), server
        except (TargetUnreachable, BudgetStop, StoreError) as stop:
            return stop, server
        finally:
            store.close()
            await target.close()


def done(work: Coroutine[Any, Any, tuple[RunResult | Exception, Server]]) -> tuple[RunResult, Server]:
    result, server = asyncio.run(work)
    assert isinstance(result, RunResult), result
    return result, server


def stopped(work: Coroutine[Any, Any, tuple[RunResult | Exception, Server]]) -> tuple[Exception, Server]:
    result, server = asyncio.run(work)
    assert isinstance(result, Exception), result
    return result, server


def rows(place: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)["trial"] for line in (place / "trials.jsonl").read_text().splitlines() if '"trial"' in line
    ]


def test_reproduces_and_records_the_exact_bytes(tmp_path: Path) -> None:
    result, server = done(driven(by_seed(0.8), document(), tmp_path))
    assert result.verdict.verdict == "reproduced"
    assert result.calls == server.count
    assert {row["sent"].encode() for row in rows(tmp_path)} == set(server.bodies)
    first = json.loads(server.bodies[0])
    assert first["temperature"] == 0.7
    assert first["max_tokens"] == 48
    assert "top_p" not in first
    shown = result.to_json()
    assert {row["n"] for row in shown["settings"]} == {6, 2}
    assert shown["tokens"] == {"in": 11 * result.calls, "out": 7 * result.calls}
    json.dumps(shown)


def test_temperature_zero_is_sent(tmp_path: Path) -> None:
    text = EXAMPLE.replace("[0.7, 1.2]", "[0, 0.7]").replace("rated: {temperature: 0.7", "rated: {temperature: 0")
    plan = prepare(load_text(text), "score", targets={"main": TargetInfo()}, options=Options(benign_n=0))
    _, server = done(driven(says("hello"), plan, tmp_path))
    assert 0 in {json.loads(body)["temperature"] for body in server.bodies}


@pytest.mark.parametrize("status", [500, 502, 429, 503])
def test_errors_are_tried_again_with_the_same_bytes_and_are_no_outcomes(tmp_path: Path, status: int) -> None:
    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if server.bodies.count(json.dumps(body, separators=(",", ":")).encode()) == 1 and server.count % 3 == 0:
            return web.Response(status=status, text="no", headers={"Retry-After": "0"})
        return await by_seed(0.5)(server, request, body)

    result, server = done(driven(answerer, document(), tmp_path))
    clean, _ = done(driven(by_seed(0.5), document(), tmp_path / "clean"))
    assert (result.verdict.verdict, result.verdict.n, result.verdict.k) == (
        clean.verdict.verdict,
        clean.verdict.n,
        clean.verdict.k,
    )
    assert result.calls == server.count == sum(row["attempts"] for row in rows(tmp_path))
    assert any(row["attempts"] == 2 for row in rows(tmp_path))


def test_a_server_that_always_fails_pauses_the_run_and_it_goes_on(tmp_path: Path) -> None:
    async def broken(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if server.count > 5:
            return web.Response(status=500, text="out of order")
        return await by_seed(0.1)(server, request, body)

    stop, server = stopped(driven(broken, document(), tmp_path))
    assert isinstance(stop, TargetUnreachable)
    assert "HTTP 500: out of order" in str(stop)
    kept = len(rows(tmp_path))
    assert kept == 5
    result, later = done(driven(by_seed(0.1), document(), tmp_path))
    whole, _ = done(driven(by_seed(0.1), document(), tmp_path / "whole"))
    assert result.calls == server.count + later.count
    assert (result.verdict.verdict, result.verdict.n, result.verdict.k) == (
        whole.verdict.verdict,
        whole.verdict.n,
        whole.verdict.k,
    )
    identities = [(row["stream"], row["index"]) for row in rows(tmp_path)]
    assert len(identities) == len(set(identities))


def test_a_refused_key_stops_at_once(tmp_path: Path) -> None:
    async def refusing(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=401, text="bad key")

    stop, server = stopped(driven(refusing, document(), tmp_path))
    assert isinstance(stop, TargetUnreachable)
    assert "401" in str(stop)
    assert server.count <= 2


def _half(server: Server) -> web.Response:
    return web.Response(text='{"choices": [{"message": {"cont', content_type="application/json")


def _no_choices(server: Server) -> web.Response:
    return web.json_response({"error": "overloaded"})


def _huge(server: Server) -> web.Response:
    return web.Response(body=b"x" * (9 * 1024 * 1024))


def _away(server: Server) -> web.Response:
    return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})


@pytest.mark.parametrize(
    ("bad", "said"),
    [(_half, "not a chat completion"), (_no_choices, "overloaded"), (_huge, "8 MB"), (_away, "redirects")],
)
def test_broken_answers_are_errors(tmp_path: Path, bad: Any, said: str) -> None:
    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return bad(server)

    stop, server = stopped(driven(answerer, document(), tmp_path))
    assert isinstance(stop, TargetUnreachable)
    assert said in str(stop)
    assert not (tmp_path / "verdict.json").exists()
    assert FileStore(tmp_path).load().calls == server.count


def test_a_dropped_connection_and_a_hanging_server_are_errors(tmp_path: Path) -> None:
    async def dropping(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if server.count % 2:
            assert request.transport is not None
            request.transport.abort()
        if server.count % 5 == 0:
            await asyncio.sleep(5)
        return await by_seed(0.9)(server, request, body)

    result, server = done(
        driven(dropping, document(score=False), tmp_path, timeout=0.3, pacing=replace(QUICK, retries=9))
    )
    assert result.verdict.verdict == "reproduced"
    assert result.calls == server.count


def test_nobody_at_the_address(tmp_path: Path) -> None:
    async def attempt() -> None:
        target = OpenAIChat(url="http://127.0.0.1:9", model="m")
        try:
            await run(document(), FileStore(tmp_path), {"main": target}, pacing=QUICK)
        finally:
            await target.close()

    with pytest.raises(TargetUnreachable, match="tried 4 times"):
        asyncio.run(attempt())


def test_retry_after_is_waited_for_and_slots_shrink(tmp_path: Path) -> None:
    moments: list[float] = []
    limits: list[int] = []

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        moments.append(asyncio.get_running_loop().time())
        if server.count == 20:
            return web.Response(status=429, headers={"Retry-After": "0.4"})
        return await by_seed(0.02, delay=0.005)(server, request, body)

    def watch(standing: Standing) -> None:
        limits.append(standing.slots)

    result, server = done(driven(answerer, document(cap=60), tmp_path, concurrency=16, on_progress=watch))
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert max(gaps) >= 0.35
    assert result.calls == server.count
    assert limits[0] == 2
    shrunk = next(i for i in range(1, len(limits)) if limits[i] < limits[i - 1])
    assert limits[shrunk] == limits[shrunk - 1] // 2
    assert server.most_under_way <= 16


@pytest.mark.parametrize("concurrency", [1, 4, 32])
def test_the_cap_on_calls_is_exact(tmp_path: Path, concurrency: int) -> None:
    plan = document(caps=Caps(max_calls=17))
    stop, server = stopped(driven(by_seed(0.0), plan, tmp_path, concurrency=concurrency))
    assert isinstance(stop, BudgetStop)
    assert server.count == 17
    more, later = done(driven(by_seed(0.0), plan, tmp_path, concurrency=concurrency, caps=Caps()))
    assert more.verdict.verdict == "not_reproduced"
    assert more.calls == 17 + later.count


def test_the_cap_on_tokens_is_never_passed(tmp_path: Path) -> None:
    stop, server = stopped(driven(by_seed(0.0), document(caps=Caps(max_tokens=700)), tmp_path, concurrency=8))
    assert isinstance(stop, BudgetStop)
    assert 0 < server.count * 18 <= 700


def test_resume_refuses_another_plan(tmp_path: Path) -> None:
    done(driven(by_seed(0.9), document(), tmp_path))
    stop, server = stopped(driven(by_seed(0.9), document(p0=0.02), tmp_path))
    assert isinstance(stop, StoreError)
    assert "another plan" in str(stop)
    assert server.count == 0


def test_a_finished_run_is_told_again_without_a_call(tmp_path: Path) -> None:
    first, _ = done(driven(by_seed(0.9), document(), tmp_path, concurrency=8))
    again, server = done(driven(by_seed(0.9), document(), tmp_path))
    assert server.count == 0
    assert again.to_json() == first.to_json()


def test_cancelled_anywhere_it_goes_on_to_the_same_verdict(tmp_path: Path) -> None:
    plan = document(p0=0.02, p_min=0.1)

    async def cut(place: Path, after: int) -> int:
        async with serving(by_seed(0.06, delay=0.002)) as server:
            target = OpenAIChat(url=server.url, model="m")
            store = FileStore(place)
            task = asyncio.create_task(run(plan, store, {"main": target}, concurrency=8, pacing=QUICK))
            while server.count < after and not task.done():
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            store.close()
            await target.close()
            return server.count

    whole, _ = done(driven(by_seed(0.06), plan, tmp_path / "whole", concurrency=8))
    assert whole.verdict.n > 20
    for after in (1, 9, 25):
        place = tmp_path / str(after)
        sent = asyncio.run(cut(place, after))
        result, server = done(driven(by_seed(0.06), plan, place, concurrency=8))
        assert (result.verdict.verdict, result.verdict.n, result.verdict.k) == (
            whole.verdict.verdict,
            whole.verdict.n,
            whole.verdict.k,
        )
        assert 0 <= result.calls - (sent + server.count) <= 8
        identities = [(row["stream"], row["index"]) for row in rows(place)]
        assert len(identities) == len(set(identities))


def test_empty_and_blocked_answers_are_outcomes(tmp_path: Path) -> None:
    async def empty(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if server.count % 2:
            error = {"error": {"code": "content_filter", "message": "blocked"}}
            return web.json_response(error, status=400)
        return completion("", finish="length")

    result, server = done(driven(empty, document(cap=30), tmp_path))
    assert result.verdict.k == 0
    assert result.calls == server.count
    assert {row["finish_reason"] for row in rows(tmp_path)} == {"content_filter", "length"}
