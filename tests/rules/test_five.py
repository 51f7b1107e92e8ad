"""Five plain questions: every answer is a letter, a band comes out, and a guess never enters a vector."""

from __future__ import annotations

import pytest

from manyeyes.rules import five
from manyeyes.rules.errors import Invalid
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.rubric import read
from manyeyes.rules.severity import score

GRAVE = {"worst": "others_data", "victim": "nothing", "who": "anybody", "often": "R5", "reach": "here"}


def test_every_answer_stands_for_letters_of_the_standard() -> None:
    assert five.fits(STANDARD)
    assert len(five.QUESTIONS) == 5
    for question in five.QUESTIONS:
        assert question.words.endswith("?")
        assert len({answer.name for answer in question.answers}) == len(question.answers)


def test_a_rubric_without_one_of_the_letters_does_not_fit() -> None:
    data = STANDARD.as_data()
    data["metrics"] = [row for row in data["metrics"] if row["code"] != "IX"]
    assert not five.fits(read({**data, "version": "MES:1.0+larkfield.1"}))


def test_five_answers_give_a_band() -> None:
    found = five.assess(GRAVE)
    assert (found.sec, found.saf, found.bands, found.guessed) == ((9.0, 9.0), (0.0, 0.0), ("Critical",), True)
    assert found.letters["DX"] == "H"
    assert found.reasons["DX"].startswith("What is the worst it leads to? Data: another person's")
    assert "/OB:X/" in str(found.vector), "a guess is no measurement"
    assert not found.enough


def test_what_nobody_counted_is_a_range() -> None:
    found = five.assess({**GRAVE, "often": "X"})
    assert (found.sec, found.bands, found.guessed) == ((5.4, 9.0), ("Medium", "Critical"), False)


def test_a_counted_rate_replaces_the_guess() -> None:
    found = five.assess({**GRAVE, "often": "nonsense"}, observed=(15, 30), retry_budget=1)
    assert (found.sec, found.bands, found.guessed) == ((7.8, 7.8), ("High",), False)
    assert score(found.vector).sec == 7.8


def test_counted_and_never_seen_gives_no_number() -> None:
    found = five.assess(GRAVE, observed=(0, 30))
    assert (found.sec, found.saf, found.bands) == (None, None, ("no number",))


def test_harmful_content_fills_what_was_not_asked_with_a_word_about_it() -> None:
    found = five.assess({**GRAVE, "worst": "mass_harm"})
    assert (found.letters["FD"], found.letters["UN"]) == ("F", "N")
    assert found.reasons["FD"] == "Not asked by the five questions."
    wide = five.assess({**GRAVE, "worst": "mass_harm", "reach": "vendors"})
    assert (wide.letters["UN"], wide.letters["SP"]) == ("U", "3")
    harmless = five.assess({**GRAVE, "reach": "vendors"})
    assert (harmless.letters["FD"], harmless.letters["UN"]) == ("-", "-")


def test_the_answers_are_enough_for_what_is_low_whatever_the_rate() -> None:
    assert five.assess({**GRAVE, "worst": "internals", "often": "X"}).enough
    assert five.assess({**GRAVE, "worst": "nothing"}).enough
    assert not five.assess({**GRAVE, "worst": "some_data", "often": "R1"}).enough


@pytest.mark.parametrize("name", [question.name for question in five.QUESTIONS])
def test_every_question_needs_one_of_its_answers(name: str) -> None:
    for bad in ("", "perhaps"):
        with pytest.raises(Invalid) as refusal:
            five.assess({**GRAVE, name: bad})
        assert set(refusal.value.fields) == {name}
