"""What people said of answers measures any judge that looks at them later."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.commands.calibrating import errs_words, keep_calibration
from manyeyes.runs.calibration import CalibrationError, calibrate, calibrate_again
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.judges import judge_version
from manyeyes.runs.labels import Label
from manyeyes.runs.rejudge import Rejudged, rejudge
from manyeyes.runs.store import Stored, TrialRecord
from tests.runs.judged import JUDGED, LEAK, judging, planned
from tests.runs.test_labels import PLAN as OF_A_JUDGE
from tests.runs.test_labels import by_hand
from tests.runs.test_labels import trial as judged_trial

INFO = {"judge": TargetInfo(kind="scripted", model="judge")}
PLAN = planned("reproduce", rule={"human": "Does it give the code away?"}, score=False, use_control=False)


def asked(n: int, *, labelled: int | None = None, empty: int = 0) -> Stored:
    """A run that a person decided: every third answer leaks, and the first ones of `empty` further ones say nothing."""
    cell = PLAN.plan.cells[0].key
    rows, labels = [], []
    for index in range(n):
        said = f"{LEAK if index % 3 == 0 else 'I like herons'} ({index})"
        word = "success" if index % 3 == 0 else "failure"
        who = "Theo L." if labelled is None or index < labelled else None
        rows.append(
            TrialRecord(
                stream="main", index=index, cell=cell, seed=index, outcome=word if who else None, answer=said, by=who
            )
        )
        if who:
            labels.append(Label(stream="main", index=index, outcome=word, by=who))
    rows += [
        TrialRecord(stream="main", index=n + more, cell=cell, seed=0, outcome="failure", answer="")
        for more in range(empty)
    ]
    return Stored(document=PLAN, trials=rows, labels=labels)


def again(run: Stored, judge: Any, **more: Any) -> Rejudged:
    return asyncio.run(rejudge(run, JUDGED, targets={"judge": judge}, **more))


def test_labels_of_a_run_that_waited_for_people_measure_a_judge() -> None:
    run = asked(180)
    found = calibrate_again(run, again(run, judging(1, 0)), INFO, vuln_class="HC")
    assert (found.found, found.successes, found.called, found.failures) == (60, 60, 0, 120)
    assert found.people == ("Theo L.",)
    assert found.models == ("judge-1",)
    assert found.version == judge_version(JUDGED, INFO)
    assert found.error().successes == 60


def test_a_judge_that_errs_is_counted_as_often_as_it_errs() -> None:
    run = asked(180)
    second = again(run, judging(0.8, 0.1))
    found = calibrate_again(run, second, INFO)
    missed = sum(one.old == "success" and one.new != "success" for one in second.rows)
    called = sum(one.old == "failure" and one.new == "success" for one in second.rows)
    assert missed > 0
    assert called > 0
    assert (found.found, found.called) == (60 - missed, called)


def test_an_answer_that_nobody_was_asked_about_is_left_out() -> None:
    run = asked(9, empty=4)
    found = calibrate_again(run, again(run, judging(1, 0)), INFO)
    assert found.successes + found.failures == 9


def test_an_answer_without_a_label_is_not_left_out() -> None:
    run = asked(9, labelled=6)
    with pytest.raises(CalibrationError, match="3 of the answers drawn have no label yet"):
        calibrate_again(run, again(run, judging(1, 0)), INFO)


def test_a_judge_that_did_not_see_all_is_not_measured() -> None:
    run = asked(9)
    with pytest.raises(CalibrationError, match="5 of the answers were not judged"):
        calibrate_again(run, again(run, judging(1, 0), max_calls=4, concurrency=1), INFO)


def test_labels_drawn_for_one_judge_measure_another_one() -> None:
    rows = [judged_trial(index, "failure", leak=index % 2 == 0) for index in range(40)]
    drawn = calibrate([Stored(document=OF_A_JUDGE, trials=rows, labels=by_hand(rows))], n=20, seed=4)
    assert drawn.found == 0
    run = Stored(document=OF_A_JUDGE, trials=rows, labels=by_hand(rows))
    found = calibrate_again(run, again(run, judging(1, 0), fresh=True), INFO, n=20, seed=4)
    assert (found.successes, found.failures) == (drawn.successes, drawn.failures)
    assert found.found == found.successes
    few = replace(run, labels=by_hand(rows[:30]))
    with pytest.raises(CalibrationError, match="have no label yet"):
        calibrate_again(few, again(few, judging(1, 0), fresh=True), INFO)


def test_it_is_kept_beside_the_run_and_told(tmp_path: Path) -> None:
    run = asked(180)
    kept = keep_calibration(calibrate_again(run, again(run, judging(1, 0)), INFO), tmp_path)
    assert json.loads((tmp_path / "calibration.json").read_text())["found"] == 60
    assert errs_words(kept).startswith("The judge found 60 of 60 true successes (at least 9")


def test_a_rule_that_asks_no_model_has_nobody_to_measure() -> None:
    run = asked(9)
    found = asyncio.run(rejudge(run, {"contains": "blue"}))
    with pytest.raises(CalibrationError, match="asks no model"):
        calibrate_again(run, found, INFO)
