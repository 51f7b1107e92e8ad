"""One of a thing is told as one: no "1 trials" and no "1 wordings" in anything that people read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from manyeyes.charts.inert import terminal
from manyeyes.cli import main
from manyeyes.commands.label import told as label_told
from manyeyes.commands.progress import line
from manyeyes.commands.rejudge import told as rejudge_told
from manyeyes.commands.report import report
from manyeyes.commands.telling import told
from manyeyes.engine import plan_verify
from manyeyes.rules.numerals import many
from manyeyes.rules.wider import compared, mapped, swept
from manyeyes.runs.bundle import evidence_in
from manyeyes.runs.rejudge import Again, Rejudged
from tests.commands.runs_on_record import REPRODUCER
from tests.commands.test_progress import standing
from tests.runs.judged import leaking, planned, played

ONE = re.compile(
    r"(?<![\d.,/])1 (?:[a-z]+ )?(?:trials|calls|answers|tries|wordings|settings|tokens|pairs|times|findings|labels"
    r"|minutes|parts|rows|files)\b|\b1 of 1 trials"
)


def single(said: str) -> str:
    assert not ONE.search(said), ONE.search(said)
    return said


def test_a_run_of_one_trial(tmp_path: Path) -> None:
    plan = planned("score", rule={"contains": "blue"}, rated_n=1, setting_n=1, benign_n=1, retry_budget=1)
    result = played(plan, tmp_path, main=leaking(1.0))
    assert "1 of 1 trial succeeded" in single(terminal(told(result)))
    assert "Decided after</dt><dd>1 trial</dd>" in single(report(evidence_in(tmp_path)))


@pytest.mark.parametrize("n", [1, 2])
def test_the_line_of_a_run(n: int) -> None:
    plan = plan_verify(tau=0.05)
    said = single(line(standing(plan, n, 0, calls=n), plan, n, 2.0))
    assert f"about {many(n, 'trial')} left" in said
    assert f"; {many(n, 'call')}, 8 under way" in said
    assert "at most 1 trial left" in single(line(standing(plan, plan.cap - 1, 0), plan, None, 0.0))


def test_sentences_of_wider_questions() -> None:
    pairs = {"n": 1, "new_k": 1, "old_k": 0, "difference": 1.0, "low": 0.1, "high": 1.0}
    assert "In 1 pair of trials the new one gave way 1 time, the old one 0 times" in single(
        " ".join(compared({"verdict": "inconclusive", "pairs": pairs}, "", {}))
    )
    found = {"verdict": "inconclusive", "n": 1, "leader": "hot", "not_excluded": ["hot", "cold"], "settings": []}
    assert "after 1 trial hot looks worst" in single(" ".join(mapped(found, "", {})))
    item = {"title": "A code is told", "key": "a", "verdict": "regressed"}
    assert "1 of 1 finding came back" in single(" ".join(swept({"verdict": "regressed", "items": [item]}, "", {})))
    clear = {"verdict": "clear", "items": [{**item, "verdict": "cleared"}], "n": 1}
    assert "in 1 trial." in single(" ".join(swept(clear, "", {})))


def test_labels_and_second_looks(tmp_path: Path) -> None:
    data: dict[str, Any] = {"labelled": 1, "waiting": 1, "calibration": None, "failures": None}
    said = single(label_told(data, tmp_path))
    assert said.startswith("1 answer labelled.\n1 answer still waits for a word")
    row = Again(stream="main", index=0, cell="a", old="success", new="failure")
    found = Rejudged(plan_hash="x", old_version="a", new_version="b", rule={"contains": "a"}, rows=(row,), calls=1)
    said = single(rejudge_told(found, "reproduced", tmp_path))
    assert "1 answer judged again, 1 call of the judge.\n0 became a success, 1 is none any more" in said


def test_a_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finding = tmp_path / "finding.poc.yaml"
    finding.write_text(REPRODUCER)
    words = ["--no-score", "--no-control", "--cap", "1", "--p0", ".2", "--p-min", ".5"]
    assert main(["plan", str(finding), "--seed", "1", *words]) == 0
    single(capsys.readouterr().out)
