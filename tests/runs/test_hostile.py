"""Runs against servers that fail in every way: the right verdict or the right refusal, and no trial miscounted."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from manyeyes.runs.document import Caps, TargetInfo
from manyeyes.runs.driver import BudgetStop, Standing, TargetUnreachable
from manyeyes.runs.pacing import Pacing
from tests.runs.hostile import FINAL, PASSING, always, crowded, hang, now_and_then, raw, streaming
from tests.runs.ran import plan, ran
from tests.runs.servers import Server, by_seed

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int, int]:
    """The verdict on a server that never fails."""
    return ran(by_seed(0.4), plan(), tmp_path_factory.mktemp("clean")).counted


@pytest.mark.parametrize("how", PASSING)
def test_a_failure_that_passes_changes_no_verdict_and_no_count(
    how: str, tmp_path: Path, clean: tuple[str, int, int]
) -> None:
    found = ran(now_and_then(by_seed(0.4), PASSING[how], every=4), plan(), tmp_path)
    assert found.counted == clean
    assert found.server.count > len(found.trials)
    assert found.calls == found.result.calls == found.server.count
    # A trial that the verdict overtakes between two attempts has cost calls and is no trial.
    assert 0 <= found.calls - sum(one.attempts for one in found.trials) <= 8
    kept, seen = {one.sent.encode() for one in found.trials}, set(found.server.bodies)
    assert kept <= seen
    assert len(seen - kept) <= 8, "what was asked beside the trials on record are those that were overtaken"
    assert all(one.answer.endswith(f"({json.loads(one.sent)['seed']})") for one in found.trials)


@pytest.mark.parametrize("how", FINAL)
def test_a_failure_that_stays_pauses_the_run_at_once(how: str, tmp_path: Path) -> None:
    found = ran(always(FINAL[how], after=3, good=by_seed(0.4)), plan(), tmp_path, concurrency=1)
    assert isinstance(found.end, TargetUnreachable)
    assert len(found.trials) == 3
    assert found.calls == found.server.count == 4
    assert "/v1/elsewhere" not in found.server.paths
    assert str(found.end).isprintable()
    again = ran(by_seed(0.4), plan(), tmp_path)
    assert again.result.calls == 4 + again.server.count


@pytest.mark.parametrize("how", ["500", "connection dropped", "half a JSON", "error in a 200"])
def test_a_failure_that_never_passes_is_tried_so_often_and_is_never_an_outcome(how: str, tmp_path: Path) -> None:
    found = ran(always(PASSING[how]), plan(), tmp_path, concurrency=1)
    assert isinstance(found.end, TargetUnreachable)
    assert "tried 5 times" in str(found.end)
    assert found.trials == []
    assert found.calls == found.server.count == 5
    assert len(set(found.server.bodies)) == 1


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_a_server_that_is_too_slow_is_given_up_and_asked_again(
    how: str, tmp_path: Path, clean: tuple[str, int, int]
) -> None:
    drip = raw(HEAD, *([b"{"] + [b" "] * 200), pause=0.05)
    found = ran(now_and_then(by_seed(0.4), {"hangs": hang, "drips": drip}[how], every=9), plan(), tmp_path, timeout=1.5)
    assert found.counted == clean
    assert found.calls == found.server.count == sum(one.attempts for one in found.trials)
    assert max(one.attempts for one in found.trials) > 1


def test_half_a_stream_is_an_error_however_much_of_the_secret_came(tmp_path: Path) -> None:
    info = TargetInfo(options={"stream": True})
    whole = ran(streaming(0.4, breaks=10**6), plan(), tmp_path / "whole", info=info)
    broken = ran(streaming(0.4, breaks=3), plan(), tmp_path / "broken", info=info)
    assert broken.counted == whole.counted
    assert broken.server.count > len(broken.trials)
    assert broken.calls == broken.server.count == sum(one.attempts for one in broken.trials)


def test_a_crowded_server_is_asked_less_and_answers_all(tmp_path: Path, clean: tuple[str, int, int]) -> None:
    slots: list[int] = []

    def note(standing: Standing) -> None:
        slots.append(standing.slots)

    patient = Pacing(retries=50, first=0.01, most=0.02, throttled=0.01, drain=5.0)
    found = ran(crowded(by_seed(0.4), 3), plan(rated_n=60), tmp_path, concurrency=16, pacing=patient, on_progress=note)
    assert found.counted == clean
    refused = found.server.count - len(found.trials)
    assert 0 < refused < found.server.count / 2
    assert found.calls == found.server.count == sum(one.attempts for one in found.trials)
    assert found.server.most_under_way <= 16
    assert any(later < earlier for earlier, later in itertools.pairwise(slots))


def test_a_server_that_wants_peace_gets_it(tmp_path: Path) -> None:
    """While a Retry-After runs, nothing is sent by any slot."""
    refused: list[float] = []
    after: list[float] = []

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        if server.count == 4:
            refused.append(now)
            return web.Response(status=429, headers={"Retry-After": "1"})
        after.extend([now] if refused else [])
        return await by_seed(0.4)(server, request, body)

    found = ran(answerer, plan(), tmp_path, concurrency=1)
    assert found.calls == found.server.count == len(found.trials) + 1
    assert min(after) - refused[0] >= 0.95


@pytest.mark.parametrize(("most", "concurrency"), [(1, 1), (7, 8), (13, 3)])
def test_no_failure_makes_a_run_pass_its_cap(most: int, concurrency: int, tmp_path: Path) -> None:
    document = plan(caps=Caps(max_calls=most))
    found = ran(now_and_then(by_seed(0.4), PASSING["503"], every=2), document, tmp_path, concurrency=concurrency)
    assert isinstance(found.end, BudgetStop)
    assert found.calls == found.server.count == most


def test_tokens_that_a_server_does_not_tell_are_held_against_the_cap(tmp_path: Path) -> None:
    async def silent(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": f"no {body['seed']}"}}], "usage": {"x": 1}})

    found = ran(silent, plan(caps=Caps(max_tokens=1_000)), tmp_path)
    assert isinstance(found.end, BudgetStop)
    assert 0 < found.calls == found.server.count <= 1_000 // 48


def test_an_application_with_sessions_is_counted_request_by_request(tmp_path: Path) -> None:
    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if request.path == "/session":
            return web.json_response({"id": f"s{server.count}"})
        answer = await by_seed(0.4)(server, request, {"seed": body["seed"]})
        assert isinstance(answer, web.Response)
        assert body["session"].startswith("s")
        return answer

    options = {
        "body": {"q": "{{prompt}}", "seed": "{{seed}}", "session": "{{session}}", "heat": "{{setting.temperature}}"},
        "answer": "$.choices[0].message.content",
        "session": {"path": "/session", "id": "$.id"},
    }
    info = TargetInfo(kind="http_json", url="/ask", options=options)
    found = ran(answerer, plan(), tmp_path / "whole", info=info)
    assert found.result.verdict.verdict == "reproduced"
    assert found.calls == found.server.count == 2 * len(found.trials)
    capped = ran(answerer, plan(caps=Caps(max_calls=9)), tmp_path / "capped", info=info)
    assert isinstance(capped.end, BudgetStop)
    assert capped.calls == capped.server.count == 8
