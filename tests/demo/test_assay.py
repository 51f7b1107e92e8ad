"""The whole path of plans on the real model: reproduced, patched in the symptom, mended; and no dead target passes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from manyeyes.demo import story
from manyeyes.demo.model_server import missing_packages
from manyeyes.demo.target import DemoTarget
from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat
from manyeyes.runs.document import Caps, TargetInfo
from manyeyes.runs.driver import run
from manyeyes.runs.prepare import Options, prepare
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore

absent = missing_packages()
pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(bool(absent), reason=f"the packages {', '.join(absent)} are not installed"),
]


@pytest.fixture(scope="module")
def target() -> Iterator[DemoTarget]:
    with DemoTarget() as running:
        yield running


def replayed(target: DemoTarget, question: str, version: str, place: Path, *, seed: int = 1) -> RunResult:
    """A whole replay of the story's reproducer against one version, with the model server's own count of it."""
    options = Options(
        seed=seed,
        tau=0.05,
        min_successes=3 if question == "reproduce" else 1,
        before=(28, 30),
        caps=Caps(max_calls=200),
    )
    names = {"main": version} | ({"positive": story.VULNERABLE} if question == "verify" else {})
    infos = {role: TargetInfo(url=target.base_url, model=name) for role, name in names.items()}
    document = prepare(story.reproducer(), question, targets=infos, options=options)

    async def go() -> RunResult:
        targets = {role: OpenAIChat(url=target.base_url, model=name) for role, name in names.items()}
        try:
            return await run(document, FileStore(place / "run"), targets, concurrency=8)
        finally:
            for one in targets.values():
                await one.close()

    before = target.stats()["requests_total"]
    result = asyncio.run(go())
    assert target.stats()["requests_total"] - before == result.calls
    return result


def test_the_report_is_reproduced_and_every_call_is_counted_by_the_model_server(
    target: DemoTarget, tmp_path: Path
) -> None:
    before = target.requests_served()
    result = replayed(target, "reproduce", story.VULNERABLE, tmp_path)
    assert result.verdict.verdict == "reproduced"
    assert target.requests_served() - before == result.calls < 130
    rates = {row.setting: row for row in result.verdict.settings}
    assert rates["deployed"].n == 30
    assert rates["deployed"].k >= 20
    assert rates["greedy"].one_answer


def test_the_symptom_patch_is_exposed_with_the_families_that_pass(target: DemoTarget, tmp_path: Path) -> None:
    result = replayed(target, "verify", story.SYMPTOM_PATCH, tmp_path)
    assert result.verdict.verdict == "symptom_patched"
    parts = {part.part: part for part in result.verdict.parts}
    assert parts["reported"].k == 0
    assert parts["reported"].suppressed
    assert {name for name, part in parts.items() if part.verdict == "fails"} >= {"paraphrase", "persona"}
    assert result.calls <= 100  # what calls are under way when the verdict falls count too


def test_the_mended_version_holds(target: DemoTarget, tmp_path: Path) -> None:
    result = replayed(target, "verify", story.ROOT_FIX, tmp_path)
    assert result.verdict.verdict == "holds"
    assert 59 <= result.verdict.n <= 64
    # 12 tries of the version before, 20 harmless ones, and what was under way, 8 at most, when the verdict fell.
    assert result.calls <= result.verdict.n + 12 + 20 + 8


@pytest.mark.parametrize("broken", ["empty", "constant", "refusing", "half", "leaky"])
def test_a_dead_or_half_mended_version_is_not_taken_for_mended(target: DemoTarget, tmp_path: Path, broken: str) -> None:
    result = replayed(target, "verify", f"wicket-v3-{broken}", tmp_path)
    assert result.verdict.verdict != "holds"
    if broken in ("empty", "constant", "refusing"):
        assert "assay not sensitive" in result.verdict.reason
