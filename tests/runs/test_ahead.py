"""How far a run goes ahead of an answer that is slow to come, and that nothing is decided on what is not kept."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore, Identity, TrialRecord
from tests.reproducer.examples import EXAMPLE
from tests.runs import test_verify

Wait = Callable[[int], float]


class Fast(Scripted):
    """Answers at once, except where it is told to wait before an answer; counts what was asked."""

    def __init__(self, say: Callable[[Request], str | Reply], wait: Wait) -> None:
        super().__init__(say)
        self.wait, self.count = wait, itertools.count(1)

    async def ask(self, request: Request) -> Reply:
        await asyncio.sleep(self.wait(next(self.count)))
        return await super().ask(request)


def never(request: Request) -> str:
    return f"I like herons. ({request.seed})"


def one_slow(at: int) -> Wait:
    return lambda count: 0.5 if count == at else 0.001


def uneven(seed: int) -> Wait:
    random = Random(seed)
    return lambda count: 0.15 if random.random() < 0.05 else 0.001


def reproduction() -> PlanDocument:
    return prepare(load_text(EXAMPLE), "reproduce", targets={"main": TargetInfo()}, options=Options(seed=7))


def ran(document: PlanDocument, store: FileStore, main: Scripted, concurrency: int) -> RunResult:
    targets = {"main": main, "positive": Scripted(test_verify.leaky)}
    try:
        return asyncio.run(run(document, store, targets, concurrency=concurrency, pacing=Pacing(drain=2.0)))
    finally:
        store.close()


@pytest.mark.parametrize("wait", [one_slow(1), one_slow(40), one_slow(41), uneven(1), uneven(2)])
@pytest.mark.parametrize("concurrency", [2, 8])
def test_a_slow_answer_costs_no_more_calls_than_there_are_slots(tmp_path: Path, wait: Wait, concurrency: int) -> None:
    target = Fast(never, wait)
    result = ran(reproduction(), FileStore(tmp_path), target, concurrency)
    assert (result.verdict.verdict, result.verdict.n) == ("not_reproduced", 63)
    assert result.overrun <= concurrency
    assert result.calls == target.calls == 126 + result.overrun


def test_fixed_trials_do_not_wait_for_a_slow_one(tmp_path: Path) -> None:
    document = prepare(load_text(EXAMPLE), "score", targets={"main": TargetInfo()}, options=Options(seed=7, benign_n=0))
    kept: list[Identity] = []

    class Watched(FileStore):
        def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
            super().save(calls=calls, trials=trials)
            kept.extend(record.identity for record in trials)

    result = ran(document, Watched(tmp_path), Fast(never, one_slow(1)), 4)
    assert result.overrun == 0
    assert kept[-1] == ("score", 0)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_fix_that_fails_is_refused_after_few_calls(tmp_path: Path, concurrency: int) -> None:
    document = test_verify.document()
    result = ran(document, FileStore(tmp_path), Fast(test_verify.leaky, uneven(3)), concurrency)
    assert result.verdict.verdict == "fails"
    assert result.verdict.n <= 4
    assert result.overrun <= (0 if concurrency == 1 else 2 * concurrency)
    # The assay, then two trials of each of the four parts: the one that refutes, and those that name what passes.
    assert result.calls == 32 + 8 + result.overrun


def test_cut_off_in_front_of_a_slow_answer_it_goes_on_as_near(tmp_path: Path) -> None:
    async def cut() -> None:
        store = FileStore(tmp_path)
        # The 121st call is trial 60 of either arm, three before the boundary.
        target = Fast(never, lambda count: 60.0 if count == 121 else 0.001)
        task = asyncio.create_task(run(reproduction(), store, {"main": target}, concurrency=8))
        while target.calls < 125:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()

    asyncio.run(cut())
    before = len(FileStore(tmp_path).load().trials)
    assert 120 < before <= 128
    result = ran(reproduction(), FileStore(tmp_path), Fast(never, one_slow(1)), 8)
    assert (result.verdict.verdict, result.verdict.n) == ("not_reproduced", 63)
    assert result.overrun <= 8
    assert result.calls <= 126 + 8 + 1


def test_the_verdict_comes_after_the_trials_it_rests_on_are_kept(tmp_path: Path) -> None:
    kept: set[Identity] = set()
    missing: list[Identity] = []

    class Slow(FileStore):
        def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
            super().save(calls=calls, trials=trials)
            kept.update(record.identity for record in trials)

        def finish(self, result: Mapping[str, Any], *, overrun: Sequence[Identity]) -> None:
            missing.extend(
                (stream, index)
                for stream, index in itertools.product(("main", "control"), range(result["n"]))
                if (stream, index) not in kept
            )
            super().finish(result, overrun=overrun)

    result = ran(reproduction(), Slow(tmp_path), Fast(never, uneven(5)), 8)
    assert result.verdict.n == 63
    assert missing == []
    assert len(kept) == result.calls


def test_a_last_answer_that_cannot_be_kept_gives_no_verdict(tmp_path: Path) -> None:
    class Full(FileStore):
        def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
            if any(record.identity == ("control", 62) for record in trials):
                raise OSError("no space left")
            super().save(calls=calls, trials=trials)

    with pytest.raises(OSError, match="no space"):
        ran(reproduction(), Full(tmp_path), Fast(never, lambda count: 0.001), 1)
    assert not (tmp_path / "verdict.json").exists()
    result = ran(reproduction(), FileStore(tmp_path), Fast(never, lambda count: 0.001), 1)
    assert (result.verdict.verdict, result.verdict.n) == ("not_reproduced", 63)
