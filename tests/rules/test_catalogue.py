"""Public catalogues: shipped files are whole, suggested codes stand in them, a wrong file says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from manyeyes.rules.catalogue import MOST_FOUND, find, newest, read_text, search, shipped
from manyeyes.rules.errors import Invalid
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.permits import HAZARDS
from manyeyes.rules.rubric import read
from manyeyes.rules.taxonomy import KINDS, starting_letters, suggested

GOOD: dict[str, Any] = {
    "manyeyes": "taxonomy/1", "catalogue": "own", "name": "Larkfield list", "edition": "3", "licence": "ours",
    "source": "larkfield.example", "entries": [{"code": "L-1", "name": "First"}],
}  # fmt: skip


def test_what_is_shipped() -> None:
    held = {(row.catalogue, row.edition): len(row.entries) for row in shipped()}
    assert held == {
        ("ailuminate", "1.0"): 14, ("atlas", "2026.09"): 208, ("avid", "0.2"): 48, ("cwe", "4.20"): 23,
        ("nist", "E2025"): 18, ("owasp-agentic", "2026"): 10, ("owasp-llm", "2025"): 10, ("owasp-llm", "2026"): 10,
    }  # fmt: skip
    assert all(row.licence and row.source for row in shipped())
    atlas = next(row for row in shipped() if row.catalogue == "atlas")
    assert sum(entry.code.count(".") == 1 for entry in atlas.entries) == 120, "as ATLAS says of its release"
    for code in ("CWE-1039:4.20", "CWE-1426:4.20", "CWE-1427:4.20", "CWE-1434:4.20"):
        assert find(code, shipped()) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_suggested_code_stands_in_a_shipped_edition(kind: str) -> None:
    codes = suggested(kind)
    assert codes
    assert [code for code in codes if find(code, newest(shipped())) is None] == []


@pytest.mark.parametrize("hazard", HAZARDS)
def test_every_hazard_has_its_code(hazard: str) -> None:
    codes = set(suggested("JB", hazard)) - set(suggested("JB"))
    assert codes
    assert all(find(code, shipped()) is not None for code in codes)


def test_a_code_means_what_its_edition_says() -> None:
    now, before = find("LLM03:2026", shipped()), find("LLM03:2025", shipped())
    assert now is not None
    assert before is not None
    assert (now.name, before.name) == ("Excessive Agency", "Supply Chain")
    assert (now.catalogue, before.catalogue) == ("OWASP LLM Top 10 2026", "OWASP LLM Top 10 2025")
    for nothing in ("LLM03", "LLM03:1999", "LLM99:2026"):
        assert find(nothing, shipped()) is None


def test_search_looks_at_numbers_and_names() -> None:
    assert search("  ", shipped()) == []
    assert search("membership", newest(shipped()))[0].code == "AML.T0024.000:2026.09"
    assert search("aml.t0051", shipped())[0].code == "AML.T0051:2026.09"
    assert {row.code for row in search("excessive AGENCY", shipped())} == {"LLM03:2026", "LLM06:2025"}
    assert {row.code for row in search("excessive agency", newest(shipped()))} == {"LLM03:2026"}
    assert search("no such thing", shipped()) == []
    assert len(search("a", shipped())) == MOST_FOUND


def test_a_file_of_ones_own_is_read() -> None:
    row = read_text(json.dumps(GOOD))
    assert (row.words, row.complete) == ("Larkfield list 3", False)
    assert search("first", [row])[0].code == "L-1:3"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manyeyes": "taxonomy/2"}, "manyeyes: input should be 'taxonomy/1'"),
        ({"edition": "3:4"}, "edition: string should match pattern"),
        ({"entries": []}, "entries: tuple should have at least 1 item"),
        ({"entries": [{"code": "A B", "name": "x"}]}, "entries.0.code: string should match"),
        ({"entries": GOOD["entries"] * 2}, "Given twice: L-1."),
        ({"extra": 1}, "extra: extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_text(json.dumps({**GOOD, **change}))
    assert words in refusal.value.fields["taxonomy"]


@pytest.mark.parametrize(("text", "words"), [("{", "no JSON"), ("[]", "the file: "), (" " * 4_000_001, "longer than")])
def test_a_text_that_is_no_catalogue_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_text(text)
    assert words in refusal.value.fields["taxonomy"]


def test_starting_letters_keep_to_the_rubric() -> None:
    assert starting_letters("PO")["PE"] == "Y"
    assert "DX" not in starting_letters("MI"), "what membership reveals is for a person to say"
    data = STANDARD.as_data()
    data["metrics"] = [row for row in data["metrics"] if row["code"] != "PE"]
    own = read({**data, "version": "MES:1.0+larkfield.1"})
    assert set(starting_letters("PO", own)) == set(own.by_code)
