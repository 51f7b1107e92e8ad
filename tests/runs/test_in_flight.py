"""A cap is held against what was spent: calls that are merely under way are waited for, and then more are sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.runs.driver import BudgetStop
from manyeyes.runs.price import Price
from tests.reproducer.examples import EXAMPLE
from tests.runs.ran import plan, ran
from tests.runs.servers import Server, by_seed, completion

TOOK = 11 + 7
"""What a call takes at `servers.completion`."""
NEXT = 11 + 48
"""What the next one could take: the prompt as before, and all of `max_tokens`."""
CAP = 1_500
TURNS = EXAMPLE.replace(
    '  - {role: user, content: "{{wording}}"}',
    '  - {role: user, content: "{{wording}}"}\n  - {role: assistant, content: "No."}\n'
    '  - {role: user, content: "Why not?"}\nturns: fixed',
)


def scored(**changes: Any) -> PlanDocument:
    return plan("score", **{"rated_n": 400, **changes})


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_cap_on_tokens_is_used_up_whatever_is_under_way(concurrency: int, tmp_path: Path) -> None:
    document = scored(caps=Caps(max_tokens=CAP))
    found = ran(by_seed(0.3, delay=0.004), document, tmp_path, concurrency=concurrency)
    assert isinstance(found.end, BudgetStop)
    assert CAP - NEXT < found.server.count * TOOK <= CAP
    assert len(found.trials) == found.calls == found.server.count
    again = ran(by_seed(0.3), document, tmp_path, concurrency=concurrency)
    assert again.server.count == 0, "nothing more fits, and none is sent to find that out"
    assert str(again.end) == f"the next call could pass the cap of {CAP} tokens ({found.server.count * TOOK} spent)"
    on = ran(by_seed(0.3), document, tmp_path, concurrency=concurrency, caps=Caps())
    assert on.result.verdict.n == 400
    assert on.calls == len(on.trials) == found.calls + on.server.count


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_cap_on_money_is_used_up_whatever_is_under_way(concurrency: int, tmp_path: Path) -> None:
    price = Price(per_million_in=1.0, per_million_out=3.0)
    document = replace(scored(), price=price, caps=Caps(max_cost=0.002))
    found = ran(by_seed(0.3, delay=0.004), document, tmp_path, concurrency=concurrency)
    assert isinstance(found.end, BudgetStop)
    spent = found.server.count * price.cost(11, 7)
    assert 0.002 - price.cost(11, 48) < spent <= 0.002
    assert len(found.trials) == found.calls == found.server.count


def test_no_moment_of_a_run_could_pass_the_cap(tmp_path: Path) -> None:
    """Where every answer takes all it may, calls that were sent beside each other pass no cap either."""

    async def all_of_it(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(0.002)
        made = completion(f"I like herons. ({body['seed']})")
        assert isinstance(made.body, bytes)
        return web.Response(
            body=made.body.replace(b'"completion_tokens": 7', b'"completion_tokens": 48'),
            content_type="application/json",
        )

    found = ran(all_of_it, scored(caps=Caps(max_tokens=CAP)), tmp_path, concurrency=32)
    assert isinstance(found.end, BudgetStop)
    assert CAP - NEXT < found.server.count * NEXT <= CAP
    assert all((one.tokens_in, one.tokens_out) == (11, 48) for one in found.trials)


def test_a_trial_that_is_begun_goes_before_one_that_is_not(tmp_path: Path) -> None:
    """At the cap hardly a trial is left half made, however many were under way."""
    document = plan("score", text=TURNS, rated_n=200, caps=Caps(max_tokens=2_500))
    found = ran(by_seed(0.3, delay=0.004), document, tmp_path, concurrency=16)
    assert isinstance(found.end, BudgetStop)
    assert len(found.trials) > 60
    assert 2 * len(found.trials) <= found.calls <= 2 * len(found.trials) + 4
    assert found.calls == found.server.count


def test_an_answer_that_fails_gives_back_what_was_set_aside(tmp_path: Path) -> None:
    seen: set[bytes] = set()

    async def first_time_not(server: Server, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        sent = await request.read()
        if sent not in seen:
            seen.add(sent)
            return web.Response(status=500)
        return await by_seed(0.3, delay=0.002)(server, request, body)

    found = ran(first_time_not, scored(caps=Caps(max_tokens=CAP)), tmp_path, concurrency=8)
    assert isinstance(found.end, BudgetStop)
    assert CAP - NEXT < len(found.trials) * TOOK <= CAP
    assert found.calls == found.server.count
