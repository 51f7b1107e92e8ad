"""The command under "Get it again": typed again, it makes the very same plan."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from manyeyes.commands import handouts, running
from manyeyes.runs.document import PlanDocument
from tests.cli.test_commands import EXAMPLE

AT = ("--target", "http://127.0.0.1:9", "--model", "wicket 2", "--target-option", "stream=yes", "--target-option",
      'extra={"top_k": 3}', "--concurrency", "2", "--label", "Wicket's")  # fmt: skip
ASKED = {
    "replay": ("--alpha", ".02", "--beta", ".1", "--p0", ".03", "--p-min", ".2", "--min-successes", "2", "--cap", "90",
               "--no-control", "--rated-trials", "12", "--setting-trials", "3", "--all-settings", "--price-in", "2",
               "--retry-budget", "7"),
    "verify": ("--tau", ".04", "--families", "encoding,persona", "--per-family", "2", "--before", "28/30",
               "--benign-need", "3", "--positive-model", "wicket 1", "--positive-need", "2"),
    "map": ("--certificate", "rigorous", "--epsilon", ".2", "--delta", ".1", "--budget", "9", "--all-wordings",
            "--fresh", "11"),
    "compare": ("--unpaired", "--least", ".05", "--old", "wicket 1", "--cap", "70"),
    "sweep": ("--allowed", ".02", "--fdr", ".1", "--p-reg", ".3", "--miss", ".2", "--cap", "60"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_the_command_makes_the_same_plan(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, str]] = []

    def prepares(args: argparse.Namespace, prepared: Callable[[], PlanDocument], *_: Any, **__: Any) -> int:
        found.append((prepared().hash, handouts.typed_again(args)))
        return 0

    monkeypatch.setattr(running, "carry_out", prepares)
    monkeypatch.setenv("WICKET_KEY", "BLUE-HERON-42")
    (tmp_path / "our findings").mkdir()
    file = tmp_path / "our findings" / "one.poc.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    read = file.parent if name == "sweep" else file
    monkeypatch.chdir(read.parent)
    typed = [name, str(read), *AT, *ASKED[name], "--seed", "5", "--json", "--out", "run", "--key-env", "WICKET_KEY"]
    assert main(typed) == 0
    first, again = found[0]
    assert "WICKET" not in again
    assert str(tmp_path) not in again
    assert os.sep + "run" not in again
    assert main(shlex.split(again)[1:]) == 0
    assert found[1] == (first, again)
    versions = {"compare": ["--old", "wicket 1"], "verify": ["--positive-model", "wicket 1"]}.get(name, [])
    assert main([name, read.name, *AT[:4], *versions, "--seed", "5"]) == 0
    assert found[2][0] != first
