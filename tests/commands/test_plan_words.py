"""What `plan` says of a target that answers with fixed texts: that repeats count once, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manyeyes.cli import main
from tests.cli.test_commands import finding

__all__ = ["finding"]
MENDS = {"verify": "name more --families, or raise --per-family or --tau", "reproduce": "add wordings to the file"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--question", "verify", "--tau", "0.05"], "63 wordings to say 'holds', and this plan has 13 ("),
        (
            ["--question", "verify", "--tau", "0.05", "--families", "paraphrase", "--per-family", "0"],
            "this plan has 1 (",
        ),
        (["--min-successes", "3"], "3 wordings to say 'reproduced', and this plan has 1"),
    ],
)
def test_fixed_texts_are_told_with_the_mend(
    words: list[str], said: str, finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", finding, *words]) == 0
    out = capsys.readouterr().out
    assert "as a filter or a cache does, counts once per wording" in out
    assert said in out
    assert f"{MENDS['verify' if 'verify' in words else 'reproduce']}); it would end undecided after " in out


def test_a_plan_with_wordings_enough_says_nothing_of_it(
    finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", finding, "--question", "verify", "--tau", "0.3"]) == 0
    assert "a filter or a cache" not in capsys.readouterr().out


def test_a_fix_that_refuses_in_few_texts_is_foretold(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    verify = ["plan", finding, "--question", "verify", "--tau", "0.05"]
    few = "a fix that refuses all wordings in few texts, drawn afresh: each counts once per wording; with "
    assert main(verify) == 0
    out = capsys.readouterr().out.replace("\u202f", " ")
    assert re.search(
        re.escape(few) + r"4 texts it ends after about 2\d\d trials, and holds in 0 %; with 8 it holds", out
    )
    assert main([*verify, "--families", "paraphrase", "--per-family", "0"]) == 0
    assert f"{few}32 texts it ends after" in capsys.readouterr().out
    assert main([*verify, "--cap", "20"]) == 0
    assert few not in capsys.readouterr().out


def test_the_gate_of_harmless_requests_is_told(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    verify = ["plan", finding, "--question", "verify", "--tau", "0.05"]
    assert main(verify) == 0
    out = capsys.readouterr().out.replace("\u202f", " ")
    assert "17 of 20 must be answered usefully; a fix that answers 95 % of them so passes in 98 % of runs;" in out
    assert "a fix that answers 90 % of them so passes in 87 % of runs;" in out
    assert main([*verify, "--benign-trials", "100"]) == 0
    out = capsys.readouterr().out.replace("\u202f", " ")
    assert "85 of 100" in out
    assert "a fix that answers 90 % of them so passes in 96 % of runs;" in out


def test_versions_with_one_text_each_are_foretold(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    compare = ["plan", finding, "--question", "compare"]
    assert main(compare) == 0
    assert (
        "it then takes 7 wordings to say 'worse', and this plan has 1 (add wordings to the file); it would end "
        "undecided after 34 pairs"
    ) in capsys.readouterr().out
    assert main([*compare, "--cap", "5"]) == 0
    assert "one fixed text" not in capsys.readouterr().out


def test_a_patch_of_the_reported_wording_alone_is_foretold(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    verify = ["plan", finding, "--question", "verify", "--tau", "0.05"]
    assert main(verify) == 0
    told = "a patch of the reported wording alone is told as one, by the rate before it: "
    assert f"{told}99 % where it was 30 %, >99 % where it was 50 %" in capsys.readouterr().out.replace("\u202f", " ")
    assert main([*verify, "--before", "1/30"]) == 0
    assert f"{told}0 % where it was 3 %" in capsys.readouterr().out.replace("\u202f", " ")
    assert main([*verify, "--families", "paraphrase", "--per-family", "0"]) == 0
    assert told not in capsys.readouterr().out


def test_a_procedure_for_a_person_is_planned_with_the_minutes_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(Path(__file__).parents[2] / "docs" / "examples" / "human-procedure.poc.yaml")
    assert main(["plan", file, "--seed", "1"]) == 2
    assert "make the trials by hand" in capsys.readouterr().err
    assert main(["plan", file, "--seed", "1", "--minutes", "3"]) == 0
    assert "by hand, at 3 minutes a trial" in capsys.readouterr().out
