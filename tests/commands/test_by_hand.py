"""A plan worked through by a person in the terminal: what they see, what is kept, and going on after a stop."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from tests.commands.runs_on_record import REPRODUCER

PASTED = "t\nIt is BLUE-HERON-42.\nHave a nice day.\n.\n"


@pytest.fixture
def finding(tmp_path: Path) -> str:
    place = tmp_path / "finding.poc.yaml"
    place.write_text(REPRODUCER)
    return str(place)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, *words: str
) -> tuple[int, dict[str, Any], str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    return code, json.loads(out), err


def test_from_the_first_trial_to_a_verdict_over_two_sittings(
    finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    words = ["replay", finding, "--manual", "--no-score", "--no-control", "--min-successes", "3", "--out", str(run)]
    code, data, err = typed(monkeypatch, capsys, f"x\n{PASTED}s\nf\nq\n", *words, "--label", "Wicket 2.4")
    assert code == 130
    assert data["error"]["kind"] == "interrupted"
    assert "Nothing is lost" in err
    for said in ("Version: Wicket 2.4", "temperature 1, 1024 tokens", "[say]", "It counts as a success if", "minutes"):
        assert said in err
    assert "Type one of s, f, u, t or q, not 'x'" in err
    assert "1 invisible character" in err
    assert "\u200b" not in err
    assert not (run / "say.txt").exists()
    kept = [json.loads(line)["trial"] for line in (run / "trials.jsonl").read_text().splitlines() if "trial" in line]
    assert [(row["origin"], row["outcome"]) for row in kept] == [("manual", "success"), ("manual", "failure")]
    assert kept[0]["answer"] == "It is BLUE-HERON-42.\nHave a nice day."
    assert kept[0]["digest"]
    assert kept[1]["digest"] is None
    again = [*words, "--label", "Wicket 2.4", "--bundle", str(tmp_path / "b.zip"), "--html", str(tmp_path / "r.html")]
    code, data, err = typed(monkeypatch, capsys, "s\ns\n" + "f\n" * 20, *again)
    assert "2 trials made so far" in err
    assert (code, data["verdict"], data["origin"]) == (0, "reproduced", "manual")
    assert (data["n"], data["k"], data["calls"]) == (4, 3, 24)
    assert main(["verify-bundle", str(tmp_path / "b.zip")]) == 3
    assert "IDENTICAL: the record says 'reproduced'" in capsys.readouterr().out
    assert "Made by" in (tmp_path / "r.html").read_text()


def test_a_verdict_by_hand_says_so(
    finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("s\ns\n" + "f\n" * 30))
    words = ["replay", finding, "--manual", "--no-score", "--no-control", "--min-successes", "2"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    assert "All trials were made by hand." in capsys.readouterr().out


def test_a_fix_can_be_verified_by_hand_with_both_versions(
    finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", finding, "--manual", "--positive", "Wicket 2.3", "--label", "Wicket 2.4", "--tau", ".3"]
    code, data, err = typed(
        monkeypatch, capsys, "s\n" * 32 + "f\n" * 60, *words, "--seed", "4", "--out", str(tmp_path / "run")
    )
    assert (code, data["verdict"]) == (0, "holds")
    assert "Version: Wicket 2.3" in err
    assert "does the test still bite" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--key-env", "HOME"], "--key-env: means nothing with --manual"),
        (["--judge", "http://x"], "--judge: means nothing with --manual"),
    ],
)
def test_what_only_a_machine_has_a_use_for_is_refused(
    words: list[str], said: str, finding: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    code, data, _ = typed(monkeypatch, capsys, "", "replay", finding, "--manual", "--out", str(tmp_path), *words)
    assert code == 2
    assert said in data["error"]["message"]


def test_a_transcript_that_is_too_long_is_asked_for_again(
    finding: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    long = "t\n" + "a" * 200_001 + "\n.\nf\nq\n"
    words = ["replay", finding, "--manual", "--no-score", "--out", str(tmp_path / "run")]
    code, _, err = typed(monkeypatch, capsys, long, *words)
    assert code == 130
    assert "longer than 200,000 characters" in err
    assert "a" * 100 not in (tmp_path / "run" / "trials.jsonl").read_text()


def test_the_forecast_speaks_in_minutes(finding: str, monkeypatch: Any, capsys: Any) -> None:
    words = ["plan", finding, "--no-control", "--no-score", "--minutes", "2"]
    code, data, _ = typed(monkeypatch, capsys, "", *words)
    assert code == 0
    assert data["worst_minutes"] == 2 * data["worst_calls"]
    assert all(row["expected_minutes"] == 2 * row["expected_calls"] for row in data["points"])
    assert main(words) == 0
    assert "by hand, at 2 minutes a trial: " in capsys.readouterr().out
