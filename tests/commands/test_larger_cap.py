"""`--resume` from end to end: the same plan under a larger cap, its trials fed first, and a no to anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from manyeyes.commands import by_hand
from manyeyes.engine.plan import Outcome
from tests.cli.test_commands import Model, model
from tests.commands.runs_on_record import REPRODUCER

TEXT = REPRODUCER.replace("[0, 0.7, 1.0]", "[0.7, 1.0]").replace('{contains: "nine"}', '{contains: "("}')


@pytest.fixture(scope="module")
def mended() -> Iterator[Model]:
    with model(0.0) as made:
        yield made


@pytest.fixture
def asking(tmp_path: Path, mended: Model) -> list[str]:
    place = tmp_path / "finding.poc.yaml"
    place.write_text(TEXT)
    words = ["replay", str(place), "--target", mended.url, "--out", str(tmp_path / "run"), "--seed", "5", "--json"]
    return [*words, "--no-control", "--no-score", "--p0", ".005", "--p-min", ".05"]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words])
    return code, json.loads(capsys.readouterr().out)


def test_a_run_that_ended_at_its_cap_goes_on_to_its_answer(
    asking: list[str], mended: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = mended.count
    code, first = told(capsys, *asking, "--cap", "20")
    assert (code, first["verdict"], first["n"]) == (3, "inconclusive", 20)
    code, cut = told(capsys, *asking, "--cap", "400", "--resume", "--max-calls", "40")
    assert (code, cut["error"]["kind"]) == (4, "budget")
    code, second = told(capsys, *asking, "--cap", "400", "--resume")
    assert (code, second["verdict"], second["k"]) == (1, "not_reproduced", 0)
    assert second["n"] > 20
    assert second["calls"] == mended.count - before
    whole = [word.replace(str(tmp_path / "run"), str(tmp_path / "whole")) for word in asking]
    _, other = told(capsys, *whole, "--cap", "400")
    assert [other[key] for key in ("verdict", "n", "k")] == [second[key] for key in ("verdict", "n", "k")]
    code, again = told(capsys, *asking, "--cap", "800", "--resume")
    assert (code, again["verdict"]) == (2, None)
    assert "ended with an answer (not_reproduced)" in again["error"]["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resume"], "say how far to go on with --cap N"),
        (["--resume", "--cap", "20"], "give more than that, not 20"),
        (["--resume", "--cap", "40", "--min-successes", "2"], "holds another plan"),
        (["--resume", "--cap", "40", "--seed", "6"], "holds another plan"),
        (["--cap", "40"], "holds another plan"),
        (["--resume", "--cap", "40", "--out", "nowhere"], "holds no run"),
    ],
)
def test_nothing_but_the_cap_may_change(
    words: list[str], said: str, asking: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asking, "--cap", "20"]) == 3
    kept = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    capsys.readouterr()
    code, data = told(capsys, *asking, *words)
    assert code == 2
    assert said in data["error"]["message"]
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert not Path("nowhere").exists()


def test_a_run_that_has_not_ended_is_no_case_for_a_larger_cap(
    asking: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asking, "--cap", "20", "--max-calls", "8"]) == 4
    capsys.readouterr()
    code, data = told(capsys, *asking, "--cap", "40", "--resume")
    assert code == 2
    assert "has not ended yet" in data["error"]["message"]


def test_trials_by_hand_go_on_too(
    asking: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for word in asking if not word.startswith("http") and word != "--target"] + ["--manual"]
    asked: list[int] = []

    def failure() -> tuple[Outcome, str]:
        asked.append(1)
        return Outcome.FAILURE, ""

    monkeypatch.setattr(by_hand, "ask", failure)
    _, first = told(capsys, *words, "--cap", "5")
    assert (first["verdict"], first["n"], len(asked)) == ("inconclusive", 5, 5)
    _, second = told(capsys, *words, "--cap", "9", "--resume")
    assert (second["verdict"], second["n"], len(asked)) == ("inconclusive", 9, 9)


@pytest.mark.parametrize("edition", [None, 2])
def test_a_run_begun_under_an_earlier_edition_goes_on_by_its_rules(
    edition: int | None,
    asking: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("manyeyes.engine.make.EDITION", edition)
        code, cut = told(capsys, *asking, "--cap", "40", "--max-calls", "20")
        assert (code, cut["error"]["kind"]) == (4, "budget")
    begun = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert begun["plan"].get("edition") == edition
    code, first = told(capsys, *asking, "--cap", "40")
    assert (code, first["verdict"], first["n"]) == (3, "inconclusive", 40)
    assert json.loads((tmp_path / "run" / "plan.json").read_text()) == begun
    code, second = told(capsys, *asking, "--cap", "400", "--resume")
    assert (code, second["verdict"]) == (1, "not_reproduced")
    code, other = told(capsys, *asking, "--cap", "41")
    assert code == 2
    assert "holds another plan" in other["error"]["message"]
