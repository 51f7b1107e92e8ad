"""An answer whose judge cannot be reached is kept: going on asks that judge again, the target for new trials only."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request, TargetError
from manyeyes.runs.bundle import evidence_in
from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.runs.driver import BudgetStop, TargetUnreachable, run
from manyeyes.runs.labelling import waiting
from manyeyes.runs.rescore import rescored
from manyeyes.runs.store import FileStore, Stored, TrialRecord
from tests.runs.judged import judging, leaking, planned, played

PLAN: dict[str, Any] = {"score": False, "use_control": False, "benign_n": 0, "cap": 60}


class Down(Scripted):
    """A judge that cannot be reached from one call on, until it is mended."""

    def __init__(self, inner: Scripted, *, after: int) -> None:
        self.inner, self.after, self.calls, self.asked = inner, after, 0, []  # type: ignore[var-annotated]

    async def ask(self, request: Request) -> Reply:
        self.asked.append((request.stream, request.index))
        await asyncio.sleep(0.002)
        if len(self.asked) > self.after:
            raise TargetError("no such judge", retryable=False)
        self.calls += 1
        return await self.inner.ask(request)


def stored(place: Path) -> Stored:
    store = FileStore(place)
    try:
        return store.load()
    finally:
        store.close()


def identities(trials: Any) -> set[tuple[str, int]]:
    return {one.identity for one in trials}


@pytest.mark.parametrize("concurrency", [1, 6])
def test_the_target_is_not_asked_again_for_what_it_answered(concurrency: int, tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAN)
    main, judge, second = leaking(0.04), Down(judging(1, 0.1), after=5), judging(1, 0, name="second")
    with pytest.raises(TargetUnreachable, match="target judge: no such judge"):
        played(plan, tmp_path, concurrency=concurrency, main=main, judge=judge, confirm=second)
    first = stored(tmp_path)
    assert first.held
    assert all(one.outcome is None and one.answer for one in first.held)
    assert not identities(first.held) & identities(first.trials)
    assert main.calls == len(first.held) + len(first.trials)
    assert waiting(first) == []
    judge.after = 1_000
    result = played(plan, tmp_path, concurrency=concurrency, main=main, judge=judge, confirm=second)
    last = stored(tmp_path)
    # What was under way at the verdict may be held as well: it is billed, and nobody asks for it again.
    assert not identities(last.held) & identities(last.trials)
    assert main.calls == len(last.trials) + len(last.held)
    answers = {one.identity: (one.answer, one.sent, one.started_at) for one in last.trials}
    assert all(answers[one.identity] == (one.answer, one.sent, one.started_at) for one in first.held)
    assert result.tokens_in == main.calls * 9 + (judge.calls + second.calls) * 200
    assert result.calls == main.calls + len(judge.asked) + second.calls
    whole = played(
        plan, tmp_path / "whole", main=leaking(0.04), judge=judging(1, 0.1), confirm=judging(1, 0, name="second")
    )
    assert (whole.verdict.verdict, whole.verdict.n, whole.verdict.k) == (
        result.verdict.verdict, result.verdict.n, result.verdict.k,
    )  # fmt: skip
    found, differences = rescored(plan, evidence_in(tmp_path).trials)
    assert found is not None
    assert replace(found, overrun=0) == replace(result.verdict, overrun=0), "what came after it counts nowhere"
    assert differences == []


def test_what_the_first_judge_said_is_not_asked_again_either(tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge", "confirm"), confirm="confirm", **PLAN)
    judge, second = judging(1, 0), Down(judging(1, 0, name="second"), after=0)
    targets = {"main": leaking(1.0), "judge": judge, "confirm": second}
    with pytest.raises(TargetUnreachable, match="target confirm"):
        played(plan, tmp_path, concurrency=1, **targets)
    (held,) = stored(tmp_path).held
    assert [row["role"] for row in held.judged] == ["judge"]
    with pytest.raises(TargetUnreachable):
        played(plan, tmp_path, concurrency=1, **targets)
    second.after = 1_000
    result = played(plan, tmp_path, concurrency=1, **targets)
    assert result.verdict.verdict == "reproduced"
    trials = stored(tmp_path).trials
    assert judge.calls == len(trials)
    assert [[row["role"] for row in one.judged] for one in trials] == [["judge", "confirm"]] * len(trials)
    assert all(row["sent"] == '{"judged":1}' for one in trials for row in one.judged)


def test_a_cap_between_answer_and_judge_loses_no_answer(tmp_path: Path) -> None:
    plan = planned("reproduce", roles=("judge",), **{**PLAN, "use_control": True, "benign_n": 4})
    main, judge = leaking(0.02), judging(1, 0)
    with pytest.raises(BudgetStop):
        played(plan.with_caps(Caps(max_calls=7)), tmp_path, concurrency=1, main=main, judge=judge)
    assert len(stored(tmp_path).held) == 1
    played(plan, tmp_path, main=main, judge=judge)
    assert main.calls == judge.calls == len(stored(tmp_path).trials)


def test_a_store_that_cannot_hold_asks_again(tmp_path: Path) -> None:
    class Plain:
        """The promise of a store and nothing more."""

        def __init__(self) -> None:
            self.inner = FileStore(tmp_path)

        def load(self) -> Stored:
            return self.inner.load()

        def recall(self, take: Any) -> Stored:
            return self.inner.recall(take)

        def freeze(self, document: PlanDocument) -> None:
            self.inner.freeze(document)

        def save(self, *, calls: int, trials: Any) -> None:
            self.inner.save(calls=calls, trials=trials)

        def finish(self, result: Any, *, overrun: Any) -> None:
            self.inner.finish(result, overrun=overrun)

    plan = planned("reproduce", roles=("judge",), confirm="human", **PLAN)
    main, judge, store = leaking(0.0), Down(judging(1, 0), after=2), Plain()
    with pytest.raises(TargetUnreachable):
        asyncio.run(run(plan, store, {"main": main, "judge": judge}, concurrency=1))
    judge.after = 1_000
    result = asyncio.run(run(plan, store, {"main": main, "judge": judge}, concurrency=1))
    store.inner.close()
    assert result.verdict.verdict == "not_reproduced" or result.verdict.n == 60
    assert main.calls == len(stored(tmp_path).trials) + 1


def test_a_held_answer_is_no_trial_in_the_file(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    record = TrialRecord(stream="main", index=3, cell="a", seed=1, outcome=None, answer="x")
    store.hold(record)
    store.hold(record)
    assert [json.loads(line) for line in (tmp_path / "trials.jsonl").read_bytes().splitlines()] == [
        {"answered": record.to_json()}
    ] * 2
    assert store.load().held == (record,)
    assert store.load().trials == []
    store.save(calls=1, trials=[TrialRecord(stream="main", index=3, cell="a", seed=1, outcome="failure", answer="x")])
    assert store.load().held == ()
    assert [one.outcome for one in store.load().trials] == ["failure"]
    store.close()
