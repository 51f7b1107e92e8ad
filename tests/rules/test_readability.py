"""Reading ease against texts whose syllables a dictionary has counted, and the edges of the counting rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules import readability

CORPUS = Path(__file__).parent / "corpus"
COUNTS = json.loads((CORPUS / "counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", COUNTS)
def test_reading_ease_is_within_two_points_of_the_dictionary(name: str) -> None:
    known = COUNTS[name]
    length, weight = known["words"] / known["sentences"], known["syllables"] / known["words"]
    found = readability.measure((CORPUS / name).read_text(encoding="utf-8"))
    assert (found.words, found.sentences) == (known["words"], known["sentences"])
    assert found.flesch == pytest.approx(206.835 - 1.015 * length - 84.6 * weight, abs=2)
    assert found.grade == pytest.approx(0.39 * length + 11.8 * weight - 15.59, abs=0.3)


def test_the_corpus_is_whole() -> None:
    assert {path.name for path in CORPUS.glob("*.txt")} == set(COUNTS)


def test_an_empty_text_has_no_score() -> None:
    found = readability.measure(" \n\n- \n")
    assert (found.words, found.flesch, found.grade) == (0, None, None)


def test_lists_headings_and_links_are_read_as_said() -> None:
    text = "# Rules\n\n1. Stop at [the limit](https://larkfield.example/x).\n2. **Tell us** within 1.5 days"
    assert readability.sentences(text) == ["Rules", "Stop at the limit.", "Tell us within 1.5 days"]


@pytest.mark.parametrize(
    ("word", "count"),
    [("tables", 2), ("handled", 2), ("asked", 1), ("ended", 2), ("boxes", 2), ("AI", 2), ("don’t", 1), ("x", 1)],
)  # fmt: skip
def test_syllables_of_single_words(word: str, count: int) -> None:
    assert readability.syllables(word) == count


@given(st.text(max_size=400))
def test_any_text_can_be_measured(text: str) -> None:
    found = readability.measure(text)
    assert found.words >= found.sentences >= 0
    assert found.syllables >= found.words
