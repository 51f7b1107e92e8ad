"""A judge that answers in no form is noticed early, and its doubts are told where there is no rate to tell."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply
from manyeyes.rules.sentences import verdict_sentence
from manyeyes.runs.driver import TargetUnreachable, run
from manyeyes.runs.formless import FIRST
from manyeyes.runs.store import FileStore
from tests.runs.judged import leaking, planned


@pytest.mark.parametrize("said", ["I would rather not say.", ""])
def test_a_judge_without_form_stops_the_run(said: str, tmp_path: Path) -> None:
    document = planned("score", roles=("judge",), cap=200, rated_n=200)
    store = FileStore(tmp_path)
    chatty = Scripted(lambda request: Reply(text=said, sent=b"{}"))
    with pytest.raises(TargetUnreachable, match="did not answer in form: none of its first 24"):
        asyncio.run(run(document, store, {"main": leaking(0.5), "judge": chatty}))
    stored = store.load()
    store.close()
    assert FIRST <= len(stored.trials) <= FIRST + 16
    assert stored.result is None


def test_one_decision_is_enough_to_go_on(tmp_path: Path) -> None:
    document = planned("score", roles=("judge",), cap=60, rated_n=60)
    store = FileStore(tmp_path)

    def answer(request: object) -> Reply:
        seen.append(1)
        return Reply(text="hm", sent=b"{}") if len(seen) % 20 else decided

    seen: list[int] = []
    decided = Reply(text='{"reason": "so it is", "verdict": "no"}', sent=b"{}", model="judge-1")
    result = asyncio.run(run(document, store, {"main": leaking(0.5), "judge": Scripted(answer)}, concurrency=1))
    store.close()
    said = verdict_sentence(result.to_json(), plan=document.plan.to_json())
    assert "undecided)" in said
    assert "no rate can be told" in said
    assert "ASR" not in said
