"""What is wrong with one of many findings is said of its file, by its path in the folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from manyeyes.cli import main
from tests.commands.runs_on_record import REPRODUCER

SINGLE = REPRODUCER.replace("[0, 0.7, 1.0]", "[0.7, 1.0]")
CANARY = 'success: {canary: "BLUE-HERON-42"}'
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ODD: dict[str, tuple[Callable[[], str], str]] = {
    "a field": (lambda: SINGLE.replace("title:", "titel:"), "shop/odd.poc.yaml line"),
    "a judge": (lambda: SINGLE.replace(CANARY, "success: {judge: policy_bypass}"), "shop/odd.poc.yaml: --judge:"),
    "a second one": (
        lambda: SINGLE.replace(CANARY, "success: {confirm: {rule: {contains: a}, by: {judge: policy_bypass}}}"),
        "shop/odd.poc.yaml: --judge:",
    ),
    "a detector": (
        lambda: SINGLE.replace(CANARY, "success: {plugin: {name: nothere, argument: 1}}"),
        "shop/odd.poc.yaml: success: unknown plugin 'nothere'",
    ),
    "seeds": (lambda: f"{SINGLE}seeds: fixed\nseed: 3\n", "shop/odd.poc.yaml: seeds: its seed policy is not"),
    "effects": (
        lambda: SINGLE.replace("effects: none", "effects: irreversible"), "shop/odd.poc.yaml: effects: this cannot",
    ),
    "a person": (lambda: (EXAMPLES / "human-procedure.poc.yaml").read_text(), "shop/odd.poc.yaml: turns: 'human'"),
    "an image": (lambda: (EXAMPLES / "image.poc.yaml").read_text(), "shop/odd.poc.yaml needs it; put it into "),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_the_file_is_named(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = ODD[what]
    (tmp_path / "all" / "shop").mkdir(parents=True)
    (tmp_path / "all" / "fine.poc.yaml").write_text(SINGLE)
    (tmp_path / "all" / "shop" / "odd.poc.yaml").write_text(text())
    words = ["sweep", str(tmp_path / "all"), "--target", "http://127.0.0.1:9/v1", "--out", str(tmp_path / "run")]
    assert main([*words, "--seed", "1", "--json"]) == 2
    out, _ = capsys.readouterr()
    assert said in json.loads(out)["error"]["message"]


def test_a_forecast_of_the_sweep_names_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.poc.yaml").write_text(SINGLE)
    (tmp_path / "b.poc.yaml").write_text(f"{SINGLE}seeds: fixed\nseed: 3\n")
    assert main(["plan", str(tmp_path), "--question", "sweep", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["message"].startswith("b.poc.yaml: seeds:")
