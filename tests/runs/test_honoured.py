"""What a target made of its settings: the length of its answers and the seed it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.engine.plan import Stream
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, Request
from manyeyes.reproducer.load import load_data
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.honoured import Honoured
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.store import FileStore, TrialRecord
from tests.reproducer.examples import EXAMPLE


def document(**file: Any) -> PlanDocument:
    data = {**yaml.safe_load(EXAMPLE), **file}
    options = Options(rated_n=3, setting_n=2, benign_n=0, control_n=0, min_successes=3)
    return prepare(load_data(data), "reproduce", targets={"main": TargetInfo()}, options=options)


def checks(plan: PlanDocument, say: Callable[[Request], Reply], place: Path) -> dict[str, Any]:
    result = asyncio.run(run(plan, FileStore(place), {"main": Scripted(say)})).to_json()
    return {check["name"]: check for check in result["checks"]}


def leak(request: Request, **more: Any) -> Reply:
    said = "BLUE-HERON-42" if "internal" in str(request.messages) else "No."
    return Reply(text=f"{said} {request.seed}", **more)


def test_answers_longer_than_max_tokens_are_told(tmp_path: Path) -> None:
    found = checks(document(), lambda request: leak(request, tokens_out=40), tmp_path / "a")["answer length"]
    assert not found["passed"]
    longer, counted = (int(word) for word in found["detail"].split()[:3:2])
    assert 0 < longer < counted  # a limit of 48 was kept, one of 24 was not
    assert checks(document(), lambda request: leak(request, tokens_out=24), tmp_path / "b")["answer length"]["passed"]
    assert "answer length" not in checks(document(), leak, tmp_path / "c")


@pytest.mark.parametrize("kept", [True, False])
def test_one_seed_for_all_trials_shows_whether_it_is_kept(kept: bool, tmp_path: Path) -> None:
    def say(request: Request) -> Reply:
        return Reply(text=f"BLUE-HERON-42 {request.seed if kept else request.index}")

    found = checks(document(seeds="fixed", seed=5), say, tmp_path)
    assert found["seed"]["passed"] is kept
    assert "under the same seed" in found["seed"]["detail"]


def test_a_seed_for_each_trial_says_nothing_about_seeds(tmp_path: Path) -> None:
    assert "seed" not in checks(document(), leak, tmp_path)


def test_other_targets_and_trials_of_several_calls_are_left_out() -> None:
    plan = document(tools=[{"name": "search", "description": "Looks", "parameters": {"type": "object"}}])
    honoured, plain = Honoured(plan), Honoured(document(seeds="fixed", seed=5))
    cell = plan.plan.cells[0].key
    for stream in Stream:
        for watch in (honoured, plain):
            watch.add(TrialRecord(stream=str(stream), index=0, cell=cell, seed=1, outcome="success", tokens_out=900))
    assert honoured.checks() == []
    (length,) = plain.checks()
    assert length["detail"].startswith(f"{len(Stream) - 2} of {len(Stream) - 2} ")
