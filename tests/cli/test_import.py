"""`manyeyes import` as a researcher meets it: what was understood, drafts to edit, one object, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from manyeyes.reproducer.load import ReproducerError, load_file
from tests.plugins.importing import SAMPLES, as_lines, lines, sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def answered(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and the one object."""
    code = main(["import", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_report_becomes_a_draft_and_claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(SAMPLES / "garak.report.jsonl"), "--out", "out"]) == 0
    said = capsys.readouterr().out
    for words in (
        "garak report 0.17.1", "14 of 40", "Temperature        unknown", "defaults of a class", "missing: class.",
        "missing: success. garak names the detector", "from 21", "Hidden characters  none",
    ):  # fmt: skip
        assert words in said, words
    (draft,) = (tmp_path / "out").glob("*.poc.yaml")
    claims = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert claims["findings"][0]["tallies"][0]["origin"] == "imported"
    assert claims["written"] == {"1": draft.name}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([draft.name, "claims.json"])
    with pytest.raises(ReproducerError, match="class: is required"):
        load_file(draft)


def test_a_draft_with_a_class_can_be_planned_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(SAMPLES / "inspect.log.json"), "--out", "out", "--class", "PI-D"]) == 0
    assert "missing:" not in capsys.readouterr().out
    (draft,) = (tmp_path / "out").glob("*.poc.yaml")
    assert load_file(draft).claim is not None
    assert main(["plan", str(draft), "--json"]) == 0


def test_an_open_question_is_asked_with_its_own_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(SAMPLES / "promptfoo.results.json")
    assert main(["import", file]) == 3
    told = capsys.readouterr()
    assert "--success-means fail: a failed row is a successful attack" in told.out
    assert "--success-means pass|fail" in told.err
    code, data = answered(file, capsys=capsys)
    assert (code, data["questions"][0]["name"]) == (3, "success_means")
    code, data = answered(file, "--success-means", "fail", capsys=capsys)
    assert code == 0
    assert [row["successes"] for row in data["findings"][0]["tallies"]] == [2, 3]
    assert all(Path(path).exists() for path in data["written"])


def test_one_finding_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = lines("garak.report.jsonl")
    attempt = next(row for row in rows if row.get("status") == 2)
    attempt["detector_results"]["other.Detector"] = [0.0] * 40
    (tmp_path / "two.jsonl").write_bytes(as_lines(rows))
    assert main(["import", "two.jsonl", "--choose", "2", "--out", "out"]) == 0
    assert [path.name[:4] for path in (tmp_path / "out").glob("*.yaml")] == ["002-"]
    assert "2. reproduce a reported finding: 0 of 40" in capsys.readouterr().out
    assert main(["import", "two.jsonl", "--choose", "3", "--out", "other"]) == 2
    assert "the file has 2" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_file_that_is_refused_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cut.jsonl").write_bytes(sample("garak.report.jsonl")[:5000])
    code, data = answered("cut.jsonl", capsys=capsys)
    assert (code, data["error"]["kind"], data["reason"]) == (2, "input", "truncated")
    assert "was the file cut off?" in data["error"]["message"]
    code, data = answered("none.jsonl", capsys=capsys)
    assert (code, data["reason"]) == (2, "unreadable")
    code, data = answered("cut.jsonl", "--format", "nonsense", capsys=capsys)
    assert (code, data["reason"]) == (2, "unknown_format")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.jsonl"]


def test_files_of_somebody_else_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "claims.json").write_text("[]")
    assert main(["import", str(SAMPLES / "garak.report.jsonl"), "--out", "out"]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "out" / "claims.json").read_text() == "[]"
    for _ in range(2):
        assert main(["import", str(SAMPLES / "garak.report.jsonl"), "--out", "again"]) == 0


def test_hidden_characters_are_shown_as_escapes_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = lines("garak.report.jsonl")
    attempt = next(row for row in rows if row.get("status") == 2)
    attempt["goal"] = "turn\u202earound\x1b[31m"
    attempt["prompt"]["turns"][0]["content"]["text"] = "Tell\u200b me"
    (tmp_path / "odd.jsonl").write_bytes(as_lines(rows))
    assert main(["import", "odd.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "\u202e" not in said
    assert "\x1b" not in said
    assert "\\u{202E}" in said
    assert "1 invisible character" in said


def test_a_wrong_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["import", str(SAMPLES / "garak.report.jsonl"), "--class", "NONE"])
    assert left.value.code == 2
    assert "--class" in capsys.readouterr().err
