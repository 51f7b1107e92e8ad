"""The short assessment of each discipline: what is asked, what the rating proposes, what is missing."""

from __future__ import annotations

import pytest

from manyeyes.rules.assessment import ASSESSMENTS, proposed, wrong
from manyeyes.rules.signoff import DISCIPLINES

SECURITY = {"path": "Anybody asks.", "privileges": "none", "exposure": "public", "blast": "one"}
ML = {"mechanism": "The code stands in the prompt.", "property": "prompt", "transfer": "unknown"}


def test_each_discipline_has_its_questions_and_one_is_answered_in_words() -> None:
    assert set(ASSESSMENTS) == set(DISCIPLINES)
    assert [asked.name for asked in ASSESSMENTS["security"]] == ["path", "privileges", "exposure", "blast"]
    assert [asked.name for asked in ASSESSMENTS["ml"]] == ["mechanism", "property", "transfer"]
    for questions in ASSESSMENTS.values():
        assert [bool(asked.choices) for asked in questions] == [False, *[True] * (len(questions) - 1)]


def test_a_complete_one_has_nothing_wrong() -> None:
    assert wrong("security", SECURITY) == wrong("ml", ML) == {}


def test_what_is_missing_is_named() -> None:
    assert set(wrong("security", {})) == {"path", "privileges", "exposure", "blast"}
    assert wrong("ml", {**ML, "mechanism": "  "}) == {
        "mechanism": "Mechanism: a sentence is needed. Why do you think it works? A guess is welcome."
    }
    assert wrong("ml", {**ML, "transfer": "elsewhere"}) == {"transfer": "Likely transfer: choose one."}


@pytest.mark.parametrize(
    ("letters", "blast"),
    [({"SX": "H"}, "all"), ({"AX": "C"}, "all"), ({"PE": "Y"}, "many"), ({"IX": "M"}, "many"), ({"DX": "C"}, "many"),
     ({"SX": "L"}, "tenant"), ({"SX": "M"}, "one"), ({}, "one")],
)  # fmt: skip
def test_the_blast_radius_is_read_off_the_letters(letters: dict[str, str], blast: str) -> None:
    assert proposed("security", letters)["blast"] == blast


def test_what_cannot_be_read_off_is_said_to_be_unknown() -> None:
    assert proposed("ml", {"SP": "1"}) == {"property": "unknown", "transfer": "unknown"}
    assert proposed("ml", {"SP": "3"})["transfer"] == "vendors"
    assert proposed("security", {"PX": "H"}) == {"privileges": "inside", "exposure": "inside", "blast": "one"}


def test_a_proposal_is_always_a_choice_of_the_form() -> None:
    for discipline, questions in ASSESSMENTS.items():
        given = {**proposed(discipline, {}), questions[0].name: "A sentence."}
        assert wrong(discipline, given) == {}
        assert questions[0].words(given[questions[0].name]) == "A sentence."
        assert all(asked.words(given[asked.name]) != given[asked.name] for asked in questions[1:])
