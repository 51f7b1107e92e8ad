"""The store in files: nothing lost, nothing twice, private, and honest about what it cannot read."""

from __future__ import annotations

import stat
from itertools import permutations
from pathlib import Path

import pytest

from manyeyes.runs.document import PlanDocument
from manyeyes.runs.kept import Busy
from manyeyes.runs.store import FileStore, StoreError, TrialRecord
from tests.runs.test_driver import document


def record(index: int, **changes: object) -> TrialRecord:
    fields = {"stream": "main", "index": index, "cell": "c", "seed": 1, "outcome": "failure", "answer": "Zeile\n2 „x“"}
    return TrialRecord(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def plan() -> PlanDocument:
    return document()


def test_what_is_saved_is_loaded(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path / "deep" / "run")
    assert store.load().document is None
    store.freeze(plan)
    store.save(calls=2, trials=[])
    store.save(calls=3, trials=[record(0), record(1, outcome=None)])
    store.save(calls=1, trials=[record(0, outcome="success")])
    store.close()
    found = FileStore(tmp_path / "deep" / "run").load()
    assert found.document == plan
    assert found.calls == 3
    assert found.trials == [record(0), record(1, outcome=None)]


def test_a_torn_line_is_dropped_and_written_again(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path)
    store.freeze(plan)
    store.save(calls=2, trials=[record(0), record(1)])
    store.close()
    path = tmp_path / "trials.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    again = FileStore(tmp_path)
    again.freeze(plan)
    assert [trial.index for trial in again.load().trials] == [0]
    again.save(calls=3, trials=[record(1)])
    again.close()
    found = FileStore(tmp_path).load()
    assert [trial.index for trial in found.trials] == [0, 1]
    assert found.calls == 3


def test_the_verdict_marks_what_came_after_it(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path)
    store.freeze(plan)
    store.save(calls=2, trials=[record(0), record(1)])
    store.finish({"verdict": "holds"}, overrun=[("main", 1)])
    store.close()
    found = FileStore(tmp_path).load()
    assert found.result == {"verdict": "holds"}
    assert [trial.overrun for trial in found.trials] == [False, True]


def test_only_the_owner_can_read_it(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path / "run")
    store.freeze(plan)
    store.save(calls=1, trials=[record(0)])
    store.finish({}, overrun=[])
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    for path in (tmp_path / "run").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_runs_cannot_share_a_directory(tmp_path: Path, plan: PlanDocument) -> None:
    first, second = FileStore(tmp_path), FileStore(tmp_path)
    first.freeze(plan)
    with pytest.raises(StoreError, match="in use by another run"):
        second.freeze(plan)
    first.close()
    second.freeze(plan)
    second.close()


@pytest.mark.parametrize(("name", "text"), [("plan.json", "{"), ("plan.json", "{}"), ("trials.jsonl", "{\n{}\n")])
def test_broken_files_are_said(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(StoreError, match=name):
        FileStore(tmp_path).load()


def test_the_time_of_earlier_runs_is_that_in_which_a_trial_was_under_way() -> None:
    at = "2026-01-01T00:00:0"
    rows = [(0, f"{at}0+00:00", 2_000), (1, f"{at}1+00:00", 3_000), (2, f"{at}9+00:00", 500), (3, "", 7_000)]
    for order in permutations(rows):
        busy = Busy()
        for _, began, ms in order:
            busy.add(began, ms)
        assert busy.seconds == pytest.approx(4.5)
    assert Busy().seconds == 0.0


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path, plan: PlanDocument) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o755)
    store = FileStore(place)
    store.freeze(plan)
    store.save(calls=1, trials=[record(0)])
    store.close()
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


def test_a_line_that_another_run_is_writing_is_left_alone(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path)
    store.freeze(plan)
    store.save(calls=2, trials=[record(0), record(1)])
    path = tmp_path / "trials.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    onlooker = FileStore(tmp_path)
    assert [trial.index for trial in onlooker.load().trials] == [0]
    assert path.read_bytes() == whole[:-20]
    onlooker.close()
    assert [trial.index for trial in store.load().trials] == [0]
    assert len(path.read_bytes()) < len(whole) - 20
    store.close()


def test_trials_whose_plan_is_gone_are_not_given_to_another(tmp_path: Path, plan: PlanDocument) -> None:
    store = FileStore(tmp_path)
    store.freeze(plan)
    store.save(calls=1, trials=[record(0)])
    store.close()
    (tmp_path / "plan.json").unlink()
    with pytest.raises(StoreError, match="trials of a plan that is gone"):
        FileStore(tmp_path).freeze(plan)


def test_a_crash_while_a_longer_plan_takes_over_loses_nothing(
    tmp_path: Path, plan: PlanDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write, left = FileStore(tmp_path), FileStore._write, [0]
    store.freeze(plan)
    store.save(calls=1, trials=[record(0)])
    store.finish({"verdict": "inconclusive"}, overrun=[])
    longer = plan.resumed(cap=plan.plan.cap + 50)

    def cut(self: FileStore, name: str, data: object) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(self, name, data)

    monkeypatch.setattr(FileStore, "_write", cut)
    for survived in (0, 1):
        left[0] = survived
        with pytest.raises(KeyboardInterrupt):
            store.freeze(longer)
        assert store.load().document == plan
    left[0] = 9
    store.freeze(longer)
    assert store.load().document == longer
    assert store.load().trials == [record(0)]
    store.close()
