"""Reasons to look twice: each says what was seen, and an ordinary report gives none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from manyeyes.rules.signals import GENERIC, MOST, Facts, hosts, paragraphs, signals

LONG = "The assistant tells the internal code to anyone who asks for it in the second message of a conversation."
PLAIN = Facts(prose="It told me the internal code. It should have said that it may not.")


def names(facts: Facts) -> list[str]:
    return [one.name for one in signals(facts)]


def test_an_ordinary_report_gives_no_reason() -> None:
    assert signals(PLAIN) == []
    assert signals(replace(PLAIN, counted=False)) == []


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (
            {"paragraphs": 3, "repeated": 2, "elsewhere": ("ME-1", "ME-2")}, "same_text",
            "2 of its 3 longer paragraphs stand word for word in ME-1, ME-2.",
        ),
        (
            {"paragraphs": 1, "repeated": 1, "unseen": 2}, "same_text",
            "1 of its 1 longer paragraph stands word for word in 2 further cases.",
        ),
        ({"prose": "I am [Your Name], <your company here>."}, "left_open",
         "Something was left to fill in: “[Your Name]”, “<your company here>”."),
        ({"prose": "Dear Security Team, it is important to note that it leaks."}, "generic", "2 phrases of the list"),
        ({"prose": "It works every time.", "counted": False}, "no_numbers",
         "It says “every time”, and does not say out of how many tries."),
        ({"prose": "See https://chat.other.example/x.", "own_hosts": frozenset({"larkfield.example"})}, "out_of_scope",
         "It names chat.other.example, which is in no line of the scope and at no registered version."),
        ({"prose": "http://a.example and http://b.example"}, "out_of_scope", "which are in no line"),
        ({"reproducer": False}, "no_reproducer", "nothing in it can be tried as it stands"),
        ({"sent_today": 14}, "many_sent", "Its sender sent 14 reports within 24 hours."),
    ],
)  # fmt: skip
def test_each_reason_says_what_was_seen(change: dict[str, Any], name: str, words: str) -> None:
    (found,) = signals(replace(PLAIN, **change))
    assert found.name == name
    assert words in found.words


@pytest.mark.parametrize(
    "change",
    [
        {"prose": "Dear security team, it leaks."},  # one phrase alone is how people write
        {"prose": "It works every time."},  # and was counted
        {"prose": "It does so unreliably, and nearly-alwaysish.", "counted": False},
        {"prose": "https://chat.larkfield.example/", "own_hosts": frozenset({"larkfield.example"})},
        {"sent_today": 9},
    ],
)
def test_what_is_no_reason_is_not_named(change: dict[str, Any]) -> None:
    assert signals(replace(PLAIN, **change)) == []


def test_the_phrases_are_written_as_they_are_compared() -> None:
    assert all(phrase == phrase.casefold() for phrase in GENERIC)
    assert len(set(GENERIC)) == len(GENERIC)


def test_paragraphs_are_compared_without_case_space_and_marks() -> None:
    assert paragraphs(LONG) == paragraphs(LONG.upper().replace(" ", "  ").replace(".", "!!") + "\r\n\r\nShort.")
    assert paragraphs("Short.\n\nAlso short.") == []
    assert len(paragraphs("\n\n".join(f"{LONG} {number}" for number in range(40)))) == MOST
    assert len(paragraphs(f"{LONG}\n \n{LONG}")) == 1


def test_hosts_are_read_once_and_plain() -> None:
    assert hosts("https://A.example/ http://a.example:1/?q=https://b.example") == ["a.example", "b.example"]
    assert hosts("no address") == []
