"""Pacing and metering: slots open and close, caps hold, judges share them, people are waited for."""

from __future__ import annotations

import asyncio
import doctest
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.engine.plan import Outcome
from manyeyes.plugins import registry
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Ask, Exchange, Reply, Request
from manyeyes.runs import price
from manyeyes.runs.document import Caps, PlanDocument, TargetInfo
from manyeyes.runs.driver import WAITING, AwaitingLabel, BudgetStop, run
from manyeyes.runs.meter import Meter
from manyeyes.runs.pacing import HaltedError, Pacing, Slots
from manyeyes.runs.price import Price
from manyeyes.runs.reach import open_target
from manyeyes.runs.store import FileStore, TrialRecord
from tests.runs.test_driver import document

MESSAGES = [{"role": "user", "content": "x" * 84}]


def meter(caps: Caps, price_: Price | None = None) -> Meter:
    return Meter(caps, price_)


def test_doctests() -> None:
    assert doctest.testmod(price).failed == 0


def test_tokens_are_set_aside_for_calls_under_way() -> None:
    one = meter(Caps(max_tokens=250))
    held = one.reserve("c", MESSAGES, {"max_tokens": 20})
    assert (held.tokens_in, held.tokens_out) == (100, 20)
    one.reserve("c", MESSAGES, {"max_tokens": 20})
    with pytest.raises(BudgetStop, match="cap of 250 tokens"):
        one.reserve("c", MESSAGES, {"max_tokens": 20})
    one.settle(held, cell="c", tokens_in=21, tokens_out=3)
    assert one.reserve("c", MESSAGES, {"max_tokens": 20}).tokens_in == 21


def test_answers_without_a_count_keep_what_was_set_aside() -> None:
    one = meter(Caps(max_tokens=200))
    one.settle(one.reserve("c", MESSAGES, {"max_tokens": 20}), cell="c")
    with pytest.raises(BudgetStop):
        one.reserve("c", MESSAGES, {"max_tokens": 20})
    failed = meter(Caps(max_tokens=200))
    failed.settle(failed.reserve("c", MESSAGES, {"max_tokens": 20}))
    failed.reserve("c", MESSAGES, {"max_tokens": 20})


def test_money_needs_a_price_and_is_capped() -> None:
    with pytest.raises(ValueError, match="max_cost: needs a price"):
        meter(Caps(max_cost=1))
    one = meter(Caps(max_cost=0.00013), Price(per_million_in=1, per_million_out=1))
    one.settle(one.reserve("c", MESSAGES, {"max_tokens": 20}), cell="c", tokens_in=90, tokens_out=9)
    assert one.cost == pytest.approx(0.000099)
    with pytest.raises(BudgetStop, match="USD"):
        one.reserve("c", MESSAGES, {"max_tokens": 20})


def test_waits_grow_and_honour_what_was_asked() -> None:
    pacing = Pacing(first=1.0, most=10.0, most_asked=50.0)
    assert 0.5 <= pacing.wait(1, None) <= 1.0
    assert 5.0 <= pacing.wait(40, None) <= 10.0
    assert pacing.wait(1, 7.0) == 7.0
    assert pacing.wait(1, 9_999.0) == 50.0


def test_slots_open_step_by_step_and_close_once_per_throttling() -> None:
    async def story() -> list[int]:
        slots, seen = Slots(20), []
        seen.append(slots.limit)
        for _ in range(4):
            for _ in range(slots.limit):
                taken = await slots.take()
                slots.leave()
                slots.answered(taken)
            seen.append(slots.limit)
        taken = await slots.take()
        slots.throttled(taken, 0.0)
        slots.throttled(taken, 0.0)
        slots.leave()
        seen.append(slots.limit)
        await asyncio.sleep(0.001)
        for _ in range(slots.limit):
            taken = await slots.take()
            slots.leave()
            slots.answered(taken)
        seen.append(slots.limit)
        return seen

    assert asyncio.run(story()) == [2, 4, 8, 16, 20, 10, 11]


def test_halted_slots_let_nobody_in() -> None:
    async def story() -> None:
        slots = Slots(1)

        await slots.take()
        waiting = asyncio.create_task(slots.take())
        resting = asyncio.create_task(slots.rest(60))
        await asyncio.sleep(0.01)
        slots.halt()
        for task in (waiting, resting):
            with pytest.raises(HaltedError):
                await task

    asyncio.run(story())


class Judge:
    """Asks the target `judge` what it thinks."""

    version = "judge"

    def __init__(self, argument: str) -> None:
        self.role = argument

    def decide(self, exchange: Exchange) -> Ask:
        messages = [{"role": "user", "content": exchange.reply.text}]
        return Ask(role=self.role, messages=messages, read=lambda reply: Outcome(reply.text))


def judged(role: str, **changes: Any) -> PlanDocument:
    plan = document(score=False, **changes)
    return replace(plan, detectors={"success": {"asker": role}})


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILTIN["detectors"], "asker", f"{__name__}:Judge")


def test_judge_calls_are_counted_and_capped(tmp_path: Path) -> None:
    main = Scripted(lambda request: f"text {request.seed}")
    critic = Scripted(lambda request: "failure")
    plan = judged("critic", caps=Caps(max_calls=21))
    with pytest.raises(BudgetStop):
        asyncio.run(run(plan, FileStore(tmp_path / "a"), {"main": main, "critic": critic}, concurrency=1))
    assert (main.calls, critic.calls) == (11, 10)
    result = asyncio.run(run(judged("critic"), FileStore(tmp_path / "b"), {"main": main, "critic": critic}))
    assert result.verdict.verdict == "not_reproduced"
    assert result.calls + 21 == main.calls + critic.calls


def test_people_are_waited_for_and_their_labels_used(tmp_path: Path) -> None:
    plan = replace(document(score=False, cap=5), detectors={"success": {"human": "Did it?"}})
    main = Scripted(lambda request: f"text {request.seed}")
    store = FileStore(tmp_path)
    with pytest.raises(AwaitingLabel) as caught:
        asyncio.run(run(plan, store, {"main": main}))
    assert caught.value.waiting == 5
    with pytest.raises(AwaitingLabel):
        asyncio.run(run(plan, store, {"main": main}))
    assert main.calls == 5
    store.close()
    labelled = Labelled(store.load().trials)
    result = asyncio.run(run(plan, labelled, {"main": main}))
    assert result.verdict.verdict == "reproduced"
    assert main.calls == 5


def test_a_run_does_not_spend_its_cap_before_a_person_has_spoken(tmp_path: Path) -> None:
    plan = replace(document(score=False, cap=400), detectors={"success": {"human": "Did it?"}})
    main = Scripted(lambda request: f"text {request.seed}")
    with pytest.raises(AwaitingLabel) as caught:
        asyncio.run(run(plan, FileStore(tmp_path), {"main": main}))
    assert WAITING <= caught.value.waiting <= main.calls <= WAITING + 8


class Labelled(FileStore):
    """A store in which a person has called every answer a success."""

    def __init__(self, trials: list[TrialRecord]) -> None:
        self.trials = [replace(trial, outcome="success") for trial in trials]

    def recall(self, take: Any) -> Any:
        from manyeyes.runs.store import Stored

        for trial in self.trials:
            take(trial)
        return Stored(calls=len(self.trials))

    def freeze(self, document: PlanDocument) -> None:
        return None

    def save(self, *, calls: int, trials: Any) -> None:
        return None

    def finish(self, result: Any, *, overrun: Any) -> None:
        return None


class Failing(Labelled):
    """A store whose disk is full after the third batch."""

    saves = 0

    def save(self, *, calls: int, trials: Any) -> None:
        self.saves += 1
        if self.saves > 3:
            raise OSError("no space left")


def test_a_full_disk_stops_the_run_before_more_is_spent() -> None:
    main = Scripted(lambda request: f"text {request.seed}")
    with pytest.raises(OSError, match="no space left"):
        asyncio.run(run(document(), Failing([]), {"main": main}))
    assert main.calls <= 2 + 4 + 8


def test_targets_are_opened_by_kind() -> None:
    async def story() -> None:
        target = open_target(TargetInfo(url="http://127.0.0.1:9", model="m", options={"extra": {"top_k": 1}}), key="k")
        assert b'"top_k":1' in target.body(Request(messages=MESSAGES))  # type: ignore[attr-defined]
        await target.close()

    asyncio.run(story())
    with pytest.raises(LookupError, match="unknown plugin 'telepathy'"):
        open_target(TargetInfo(kind="telepathy"))


def test_a_bug_in_a_target_is_not_swallowed(tmp_path: Path) -> None:
    def broken(request: Request) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run(document(), FileStore(tmp_path), {"main": Scripted(broken)}))


def test_a_silent_target_is_waited_for_about_as_long_as_was_said() -> None:
    pacing = Pacing.lasting(62)
    waits = [pacing.wait(attempt, None) for attempt in range(1, pacing.retries + 1)]
    assert 31 <= sum(waits) <= 62
    assert sum(Pacing.lasting(0).wait(attempt, None) for attempt in range(1, 6)) == 0


def test_what_an_earlier_run_was_not_told_is_still_held_against_the_caps() -> None:
    meter = Meter(Caps(max_tokens=100), None)
    message = [{"role": "user", "content": "x" * 24}]
    meter.recall(message, {"max_tokens": 30}, tokens_in=None, tokens_out=None)
    with pytest.raises(BudgetStop, match="cap of 100 tokens"):
        meter.reserve("a", message, {"max_tokens": 30})
    told = Meter(Caps(max_tokens=100), None)
    told.recall(message, {"max_tokens": 30}, tokens_in=5, tokens_out=2)
    assert told.reserve("a", message, {"max_tokens": 30}).tokens_out == 30
    assert (told.tokens_in, told.tokens_out, told.calls) == (5, 2, 1)


def test_a_judge_with_a_price_of_its_own_is_billed_by_it() -> None:
    one = Meter(Caps(max_cost=1.0), Price(per_million_in=10), prices={"judge": Price(per_million_in=1_000)})
    one.settle(one.reserve("c", MESSAGES, {}, role="main"), cell="c", tokens_in=100, tokens_out=10)
    one.settle(one.reserve("judge/judge", MESSAGES, {}, role="judge"), cell="judge/judge", tokens_in=50, tokens_out=5)
    assert (one.tokens_in, one.tokens_out) == (150, 15)
    assert one.cost == pytest.approx((100 * 10 + 50 * 1_000) / 1e6)
    one.recall((), {}, tokens_in=1_000, tokens_out=0, role="judge")
    assert one.cost == pytest.approx((100 * 10 + 1_050 * 1_000) / 1e6)
    with pytest.raises(ValueError, match="needs a price per token"):
        Meter(Caps(), None, prices={"judge": Price()})


def test_a_dear_judge_stops_at_the_cap_where_the_target_would_not() -> None:
    one = Meter(Caps(max_cost=0.05), Price(), prices={"judge": Price(per_million_in=100)})
    for _ in range(4):
        one.reserve("c", [{"role": "user", "content": "x" * 900}], {"max_tokens": 1}, role="main")
    long = [{"role": "user", "content": "x" * 284}]
    one.reserve("judge/judge", long, {"max_tokens": 1}, role="judge", live=True)
    with pytest.raises(BudgetStop, match=r"could pass the cap of 0\.05 USD"):
        one.reserve("judge/judge", long, {"max_tokens": 1}, role="judge", live=True)
