"""A run from the command line against a function, recorded, and played again without it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from tests.reproducer.examples import EXAMPLE

FUNCTION = """
def answer(request):
    leaks = request.seed * 2_654_435_761 % 2**32 < 0.5 * 2**32
    return f"It is BLUE-HERON-42. ({request.seed})" if leaks else f"I like herons. ({request.seed})"
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["replay", *arguments, "--json", "--seed", "7", "--no-score", "--no-control"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_a_recorded_run_plays_again_to_the_same_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "herons.py").write_text(FUNCTION)
    file, kept = tmp_path / "finding.poc.yaml", tmp_path / "run.jsonl"
    file.write_text(EXAMPLE)
    function = ["--target-option", "function=herons:answer", "--target-option", f"folder={tmp_path}"]
    code, first = told(
        capsys, str(file), "--target-kind", "python", *function, "--record", str(kept), "--out", str(tmp_path / "a")
    )
    assert (code, first["verdict"]) == (0, "reproduced")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(kept.read_text().splitlines()) == first["calls"]
    again, second = told(
        capsys, str(file), "--target-kind", "recording", "--target-option", f"file={kept}", "--out", str(tmp_path / "b")
    )
    assert (again, second["verdict"], second["n"], second["k"]) == (0, "reproduced", first["n"], first["k"])
    assert second["low"] == first["low"]


def test_a_recording_that_holds_another_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, kept = tmp_path / "finding.poc.yaml", tmp_path / "run.jsonl"
    file.write_text(EXAMPLE)
    kept.write_text("")
    code, found = told(
        capsys, str(file), "--target-kind", "recording", "--target-option", f"file={kept}", "--out", str(tmp_path / "b")
    )
    assert (code, found["verdict"], found["error"]["kind"]) == (2, None, "target_unreachable")
    assert "the recording holds no trial" in found["error"]["message"]
    kept.write_text("no recording\n")
    code, found = told(
        capsys, str(file), "--target-kind", "recording", "--target-option", f"file={kept}", "--out", str(tmp_path / "c")
    )
    assert (code, found["error"]["kind"]) == (2, "input")
    assert "line 1 is no exchange" in found["error"]["message"]
