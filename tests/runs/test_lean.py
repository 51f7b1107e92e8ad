"""What a long run may take: few writes, few syncs, and a few bytes of each trial. Nothing here looks at a clock."""

from __future__ import annotations

import asyncio
import os
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from manyeyes.engine.evidence import log_e_fails, log_e_grid
from manyeyes.engine.intervals import anytime_interval
from manyeyes.engine.make import plan_score
from manyeyes.engine.plan import Cell, Feed, Fixed, Plan, Question
from manyeyes.engine.special import log_betainc
from manyeyes.plugins.protocols import Reply, Request
from manyeyes.runs import store as filed
from manyeyes.runs.document import CellRequest, PlanDocument, TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.journal import BATCH, Journal
from manyeyes.runs.resumed import Resumed
from manyeyes.runs.store import FileStore, Stored, TrialRecord

CELL = Cell(key="hot/one", setting="hot", wording="one")


def fixed(trials: int) -> PlanDocument:
    return document(plan_score(score=(Fixed(cell=CELL, n=trials),), rated=CELL.key, seed=1))


def ruled(trials: int) -> PlanDocument:
    """A rule that is looked at after every trial, and cannot stop before the last."""
    return document(Plan(question=Question.REPRODUCE, cells=(CELL,), min_successes=10**9, cap=trials, seed=1))


def document(plan: Plan) -> PlanDocument:
    request = CellRequest(messages=({"role": "user", "content": "What is the code?"},), setting="hot", wording="one")
    return PlanDocument(
        plan=plan,
        requests={CELL.key: request},
        detectors={"success": {"contains": "BLUE-HERON-42"}},
        targets={"main": TargetInfo()},
    )


class Ticking:
    """A target whose every answer is another text, and every tenth the secret."""

    def __init__(self) -> None:
        self.calls = 0

    async def ask(self, request: Request) -> Reply:
        self.calls += 1
        await asyncio.sleep(0)
        said = "BLUE-HERON-42" if request.index % 10 == 0 else "No."
        return Reply(text=f"{said} Ticket {request.index}. {'Herons stand still. ' * 40}", sent=b"{}", status=200)

    async def close(self) -> None:
        pass


def test_files_are_synced_every_hundred_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(filed, "PAUSE", 1e9)
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), real(handle))[1])
    kept = FileStore(tmp_path)
    result = asyncio.run(run(fixed(1_000), kept, {"main": Ticking()}, concurrency=20))
    assert result.verdict.settings[0].n == 1_000
    # plan.json, the first trial, at most one a hundred, the end and verdict.json
    assert 3 <= len(synced) <= 2 + 1 + 10 + 2
    kept.close()
    assert len(FileStore(tmp_path).load().trials) == 1_000


def test_a_sync_that_fails_stops_the_run_without_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = fixed(1_000)
    kept = FileStore(tmp_path)
    kept.freeze(document)

    def full(handle: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        asyncio.run(run(document, kept, {"main": Ticking()}, concurrency=20))
    assert not (tmp_path / "verdict.json").exists()


class Counting:
    """A store behind a thread, as a database is: counts what it is asked to write."""

    def __init__(self) -> None:
        self.saves: list[int] = []
        self.calls = 0

    def load(self) -> Stored:
        return Stored()

    def recall(self, take: Callable[[TrialRecord], None]) -> Stored:
        return Stored()

    def freeze(self, document: PlanDocument) -> None:
        return None

    def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
        assert calls >= self.calls
        self.calls = calls
        self.saves.append(len(trials))

    def finish(self, result: object, *, overrun: object) -> None:
        return None


def test_one_write_carries_the_calls_and_trials_of_many_slots() -> None:
    kept, target = Counting(), Ticking()
    asyncio.run(run(fixed(1_000), kept, {"main": target}, concurrency=50))
    assert sum(kept.saves) == 1_000
    assert kept.calls == target.calls == 1_000
    assert max(kept.saves) <= BATCH
    assert len(kept.saves) <= 250


def test_a_call_is_on_record_before_it_is_sent(tmp_path: Path) -> None:
    kept = FileStore(tmp_path)

    class Watching(Ticking):
        async def ask(self, request: Request) -> Reply:
            lines = (tmp_path / "trials.jsonl").read_text().splitlines()
            assert f'{{"calls":{self.calls + 1}}}' in lines
            return await super().ask(request)

    target = Watching()
    asyncio.run(run(fixed(40), kept, {"main": target}, concurrency=8))
    assert target.calls == 40
    kept.close()


def test_a_quick_store_that_fails_is_not_called_again() -> None:
    class Failing(Counting):
        quick = True

        def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
            self.saves.append(calls)
            raise OSError("no space left")

    async def act() -> list[int]:
        kept = Failing()
        with ThreadPoolExecutor(1) as thread:
            journal = Journal(kept, thread, calls=0)
            for _ in range(3):
                with pytest.raises(OSError, match="no space left"):
                    await journal.call()
            with pytest.raises(OSError, match="no space left"):
                await journal.flush()
        return kept.saves

    assert asyncio.run(act()) == [1]


def test_a_call_waits_for_its_own_count_and_not_for_the_trials_that_came_before() -> None:
    counted = threading.Event()

    class Slow(Counting):
        def save(self, *, calls: int, trials: Sequence[TrialRecord]) -> None:
            if self.saves:
                assert counted.wait(60)
            super().save(calls=calls, trials=trials)

    async def act() -> list[int]:
        kept = Slow()
        with ThreadPoolExecutor(1) as thread:
            journal = Journal(kept, thread, calls=0)
            await asyncio.sleep(0)
            call = asyncio.create_task(journal.call())
            await asyncio.sleep(0)
            for index in range(2 * BATCH + 7):
                journal.add(TrialRecord(stream="score", index=index, cell=CELL.key, seed=1, outcome="failure"))
            try:
                await asyncio.wait_for(call, 10)
                assert kept.calls == 1
                assert kept.saves == [BATCH]
            finally:
                counted.set()
            await journal.close()
        return kept.saves

    assert asyncio.run(act()) == [BATCH, BATCH, 7]


class Endless(Counting):
    """A finished run whose trials are made as they are read, so that whoever keeps them is found out."""

    def __init__(self, trials: int) -> None:
        super().__init__()
        self.trials = trials

    def recall(self, take: Callable[[TrialRecord], None]) -> Stored:
        for index in range(self.trials):
            name = "success" if index % 10 == 0 else "failure"
            said = f"{index} {'Herons stand still. ' * 50}"
            record = TrialRecord(
                stream=STREAMS[self.question], index=index, cell=CELL.key, seed=1, outcome=name, digest=f"{index:064x}"
            )
            record.answer, record.sent = said, said
            take(record)
        return Stored(calls=self.trials)

    question = "score"


STREAMS = {"score": "score", "reproduce": "main"}


@pytest.mark.parametrize("made", [fixed, ruled])
def test_a_resumed_run_keeps_a_few_bytes_of_each_trial(made: Callable[[int], PlanDocument]) -> None:
    def kept(trials: int) -> int:
        plan = made(trials)
        earlier = Endless(trials)
        earlier.question = str(plan.plan.question)
        tracemalloc.start()
        try:
            resumed = Resumed(plan, None)
            resumed.read(earlier)
            with pytest.raises(StopIteration) as stop:
                resumed.engine.send(Feed(answers=resumed.answers(), room=0))
            verdict = stop.value.value
            assert verdict.asked == trials
            for remembered in (log_e_grid, log_e_fails, log_betainc, anytime_interval):
                remembered.cache_clear()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    short, long = kept(1_000), kept(4_000)
    assert long - short < 3_000 * 64


def test_a_verdict_takes_little_of_each_fixed_trial_even_for_a_moment() -> None:
    def most(trials: int) -> int:
        resumed = Resumed(fixed(trials), None)
        resumed.read(Endless(trials))
        tracemalloc.start()
        try:
            with pytest.raises(StopIteration):
                resumed.engine.send(Feed(answers=resumed.answers(), room=0))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = most(1_000), most(4_000)
    assert long - short < 3_000 * 160
