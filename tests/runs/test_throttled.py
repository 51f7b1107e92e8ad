"""Servers that ask for fewer calls: that is waited out, ends no run while answers come, and ends one in good time."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from manyeyes.runs.document import Caps
from manyeyes.runs.driver import BudgetStop, TargetUnreachable
from manyeyes.runs.pacing import Pacing
from tests.runs.hostile import PASSING, always
from tests.runs.ran import plan, ran
from tests.runs.servers import Answerer, Server, by_seed
from tests.runs.test_in_flight import TURNS

FIRM = Pacing(retries=5, first=0.02, most=0.3, throttled=0.02, drain=5.0)
"""As in earnest (five retries), fifty times as fast: `peace` is about two seconds."""


def now_and_then(good: Answerer, share: float, seed: int, headers: dict[str, str], status: int = 429) -> Answerer:
    """Turns away this share of the calls, whatever they are."""
    chance = Random(seed)

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if chance.random() < share:
            return web.Response(status=status, headers=headers)
        return await good(server, request, body)

    return answerer


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"}), (429, {})])
def test_four_calls_in_ten_turned_away_end_no_run_and_change_no_count(
    status: int, headers: dict[str, str], seed: int, tmp_path: Path
) -> None:
    document = plan("score", rated_n=120)
    clean = ran(by_seed(0.3), document, tmp_path / "clean").counted
    quick = Pacing(retries=2, first=0.2, most=0.4, throttled=0.002, drain=5.0)
    found = ran(now_and_then(by_seed(0.3), 0.4, seed, headers, status), document, tmp_path / "spoilt", pacing=quick)
    assert found.counted == clean
    assert max(one.attempts for one in found.trials) > quick.retries + 1, "one trial alone had no such luck"
    assert found.calls == found.result.calls == found.server.count == sum(one.attempts for one in found.trials)
    asked = Counter(found.server.bodies)
    assert sorted(asked) == sorted(one.sent.encode() for one in found.trials)
    assert all(one.attempts == asked[one.sent.encode()] for one in found.trials)


@pytest.mark.parametrize("how", ["429 with seconds", "429 with a date", "429 with nothing", "503"])
@pytest.mark.parametrize("after", [0, 40])
def test_a_server_that_only_asks_for_fewer_calls_ends_the_run_in_good_time(
    how: str, after: int, tmp_path: Path
) -> None:
    document = plan("score", rated_n=120)
    began = time.monotonic()
    found = ran(always(PASSING[how], after=after, good=by_seed(0.3)), document, tmp_path, pacing=FIRM)
    took = time.monotonic() - began
    assert isinstance(found.end, TargetUnreachable)
    assert "target main: asked for fewer calls (HTTP " in str(found.end)
    assert re.search(r"\(nothing else for [2-9] s, over \d+ calls\)$", str(found.end))
    assert FIRM.peace <= took < 4 * FIRM.peace + 5
    assert len(found.trials) == after
    assert found.calls == found.server.count <= after + 40, "every call that was turned away is counted"
    on = ran(by_seed(0.3), document, tmp_path)
    assert on.result.verdict.n == 120
    assert on.calls == found.calls + on.server.count


def test_a_server_that_fails_and_is_not_busy_is_given_up_as_before(tmp_path: Path) -> None:
    found = ran(always(PASSING["500"]), plan(), tmp_path, concurrency=1)
    assert isinstance(found.end, TargetUnreachable)
    assert "tried 5 times" in str(found.end)


def test_calls_that_are_turned_away_count_against_the_cap(tmp_path: Path) -> None:
    document = plan("score", rated_n=120, caps=Caps(max_calls=25))
    found = ran(now_and_then(by_seed(0.3), 0.4, 1, {"Retry-After": "0"}), document, tmp_path)
    assert isinstance(found.end, BudgetStop)
    assert found.calls == found.server.count == 25
    assert len(found.trials) < 25


def test_one_trial_that_is_always_turned_away_ends_the_run_and_a_later_one_makes_it(tmp_path: Path) -> None:
    """As where a prompt is larger than a server lets through in a minute: it says 429 to that one, for ever."""

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body["seed"] == unlucky:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return await by_seed(0.3, delay=0.002)(server, request, body)

    document = plan("score", rated_n=120)
    seen = ran(by_seed(0.3), document, tmp_path / "clean")
    unlucky = json.loads(seen.trials[9].sent)["seed"]
    found = ran(answerer, document, tmp_path / "spoilt", pacing=FIRM)
    assert isinstance(found.end, TargetUnreachable)
    assert 9 <= len(found.trials) < len(seen.trials)
    assert found.calls - len(found.trials) < 40
    on = ran(by_seed(0.3), document, tmp_path / "spoilt")
    assert on.counted == seen.counted
    assert on.calls == found.calls + on.server.count


def test_only_the_turn_that_was_turned_away_is_asked_again(tmp_path: Path) -> None:
    """A trial of two turns: an answer that has come is kept while the next turn waits its time."""
    turned: set[bytes] = set()

    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        sent = await request.read()
        if len(body["messages"]) > 1 and sent not in turned:
            turned.add(sent)
            return web.Response(status=429)
        return await by_seed(0.3)(server, request, body)

    found = ran(answerer, plan("score", text=TURNS, rated_n=20), tmp_path)
    assert found.result.verdict.n == 20
    assert all(one.attempts == 3 for one in found.trials)
    assert found.calls == found.server.count == 3 * len(found.trials)
    firsts = [raw for raw in found.server.bodies if len(json.loads(raw)["messages"]) == 1]
    assert len(firsts) == len(set(firsts)) == len(found.trials)


def test_two_turns_of_which_the_second_never_comes_end_the_run(tmp_path: Path) -> None:
    async def answerer(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(0)
        if len(body["messages"]) > 1:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return await by_seed(0.3)(server, request, body)

    found = ran(answerer, plan("score", text=TURNS, rated_n=20), tmp_path, pacing=FIRM)
    assert isinstance(found.end, TargetUnreachable)
    assert found.trials == []
    assert found.calls == found.server.count < 80


def test_waits_grow_however_soon_the_target_says_it_may_be_asked() -> None:
    pacing = Pacing()
    assert pacing.peace == 124
    assert Pacing(retries=0).peace == 0
    assert pacing.easing(1, 0.0) == 0
    assert pacing.easing(1, 7.0) == 7
    assert pacing.easing(1, 9_999.0) == pacing.most_asked
    assert 0.5 <= pacing.easing(1, None) <= 1.0
    assert 30 <= pacing.easing(40, None) <= 60
    assert 30 <= pacing.easing(4_000, 0.0) <= 60
    bound = 0.0
    for times in range(1, 14):
        bound += pacing.easing(times, 0.0)
    assert bound >= pacing.peace, "so a dozen rounds without an answer are the most there are"
