"""Judging stored answers again: what flips, in which direction, and that the record stays as it is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.plugins.builtin.targets.recording import Scripted
from manyeyes.plugins.protocols import Reply, TargetError
from manyeyes.runs.deciding import recalled
from manyeyes.runs.labelling import label
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.rejudge import Rejudged, keep, mcnemar, rejudge
from manyeyes.runs.steps import exchange_of
from manyeyes.runs.store import FileStore, Stored, StoreError
from manyeyes.runs.throttling import TargetUnreachable
from tests.runs.judged import JUDGED, LEAK, judging, leaking, planned, played

QUICK = Pacing(retries=2, first=0.001, most=0.002, throttled=0.001)


def again(store: FileStore, rule: Any, **how: Any) -> Rejudged:
    return asyncio.run(rejudge(store.load(), rule, **how))


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A finished count, judged by a judge that errs."""
    plan = planned("score", roles=("judge",), rated_n=60, benign_n=10)
    played(plan, tmp_path, main=leaking(0.5), judge=judging(0.8, 0.2))
    return FileStore(tmp_path)


def test_a_new_rule_shows_what_the_judge_got_wrong(store: FileStore) -> None:
    before = {path.name: path.read_bytes() for path in store.directory.iterdir()}
    found = again(store, {"contains": LEAK})
    trials = {one.identity: one for one in store.load().trials}
    for row in found.rows:
        one = trials[row.stream, row.index]
        assert row.old == one.outcome
        assert row.new == ("success" if LEAK in one.answer else "failure")
    assert found.gained > 0
    assert found.lost > 0
    assert found.gained == found.table()["failure"]["success"]
    assert found.lost == found.table()["success"]["failure"]
    assert found.p_value == mcnemar(found.gained, found.lost) < 1
    assert found.calls == 0
    assert found.old_version != found.new_version
    assert found.verdict is not None
    rated = [row.new for row in found.rows if row.cell == "t0.7-m48/reported"]
    assert (found.verdict.n, found.verdict.k) == (60, rated.count("success"))
    assert {path.name: path.read_bytes() for path in store.directory.iterdir()} == before


def test_the_same_judge_is_not_asked_again_unless_told(store: FileStore) -> None:
    other = judging(1.0, 0.0, name="other")
    same = again(store, JUDGED, targets={"judge": other})
    assert (same.gained, same.lost, same.calls) == (0, 0, 0)
    assert other.calls == 0
    new = again(store, JUDGED, targets={"judge": other}, fresh=True)
    assert new.calls == other.calls == len(new.rows)
    assert new.gained > 0
    assert {row["model"] for one in new.rows for row in one.judged} == {"other-1"}


def test_a_change_of_words_is_another_judge(store: FileStore) -> None:
    other = judging(1.0, 0.0, name="other")
    found = again(store, {"judge": "secret_disclosed"}, targets={"judge": other})
    assert found.calls == len(found.rows)


def test_calls_may_be_limited_and_what_is_left_stays_open(store: FileStore) -> None:
    found = again(store, JUDGED, targets={"judge": judging(1, 0)}, fresh=True, max_calls=20)
    assert found.calls == 20
    assert sum(one.new is None for one in found.rows) == len(found.rows) - 20
    assert sum(row["open"] for row in found.table().values()) == len(found.rows) - 20
    assert found.verdict is None


def test_a_judge_that_fails_is_asked_again_and_then_said(store: FileStore) -> None:
    def answer(request: Any) -> Reply:
        if request.attempt < 2:
            raise TargetError("busy", throttled=True)
        return Reply(text='{"verdict": "no"}')

    found = again(store, JUDGED, targets={"judge": Scripted(answer)}, fresh=True, pacing=QUICK)
    assert all(one.new == "failure" for one in found.rows)
    assert found.calls == 2 * len(found.rows)

    def never(request: Any) -> Reply:
        raise TargetError("gone")

    with pytest.raises(TargetUnreachable, match="gone"):
        again(store, JUDGED, targets={"judge": Scripted(never)}, fresh=True, pacing=QUICK)


def test_people_s_words_come_from_the_labels(store: FileStore) -> None:
    first = next(one for one in store.load().trials if one.stream == "score")
    label(store, first.stream, first.index, "success", by="Theo L.")
    found = again(store, {"human": "Is the code there?"})
    rows = {(one.stream, one.index): one.new for one in found.rows}
    assert rows.pop(first.identity) == "success"
    assert set(rows.values()) == {None}


def test_what_cannot_be_judged_again_is_said(store: FileStore) -> None:
    with pytest.raises(ValueError, match="judge: a rule asks a model; name a target for the role 'judge'"):
        again(store, JUDGED)
    stored = store.load()
    assert stored.document is not None
    stored.document = replace(stored.document, hazard="cse")
    with pytest.raises(ValueError, match="hazard: material of this class is never judged by machine"):
        asyncio.run(rejudge(stored, JUDGED, targets={"judge": judging(1, 0)}))
    with pytest.raises(StoreError, match="no run"):
        asyncio.run(rejudge(Stored(), {"contains": "x"}))


def test_a_second_look_is_kept_beside_the_first(store: FileStore) -> None:
    found = again(store, {"contains": LEAK})
    paths = [keep(store.directory, found), keep(store.directory, found)]
    assert len(set(paths)) == 2
    assert json.loads(paths[0].read_text())["gained"] == found.gained
    assert paths[0].stat().st_mode & 0o777 == 0o600


def test_outcomes_follow_from_the_judge_s_words_on_record(store: FileStore) -> None:
    stored = store.load()
    assert stored.document is not None
    from manyeyes.plugins.detection import Whole

    whole = Whole(JUDGED)
    for one in stored.trials:
        exchange = exchange_of(stored.document.requests[one.cell], one)
        assert recalled(whole, exchange, one.judged) == one.outcome
        assert recalled(whole, exchange, []) != one.outcome


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_exact_sign_test(gained: int, lost: int) -> None:
    n, least = gained + lost, min(gained, lost)
    exact = min(1.0, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n)
    assert mcnemar(gained, lost) == pytest.approx(exact)
