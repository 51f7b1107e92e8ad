"""Labels: who said what and when, drawn by a seed, counted against the judge, and never in the place of a trial."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.engine.plan import Outcome
from manyeyes.runs import labels as module
from manyeyes.runs.calibration import Calibration, CalibrationError, calibrate, check_negatives
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.labelling import drawn, judged_trials, keep, label, negatives, waiting, word_of
from manyeyes.runs.labels import Label, LabelError, agreement, labels_from, read_labels
from manyeyes.runs.store import FileStore, Stored, StoreError, TrialRecord
from tests.runs.judged import JUDGED, LEAK, judging, leaking, planned, played

PLAN = planned("reproduce", roles=("judge",), score=False)


def trial(index: int, outcome: str | None, *, leak: bool = False, **more: Any) -> TrialRecord:
    """A judged answer to the exploit."""
    cell = PLAN.plan.cells[0].key
    fields = {"stream": "main", "index": index, "cell": cell, "seed": 1, "outcome": outcome, **more}
    fields.setdefault("judged", [{"role": "judge", "model": "judge-1"}])
    return TrialRecord(answer=LEAK if leak else "I like herons", **fields)


def run_of(rows: list[TrialRecord], said: list[Label], document: PlanDocument = PLAN) -> Stored:
    return Stored(document=document, trials=rows, labels=said)


def by_hand(rows: list[TrialRecord], who: str = "Theo L.") -> list[Label]:
    """What a person says who is always right."""
    words = {True: "success", False: "failure"}
    return [Label(stream=one.stream, index=one.index, outcome=words[one.answer == LEAK], by=who) for one in rows]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A finished run with 12 trials."""
    kept = FileStore(tmp_path)
    kept.freeze(PLAN)
    kept.save(
        calls=12, trials=[trial(index, "success" if index < 3 else "failure", leak=index < 4) for index in range(12)]
    )
    kept.close()
    return kept


def test_a_label_is_kept_with_its_author_and_changes_nothing_else(store: FileStore) -> None:
    before = (store.directory / "trials.jsonl").read_bytes()
    made = label(store, "main", 3, "success", by="Theo L.")
    assert made.at.endswith("+00:00")
    stored = store.load()
    assert list(stored.labels) == [made]
    assert stored.trials[3].outcome == "failure"
    assert stored.trials[3].by is None
    assert (store.directory / "trials.jsonl").read_bytes() == before
    assert (store.directory / "labels.jsonl").stat().st_mode & 0o777 == 0o600


def test_labels_are_never_changed(store: FileStore) -> None:
    label(store, "main", 3, "success", by="Theo L.")
    with pytest.raises(LabelError, match=r"main 3: Theo L\. has labelled it"):
        label(store, "main", 3, "failure", by="Theo L.")
    label(store, "main", 3, "failure", by="Mina A.")
    assert [one.by for one in store.load().labels] == ["Theo L.", "Mina A."]
    assert agreement(store.load().labels) == (0, 1)


@pytest.mark.parametrize(
    ("stream", "index", "outcome", "by", "said"),
    [
        ("main", 99, "success", "Theo L.", "main 99: the run has no answer"),
        ("main", 1, "perhaps", "Theo L.", "outcome: choose one of success, failure, undecided"),
        ("main", 1, "success", "  ", "by: say who labels"),
        ("main", -1, "success", "Theo L.", "stream and index"),
    ],
)
def test_wrong_labels_are_refused(store: FileStore, stream: str, index: int, outcome: str, by: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        label(store, stream, index, outcome, by=by)
    assert not (store.directory / "labels.jsonl").exists()


def test_a_file_of_labels_is_kept_whole_or_not_at_all(store: FileStore) -> None:
    rows = [{"stream": "main", "index": index, "outcome": "failure", "by": "Mina A."} for index in (0, 1)]
    assert keep(store, labels_from("\n".join(map(json.dumps, rows)))) == 2
    with pytest.raises(LabelError):
        keep(store, labels_from("\n".join(map(json.dumps, [{**rows[0], "by": "Olga B."}, {**rows[1], "index": 77}]))))
    assert len(store.load().labels) == 2


GOOD = '{"stream": "main", "index": 0, "outcome": "success", "by": "Theo L."}'


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        '"x"',
        "null",
        '{"stream": "main"}',
        GOOD.replace("0", '"b"'),
        GOOD.replace('"success"', "[]"),
        GOOD.replace('"by"', '"x": 1, "by"'),
        "[" * 100_000,
    ],
)
def test_hostile_label_files_name_the_line(line: str) -> None:
    with pytest.raises(LabelError, match="labels line 2"):
        labels_from(f"{GOOD}\n{line}")
    with pytest.raises(LabelError, match="larger than"):
        labels_from("x" * (module.MAX_FILE + 1))


def test_a_line_cut_short_by_a_crash_is_dropped(store: FileStore) -> None:
    label(store, "main", 0, "success", by="Theo L.")
    with (store.directory / "labels.jsonl").open("ab") as file:
        file.write(b'{"stream": "main", "ind')
    assert len(store.load().labels) == 1
    label(store, "main", 1, "success", by="Theo L.")
    assert [one.index for one in read_labels(store.directory)] == [0, 1]


def test_broken_labels_are_said_by_the_store(store: FileStore) -> None:
    (store.directory / "labels.jsonl").write_text("nonsense\n")
    with pytest.raises(StoreError, match=r"labels\.jsonl line 1"):
        store.load()
    with pytest.raises(StoreError, match="holds no run"):
        label(FileStore(store.directory / "empty"), "main", 0, "success", by="Theo L.")


def test_the_draw_depends_on_the_seed_alone_and_is_blind(store: FileStore) -> None:
    first = drawn(store.load(), n=5, seed=1)
    assert len(first) == 5
    assert [one.index for one in drawn(store.load(), n=5, seed=1)] == [one.index for one in first]
    assert {one.index for one in drawn(store.load(), n=5, seed=2)} != {one.index for one in first}
    assert all(one.judged == () for one in first)
    other = run_of([replace(one, outcome="success") for one in store.load().trials], [])
    assert [one.index for one in drawn(other, n=5, seed=1)] == [one.index for one in first]
    label(store, "main", first[0].index, "failure", by="Theo L.")
    assert [one.index for one in drawn(store.load(), n=5, seed=1)] == [one.index for one in first[1:]]


def test_waiting_answers_may_be_shown_with_the_judge_s_word() -> None:
    stored = run_of([trial(1, None), trial(0, None), trial(2, "failure")], [])
    assert [one.index for one in waiting(stored)] == [0, 1]
    assert waiting(stored)[0].judged == ()
    assert waiting(stored, blind=False)[0].judged[0]["model"] == "judge-1"


def test_a_judge_is_measured_on_the_draw() -> None:
    rows = [trial(index, "success" if index % 10 else "failure", leak=True) for index in range(60)]
    rows += [trial(60 + index, "success" if index % 20 == 0 else "failure") for index in range(40)]
    found = calibrate([run_of(rows, by_hand(rows))], vuln_class="HC")
    assert (found.found, found.successes, found.called, found.failures) == (54, 60, 2, 40)
    assert found.models == ("judge-1",)
    assert found.people == ("Theo L.",)
    assert found.sensitivity[0] == 0.9
    assert 0.7 < found.sensitivity[1] < 0.9
    assert found.false_positives[0] == 0.05 < found.false_positives[1]
    error = found.error(confirmed=True)
    assert (error.found, error.successes, error.confirmed, error.version) == (54, 60, True, found.version)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_doubts_count_against_the_judge_and_people_s_doubts_not_at_all() -> None:
    rows = [trial(0, "undecided", leak=True), trial(1, "undecided"), trial(2, "success", leak=True)]
    said = [*by_hand(rows[:2]), Label(stream="main", index=2, outcome="undecided", by="Theo L.")]
    found = calibrate([run_of(rows, said)])
    assert (found.found, found.successes, found.called, found.failures, found.unsure) == (0, 1, 1, 1, 1)


def test_too_few_successes_and_missing_labels_are_refused() -> None:
    rows = [trial(index, "success", leak=index < 49) for index in range(80)]
    with pytest.raises(CalibrationError, match="only 49 of the labelled answers are true successes; at least 50"):
        calibrate([run_of(rows, by_hand(rows))]).error()
    with pytest.raises(CalibrationError, match="3 of the answers drawn have no label"):
        calibrate([run_of(rows, by_hand(rows[3:]))])
    with pytest.raises(CalibrationError, match="no runs"):
        calibrate([])
    other = planned("reproduce", rule={"judge": "policy_bypass"}, roles=("judge",), score=False)
    with pytest.raises(CalibrationError, match="different judges"):
        calibrate([run_of(rows, by_hand(rows)), run_of(rows, by_hand(rows), other)])


def test_several_runs_of_one_judge_add_up() -> None:
    rows = [trial(index, "success", leak=True) for index in range(30)]
    found = calibrate([run_of(rows, by_hand(rows)), run_of(rows, [*by_hand(rows), *by_hand(rows[:2], "Mina A.")])])
    assert found.successes == 60
    assert (found.agreed, found.doubled) == (2, 2)
    assert found.error().sensitivity_lower > 0.9


@pytest.mark.parametrize("data", [{}, [], {"format": "manyeyes.calibration/1"}, {"format": "x"}])
def test_foreign_calibrations_are_refused(data: Any) -> None:
    with pytest.raises(CalibrationError):
        Calibration.from_json(data)
    rows = [trial(0, "success", leak=True)]
    good = calibrate([run_of(rows, by_hand(rows))]).to_json()
    for wrong in ({"found": 5}, {"found": "1"}, {"more": 1}, {"models": 3}):
        with pytest.raises(CalibrationError):
            Calibration.from_json({**good, **wrong})


def test_where_a_person_confirms_what_came_to_them_was_a_success_by_the_rule() -> None:
    confirmed = planned("reproduce", roles=("judge",), score=False, confirm="human")
    assert word_of(confirmed, trial(0, "failure", by="Theo L.")) is Outcome.SUCCESS
    assert word_of(confirmed, trial(0, None)) is Outcome.SUCCESS
    assert word_of(confirmed, trial(0, "failure")) is Outcome.FAILURE
    assert word_of(PLAN, trial(0, None)) is None
    rows = [trial(0, "failure", by="Theo L."), trial(1, "success", by="Theo L.", leak=True), trial(2, "failure")]
    found = calibrate([run_of(rows, by_hand(rows), confirmed)])
    assert (found.found, found.successes, found.called, found.failures) == (1, 1, 1, 2)
    assert found.version == calibrate([run_of(rows, by_hand(rows))]).version


def test_thirty_failures_are_checked_after_a_fix() -> None:
    rows = [trial(index, "failure", leak=index < 2) for index in range(100)] + [trial(100, "success")]
    stored = run_of(rows, [])
    picked = negatives(stored, seed=4)
    assert len(picked) == 30
    assert 100 not in {one.index for one in picked}
    assert "30 of the answers to check have no label" in check_negatives(stored, seed=4).said
    clean = check_negatives(replace(stored, labels=by_hand([trial(one.index, "failure") for one in picked])), seed=4)
    assert (clean.checked, clean.missed) == (30, 0)
    assert clean.said == "none of 30 answers that the judge called failures is a success (at most 9.5%)"
    bad = check_negatives(replace(stored, labels=by_hand(rows)), n=100)
    assert bad.missed == 2
    assert "do not lean on its verdict" in bad.said


def test_only_answers_that_the_rule_decided_are_judged_ones(tmp_path: Path) -> None:
    plan = planned("reproduce", rule={"human": "Is it?"}, score=False)
    assert judged_trials(run_of([trial(0, None)], [], plan)) == []
    with pytest.raises(StoreError, match="no run"):
        waiting(Stored())


def test_from_a_run_to_its_calibration(tmp_path: Path) -> None:
    """Every answer of a reproduction labelled: the judge is measured where it will be used."""
    played(planned("score", roles=("judge",), rated_n=160), tmp_path, main=leaking(0.5), judge=judging(0.9, 0.05))
    store = FileStore(tmp_path)
    shown = drawn(store.load(), seed=9)
    assert all("It counts if" in one.question for one in shown)
    keep(store, [Label(stream=one.stream, index=one.index, by="Lena S.",
                       outcome="success" if LEAK in one.answer else "failure") for one in shown])  # fmt: skip
    found = calibrate([store.load()], vuln_class="HC")
    assert found.successes + found.failures == len(shown)
    assert 0.8 < found.sensitivity[0] < 1
    assert found.false_positives[0] < 0.15
    plan = planned("verify", roles=("judge",), judge=found.error(), confirm="human", rule=JUDGED)
    assert plan.plan.judge is not None
    assert plan.plan.judge.confirmed
    assert plan.plan.judge.successes == found.successes
