"""A run that ended without an answer goes on with a larger cap: in the same place, with the trials it has."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from manyeyes.engine import resumable
from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Request
from manyeyes.runs.driver import run
from manyeyes.runs.store import FileStore, StoreError
from tests.runs.test_verify import document, leaky, mended


def twice(request: Request) -> str:
    """A mended target that slips twice, early on."""
    return leaky(request) if request.stream == "main" and request.index in (4, 9) else mended(request)


def test_a_fix_that_was_not_shown_goes_on_and_holds(tmp_path: Path) -> None:
    plan = document(part_cap=3, before=None, families=())
    store = FileStore(tmp_path)
    first = asyncio.run(run(plan, store, {"main": Scripted(twice), "positive": Scripted(leaky)}))
    assert (first.verdict.verdict, first.verdict.n) == ("reduced", 10)
    assert resumable(first.verdict)
    longer = plan.resumed(cap=500)
    assert longer.goes_on_from(plan)
    more = {"main": Scripted(twice), "positive": Scripted(leaky)}
    second = asyncio.run(run(longer, store, dict(more)))
    store.close()
    assert (second.verdict.verdict, second.verdict.k) == ("holds", 2)
    assert second.calls == first.calls + more["main"].calls
    assert more["positive"].calls == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {f"plan-{plan.hash[:12]}.json", f"verdict-{plan.hash[:12]}.json", "plan.json", "verdict.json"} <= names
    again = FileStore(tmp_path)
    stored = again.load().document
    assert stored is not None
    assert stored.hash == longer.hash
    with pytest.raises(StoreError, match="holds another plan"):
        again.freeze(plan)
    again.close()


def test_only_the_same_plan_with_a_larger_cap_takes_over(tmp_path: Path) -> None:
    plan, store = document(), FileStore(tmp_path)
    store.freeze(plan)
    other = document(seed=12).resumed(cap=500)
    for wrong in (
        other,
        replace(plan.resumed(cap=500), title="Another"),
        replace(plan, plan=replace(plan.plan, cap=9)),
    ):
        assert not wrong.goes_on_from(plan)
        with pytest.raises(StoreError, match="holds another plan"):
            store.freeze(wrong)
    smaller = replace(plan, plan=replace(plan.plan, cap=9, resumes=plan.plan.hash))
    assert not smaller.goes_on_from(plan)
    with pytest.raises(ValueError, match="cap: cannot be below"):
        plan.resumed(cap=9)
    store.close()
