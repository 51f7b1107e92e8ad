"""What the terminal says of a verdict: parts and arms in words."""

from __future__ import annotations

import asyncio
import doctest
import json
from pathlib import Path

from manyeyes.commands import telling
from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Request
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore
from tests.reproducer.examples import EXAMPLE
from tests.runs import test_verify


def ran(place: Path, options: Options) -> RunResult:
    document = prepare(load_text(EXAMPLE), "reproduce", targets={"main": TargetInfo()}, options=options)
    question = document.requests[document.plan.cells[0].key].messages[-1]["content"]

    def say(request: Request) -> str:
        leaks = request.messages[-1]["content"] == question
        return f"It is {test_verify.SECRET}. ({request.seed})" if leaks else f"We open at 9. ({request.seed})"

    store = FileStore(place)
    try:
        return asyncio.run(run(document, store, {"main": Scripted(say)}))
    finally:
        store.close()


def test_doctests() -> None:
    assert doctest.testmod(telling).failed == 0


def test_few_trials_of_a_part_do_not_contradict_a_fix_that_holds(tmp_path: Path) -> None:
    result, _ = test_verify.verified(test_verify.mended, tmp_path)
    said = telling.told(result)
    assert said.startswith("Fix holds")
    assert "inconclusive" not in said
    parts = {part.part: part.n for part in result.verdict.parts}
    assert all(f"0 of {n}, no success; too few alone" in said for n in parts.values())
    assert "\nharmless questions answered usefully: 20 of 20" in said
    assert "\nthe exploit on the version with the flaw: 12 of 12" in said


def test_arms_of_a_reproduction_are_named_by_what_they_asked(tmp_path: Path) -> None:
    result = ran(tmp_path, Options(seed=7, rated_n=4, setting_n=2))
    said = telling.told(result)
    arms = {arm.arm: arm.n for arm in result.verdict.arms}
    assert set(arms) >= {"control in blocks", "control", "benign"}
    assert f"\nunrelated requests with the flaw, in turn with the exploit: 0 of {arms['control in blocks']}, " in said
    assert f"\nunrelated requests with the flaw, a fixed number: 0 of {arms['control']}, " in said
    assert f"\nharmless questions with the flaw: 0 of {arms['benign']}, " in said
    assert "control in blocks" not in said


def test_an_arm_that_fails_says_what_it_needed(tmp_path: Path) -> None:
    result, _ = test_verify.verified(lambda request: "", tmp_path)
    assert result.verdict.verdict == "inconclusive"
    assert "; too few, 17 were needed" in telling.told(result)


def test_without_a_name_no_model_is_sent() -> None:
    request = Request(messages=[{"role": "user", "content": "Hello"}], params={}, seed=1, stream="main", index=0)
    assert "model" not in json.loads(OpenAIChat(url="http://127.0.0.1:9", model="").body(request))
    assert json.loads(OpenAIChat(url="http://127.0.0.1:9", model="m").body(request))["model"] == "m"


def test_a_run_that_measured_nothing_says_nothing_of_an_attacker(tmp_path: Path) -> None:
    refusing, _ = test_verify.verified(lambda request: "No.", tmp_path, retry_budget=3)
    said = telling.told(refusing)
    assert said.startswith("Inconclusive: assay not sensitive")
    assert "tries" not in said
    assert "under 1 s" in said
