"""A title that moves cursors and turns text around: no command lets it act on a terminal, a page or a build server."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from manyeyes.charts.inert import terminal
from manyeyes.cli import main
from manyeyes.commands.gate_files import junit, sarif
from manyeyes.commands.report import report
from tests.cli.test_commands import EXAMPLE
from tests.commands.runs_on_record import finished

ESC, BELL, TURNED = "\x1b]0;owned", "\x07", "\u202e"
TITLE = f"Plain {ESC}{BELL} words {TURNED}sdrow"


def harmless(text: str) -> bool:
    return not {"\x1b", "\x07", "\u202e"} & set(text)


def hostile_file(tmp_path: Path) -> str:
    file = tmp_path / "hostile.poc.yaml"
    data = yaml.safe_load(EXAMPLE)
    file.write_text(yaml.safe_dump({**data, "title": TITLE}), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("question", ["reproduce", "verify", "map", "compare"])
def test_plan_shows_a_title_that_cannot_act(question: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", hostile_file(tmp_path), "--question", question, "--seed", "1"]) == 0
    out, err = capsys.readouterr()
    assert "Plain \ufffd]0;owned\ufffd words \ufffdsdrow" in out
    assert harmless(out + err)


def test_an_error_shows_it_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.poc.yaml"
    file.write_text(yaml.safe_dump({"manyeyes": "reproducer/1", f"a{ESC}{TURNED}": 1}), encoding="utf-8")
    assert main(["plan", str(file)]) == 2
    out, err = capsys.readouterr()
    assert err
    assert harmless(out + err)


def test_no_raw_direction_control_is_in_the_page(tmp_path: Path) -> None:
    held = finished(tmp_path, "reproduce", 0.5)
    page = report(replace(held, document=replace(held.document, title=TITLE)))
    assert harmless(page)
    named = re.search("<title>(.*?)</title>", page, re.DOTALL)
    assert named
    assert "Plain \ufffd]0;owned" in named[1]


def test_a_build_server_is_given_harmless_names() -> None:
    row = {"key": "one", "title": TITLE, "verdict": "regressed", "n": 9, "k": 9, "low": 0.7, "high": 1.0}
    row |= {"evalue": 200.0, "tau": 0.01}
    result = {"items": [row], "seconds": 1.0, "plan_hash": "ab", "verdict": "regressed", "calls": 9, "reason": "x"}
    assert harmless(junit(result, ended="2026-11-23T16:00:00"))
    assert "\\u202e" not in sarif(result, {"one": "one.poc.yaml"})
    assert "\\u001b" not in sarif(result, {"one": "one.poc.yaml"})


def test_our_own_percent_sign_keeps_its_thin_space() -> None:
    assert terminal("21\u202f%\n\tof x\u202fy") == "21\u202f%\n\tof x\ufffdy"
