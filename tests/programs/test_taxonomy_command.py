"""`manyeyes taxonomy`: what is at hand, searched, checked before it is read in, and read in once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cli import main
from manyeyes.programs import editions

GOOD: dict[str, Any] = {
    "manyeyes": "taxonomy/1", "catalogue": "larkfield", "name": "Larkfield list", "edition": "3", "licence": "ours",
    "source": "larkfield.example", "complete": True, "entries": [{"code": "L-1", "name": "Told a code\u202e"}],
}  # fmt: skip

pytestmark = pytest.mark.django_db


def written(place: Path, **changes: Any) -> str:
    file = place / "list.json"
    file.write_text(json.dumps({**GOOD, **changes}), encoding="utf-8")
    return str(file)


def test_an_edition_is_checked_read_in_listed_and_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path)
    assert main(["taxonomy", "check", file]) == 0
    assert capsys.readouterr().out == "Larkfield list 3: 1 codes, nothing wrong.\n"
    assert "larkfield" not in {row.catalogue for row in editions.every()}
    assert main(["taxonomy", "update", file]) == 0
    assert main(["taxonomy", "update", file]) == 0, "the same again changes nothing"
    capsys.readouterr()
    assert main(["taxonomy", "list"]) == 0
    listed = capsys.readouterr().out
    assert "Larkfield list 3: 1 codes. Licence: ours." in listed
    assert "MITRE ATLAS 2026.09: 208 codes. Licence: Apache-2.0" in listed
    assert main(["taxonomy", "search", "told", "a", "code"]) == 0
    assert capsys.readouterr().out == "L-1:3  Told a code\ufffd  (Larkfield list 3)\n"


def test_older_editions_are_searched_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["taxonomy", "search", "excessive agency", "--json"]) == 0
    assert [row["code"] for row in json.loads(capsys.readouterr().out)["found"]] == ["LLM03:2026"]
    assert main(["taxonomy", "search", "excessive agency", "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["found"]) == 2
    assert main(["taxonomy", "search", "zebra"]) == 0
    assert capsys.readouterr().out == "Nothing found.\n"
    assert main(["taxonomy", "list", "--json"]) == 0
    assert {"catalogue", "edition", "licence", "codes"} <= set(json.loads(capsys.readouterr().out)["catalogues"][0])


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = written(tmp_path, entries=[])
    for action in ("check", "update"):
        assert main(["taxonomy", action, wrong]) == 1
        assert "entries: " in capsys.readouterr().err
    assert main(["taxonomy", "check", wrong, "--json"]) == 1
    assert "entries: " in json.loads(capsys.readouterr().out)["error"]["message"]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for asked, words in (
        (["check"], "check wants one file"),
        (["search"], "search wants words"),
        (["update", str(tmp_path / "absent")], "No such file"),
        (["check", str(tmp_path / "bytes")], "not UTF-8"),
        (["check", str(tmp_path)], "directory"),
    ):
        assert main(["taxonomy", *asked]) == 2
        assert words in capsys.readouterr().err


def test_an_edition_never_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["taxonomy", "update", written(tmp_path)]) == 0
    assert main(["taxonomy", "update", written(tmp_path, name="Another")]) == 2
    assert "reads otherwise" in capsys.readouterr().err
    assert [row.name for row in editions.every() if row.catalogue == "larkfield"] == ["Larkfield list"]
