"""`manyeyes policy`: exit codes, one JSON object, hostile files, and a rendered policy that lints clean again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from manyeyes.programs import policy
from manyeyes.rules.policy_markdown import read
from manyeyes.rules.policy_templates import SECTIONS, fill
from tests.people import make_cast

TEXTS = fill("no_bounty", organisation="Larkfield", first_response_hours=48, decision_days=10, embargo_days=90)
WHOLE = "\n\n".join(f"## {heading}\n\n{TEXTS[name]}" for name, heading in SECTIONS.items())


def written(place: Path, text: str | bytes) -> str:
    """A file with this text."""
    file = place / "policy.md"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(file)


def test_a_clean_policy_is_0_and_one_object(tmp_path: Path, capsys: Any) -> None:
    assert main(["policy", "lint", written(tmp_path, WHOLE), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["maturity"], told["findings"], told["unmatched"]) == ("ok", 5, [], [])
    assert told["measured"]["words"] <= 900


def test_a_policy_that_protects_nobody_is_1_and_says_what_to_write(tmp_path: Path, capsys: Any) -> None:
    text = "# Policy\n\nReport by mail to a@larkfield.example. Offenders will be prosecuted.\n\n## Weather\n\nMild.\n"
    assert main(["policy", "lint", written(tmp_path, text)]) == 1
    told = capsys.readouterr().out
    for words in ("Maturity 1 of 5", "Level 2 needs: what may be tested", "ERROR", "prosecuted", "“Weather”"):
        assert words in told, words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lint"], "either a FILE or --program"),
        (["lint", "absent.md"], "No such file"),
        (["lint", "."], "directory"),
        (["lint", "absent.md", "--draft"], "belong to --program"),
        (["lint", "absent.md", "--program", "wicket"], "either a FILE or --program"),
        (["render"], "--program SLUG"),
        (["render", "--program", "wicket", "--version", "1", "--draft"], "either --version or --draft"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_2(words: list[str], says: str, capsys: Any) -> None:
    assert main(["policy", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00bad", b"a" * 1_000_001])
def test_a_file_that_is_no_text_is_2(tmp_path: Path, raw: bytes, capsys: Any) -> None:
    assert main(["policy", "lint", written(tmp_path, raw), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "input"


def test_hostile_words_reach_no_terminal(tmp_path: Path, capsys: Any) -> None:
    assert main(["policy", "lint", written(tmp_path, "## \x1b[31mRed\u202e\n\nsole \x1b[2Jdiscretion")]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told


@pytest.mark.django_db
def test_a_rendered_policy_is_read_again_and_lints_clean(tmp_path: Path, capsys: Any) -> None:
    cast = make_cast()
    assert main(["policy", "render", "--program", "wicket"]) == 0
    text = capsys.readouterr().out
    assert cast.program.policy is not None
    again = {name: words for name, words in read(text).sections.items() if name != "scope"}
    assert again == dict(cast.program.policy.texts())
    assert main(["policy", "lint", written(tmp_path, text)]) == 0
    assert main(["policy", "lint", "--program", "wicket"]) == 0
    capsys.readouterr()
    assert main(["policy", "render", "--program", "wicket", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["promises"]["first_response_hours"] == 48
    policy.draft(cast.program, safe_harbor="<script>alert(1)</script> We will not sue you.")
    assert main(["policy", "render", "--program", "wicket", "--draft", "--format", "html"]) == 0
    page = capsys.readouterr().out
    assert "<h2>Safe harbor</h2>" in page
    assert "<script>" not in page
    assert main(["policy", "lint", "--program", "wicket", "--draft"]) == 1
    assert "We will not sue you" not in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.parametrize("words", [["--program", "nowhere"], ["--program", "wicket", "--version", "9"]])
def test_a_program_or_version_that_is_not_there_is_2(words: list[str], capsys: Any) -> None:
    make_cast()
    assert main(["policy", "render", *words]) == 2
    assert "There is no" in capsys.readouterr().err
