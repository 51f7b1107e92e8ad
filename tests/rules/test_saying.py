"""Sentences made below the pages keep how they are written, so that a page can say them in its own language."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict, replace

import pytest

from manyeyes.rules.criterion import criterion_words
from manyeyes.rules.readings import SAID, Reading, rate_told
from manyeyes.rules.saying import Saying, joined, say, say_many, written

GERMAN = {
    "It counts if %(rule)s": "Es zählt, wenn %(rule)s",
    "the answer refuses": "die Antwort ablehnt",
    "%(count)s try": "%(count)s Versuch",
    "%(count)s tries": "%(count)s Versuche",
    "you said": "von Ihnen",
}


def german(one: str, several: str, count: int) -> str:
    said = several if several and count != 1 else one
    return GERMAN.get(said, said)


def test_a_sentence_inside_another_is_turned_with_it_and_a_strangers_words_are_not() -> None:
    rule = joined([say("the answer refuses"), "you said"], " / ")
    row = Reading(name=say("It counts if %(rule)s", rule=rule), value=say_many("%(count)s try", "%(count)s tries", 2),
                  source=SAID, note="the answer refuses")  # fmt: skip
    assert (row.name, row.value) == ("It counts if the answer refuses / you said", "2 tries")
    told = [row.told(part, german) for part in ("name", "value", "source", "note")]
    assert told == ["Es zählt, wenn die Antwort ablehnt / you said", "2 Versuche", "von Ihnen", "the answer refuses"]
    assert type(row.name) is str


def test_it_outlives_json() -> None:
    row = Reading(name=say("the answer refuses"), value="x", source="you said")
    assert Reading(**json.loads(json.dumps(asdict(row)))) == row
    assert row.told("name", german) == "die Antwort ablehnt"
    assert deepcopy(say("the answer refuses")).pattern == say("the answer refuses").pattern


def test_a_text_that_was_changed_is_no_sentence_of_ours_any_more() -> None:
    row = Reading(name=say("the answer refuses"), value="x", source=SAID)
    changed = replace(row, name="something else")
    assert changed.patterns == {}
    assert changed.told("name", german) == "something else"
    assert isinstance(row.saying("name"), Saying)
    assert not isinstance(changed.saying("name"), Saying)


def test_a_pattern_from_a_file_is_no_format_and_does_not_grow() -> None:
    big = {"text": "%(a)s" * 1_000, "values": {"a": {"text": "%(a)s" * 1_000, "values": {"a": "x" * 1_000}}}}
    assert written(big) == "x" * 1_000
    wide = {"text": "%(a)999999999s %(b)s", "values": {"a": "1"}}
    assert written(wide) == "%(a)999999999s "
    for none in ({"joined": " ", "parts": 1}, {"said": "x"}, {"text": "x", "values": 3}):
        with pytest.raises((KeyError, TypeError)):
            Reading(name="x", value="x", source=SAID, patterns={"name": none})


def test_a_rule_without_parts_is_no_failure() -> None:
    assert criterion_words({"tool_call": {"name": {}}}).startswith("the tool whose name")
    assert criterion_words({"all": []}) == criterion_words({"any": []}) == ""
    assert criterion_words({"length": {"unit": "words"}}) == "the answer has  words"


def test_a_count_says_how_little_it_tells() -> None:
    assert str(rate_told(1, 0.025, 1.0)).startswith("From 1 try the true rate")
    row = Reading(name="x", value="x", source=SAID, note=rate_told(10, 0.35, 0.93))
    assert row.told("note", german) == "From 10 tries the true rate may be anything from 35 % to 93 %."
