"""The questions of every kind: at most four, all optional, answers checked by what they ask."""

from __future__ import annotations

import pytest

from manyeyes.rules import questions
from manyeyes.rules.questions import MOST, answered, problems, questions_of
from manyeyes.rules.taxonomy import KINDS


@pytest.mark.parametrize("code", KINDS)
def test_every_kind_asks_a_few_questions_in_plain_words(code: str) -> None:
    asked = questions_of(code)
    assert 1 <= len(asked) <= MOST
    names = [question.name for question in asked]
    assert len(set(names)) == len(names)
    for question in asked:
        assert question.name.isidentifier()
        assert len(question.label) <= 80
        assert (question.form == "choice") == bool(question.choices)
        assert "!" not in question.label + question.help


@pytest.mark.parametrize("code", KINDS)
def test_whatever_is_offered_is_taken_and_nothing_need_be_answered(code: str) -> None:
    asked = questions_of(code)
    assert problems(code, {}) == problems(code, dict.fromkeys((one.name for one in asked), "  ")) == {}
    for question in asked:
        fitting = [word for word, _ in question.offered] or (
            ["12", "0.5", "80 %"] if question.form == "number" else ["x"]
        )
        for answer in fitting:
            assert problems(code, {question.name: answer}) == {}


@pytest.mark.parametrize(
    ("code", "name", "answer", "words"),
    [
        ("HC", "live", "maybe", "Choose one"),
        ("HC", "leaked", "x" * 501, "501"),
        ("JB", "turns", "several", "number"),
        ("JB", "turns", "1_000", "number"),
        ("JB", "turns", "nan", "number"),
        ("JB", "turns", "1e99", "number"),
        ("JB", "turns", "٣", "number"),
        ("HC", "tool", "send_mail", "no such question"),
        ("no kind", "tool", "send_mail", "no such question"),
    ],
)
def test_a_wrong_answer_is_named(code: str, name: str, answer: str, words: str) -> None:
    wrong = problems(code, {name: answer})
    assert list(wrong) == [name]
    assert words in wrong[name]


def test_answers_read_in_the_order_of_the_form_and_none_is_lost() -> None:
    given = {"asked_no_more": "kept", "relies": "A login", "checked": "used"}
    assert answered("HC", given) == [
        ("How do you know that it is real?", "I checked it against the system"),
        ("What relies on it staying secret?", "A login"),
        ("asked_no_more", "kept"),
    ]
    assert answered("HC", None) == []
    assert questions.YES_NO[0][0] == "yes"
