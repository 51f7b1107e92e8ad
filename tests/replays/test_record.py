"""The record of a replay leaves the database whole: what people said of its answers reaches the tools for judges."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from manyeyes.accounts.models import Person
from manyeyes.replays import manual, queue, record
from manyeyes.replays.models import Replay
from manyeyes.replays.store import DatabaseStore
from manyeyes.runs.labelling import waiting
from manyeyes.runs.store import FileStore, Stored
from tests.replays.making import queued, version_at
from tests.replays.test_queue import URL
from tests.replays.test_queue import record as trial

pytestmark = pytest.mark.django_db


@pytest.fixture
def replay() -> Replay:
    """Three answers: one that the rule decided, two that waited for a person, of which one has a label."""
    made = queued(version_at(URL))
    lease = queue.claim("w")
    assert lease is not None
    rows = [trial(index, outcome, answer=f"MARKER {index}") for index, outcome in enumerate(("failure", None, None))]  # type: ignore[arg-type]
    DatabaseStore(lease).save(calls=3, trials=rows)
    theo = Person.objects.create_person(email="theo@larkfield.example", display_name="Theo L.")
    queue.park(lease, code="awaiting_label", reason="", state=Replay.State.AWAITING_LABEL)
    manual.label(made, stream="main", index=1, outcome="success", by=theo)
    return made


def unpacked(replay: Replay, place: Path) -> Stored:
    with zipfile.ZipFile(io.BytesIO(record.packed(record.folder(replay), "run"))) as archive:
        archive.extractall(place)
    store = FileStore(place / "run")
    try:
        return store.load()
    finally:
        store.close()


def test_a_label_says_who_gave_it_and_when(replay: Replay) -> None:
    found = record.stored(replay)
    (label,) = found.labels
    assert (label.identity, label.outcome, label.by, bool(label.at)) == (("main", 1), "success", "Theo L.", True)
    assert [(one.outcome, one.by) for one in found.trials] == [("failure", None), ("success", "Theo L."), (None, None)]


def test_the_folder_reads_as_the_run_that_it_was(replay: Replay, tmp_path: Path) -> None:
    there, here = record.stored(replay), unpacked(replay, tmp_path)
    assert here.trials == there.trials
    assert list(here.labels) == list(there.labels)
    assert here.document is not None
    assert there.document is not None
    assert here.document.hash == there.document.hash
    assert (here.calls, here.result) == (3, None)
    assert [row.index for row in waiting(here)] == [2]


def test_the_verdict_and_what_came_after_it_go_along(replay: Replay, tmp_path: Path) -> None:
    replay.trials.filter(index=2).update(outcome="failure", overrun=True)
    replay.verdict = {"verdict": "inconclusive", "n": 2, "k": 1}
    replay.save()
    here = unpacked(replay, tmp_path)
    assert here.result == {"verdict": "inconclusive", "n": 2, "k": 1}
    assert [one.overrun for one in here.trials] == [False, False, True]


def test_half_a_character_does_not_stand_in_the_way(replay: Replay, tmp_path: Path) -> None:
    row = replay.trials.get(index=0)
    row.exchange = {**row.exchange, "answer": "half \udcff"}
    row.save()
    assert unpacked(replay, tmp_path).trials[0].answer == "half ?"


def test_an_answer_without_its_judge_goes_along_too(replay: Replay, tmp_path: Path) -> None:
    queue.resume(replay)
    lease = queue.claim("w")
    assert lease is not None
    DatabaseStore(lease).hold(trial(7, outcome=None))  # type: ignore[arg-type]
    here = unpacked(replay, tmp_path)
    assert [one.index for one in here.held] == [7]
