"""A rule in words: every detector has its own, and nothing of the rule is lost."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from manyeyes.reproducer.detection import Rule, detector_names
from manyeyes.rules import criterion
from manyeyes.rules.criterion import criterion_words

WORDS: list[tuple[dict[str, Any], str]] = [
    ({"refusal": True}, "the answer refuses"),
    ({"json_path": "$.a"}, "the JSON of the answer has something at “$.a”"),
    (
        {"json_path": {"path": "$.role", "equals": "admin"}},
        "the JSON of the answer has a value at “$.role” that is “admin”",
    ),
    (
        {"json_path": {"path": "$.n", "at_least": 3, "at_most": 5}},
        "the JSON of the answer has a value at “$.n” that is at least “3” and is at most “5”",
    ),
    ({"json_path": {"path": "$.n"}}, "the JSON of the answer has a value at “$.n”"),
    ({"tool_call": "send"}, "the tool “send” is called"),
    (
        {"tool_call": {"name": {"regex": "^send"}, "arguments": {"to": {"contains": "@x"}, "cc": {"absent": True}},
                       "after": ["read"], "at_least": 2}},
        "the tool whose name matches the pattern “^send” is called at least 2 times where “to” contains “@x” and “cc” "
        "is not there after “read”",
    ),
    ({"tool_call": {"name": "send", "at_most": 3}}, "the tool “send” is called 1 to 3 times"),
    ({"side_channel": "mailbox"}, "the channel “mailbox” has an entry"),
    (
        {"side_channel": {"channel": "row", "where": {"id": 3}, "at_least": 2, "at_most": 2}},
        "the channel “row” has an entry exactly 2 times where “id” is “3”",
    ),
    ({"similarity": {"to": "a b", "at_least": 0.5}}, "the answer is at least 0.5 like “a b”"),
    ({"length": {"at_least": 2, "at_most": 9, "unit": "words"}}, "the answer has at least 2 and at most 9 words"),
    ({"length": {"at_most": 9}}, "the answer has at most 9 characters"),
    ({"format": "json"}, "the whole answer is json"),
    ({"format": {"is": "code_block", "language": "sql"}}, "the whole answer is code block in sql"),
    ({"format": {"regex": "a+"}}, "the whole answer matches the pattern “a+”"),
    ({"judge": "secret_disclosed"}, "a judge says yes to “secret_disclosed”"),
    ({"judge": {"question": "Is it so?", "about": "the code"}}, "a judge says yes to “Is it so?” about “the code”"),
    (
        {"confirm": {"rule": {"contains": "a"}, "by": {"human": "Sure?"}}},
        "the answer contains “a”, confirmed by: your answer is yes to “Sure?”",
    ),
    (
        {"at_least": {"count": 2, "of": [{"contains": "a"}, {"contains": "b"}]}},
        "at least 2 hold of: the answer contains “a”; the answer contains “b”",
    ),
    ({"any_reply": {"contains": "a"}}, "for one of the replies, the answer contains “a”"),
    ({"plugin": {"name": "poem"}}, "the detector poem finds it"),
    ({"contains": {"text": "A", "case": True}}, "the answer contains “A” (in these capitals)"),
    ({"regex": "a"}, "the answer matches the pattern “a”"),
    ({"canary": "BLUE-HERON-42"}, "the answer gives away “BLUE-HERON-42”, also spelled apart or encoded"),
    (
        {"not": {"any": [{"contains": "a"}, {"all": [{"human": "?"}]}]}},
        "not (the answer contains “a” or your answer is yes to “?”)",
    ),
]  # fmt: skip


def test_doctests() -> None:
    assert doctest.testmod(criterion).failed == 0


@pytest.mark.parametrize(("rule", "words"), WORDS)
def test_words(rule: dict[str, Any], words: str) -> None:
    assert criterion_words(rule) == words
    assert criterion_words(Rule.model_validate(rule).to_json()) == words


def test_every_detector_of_the_format_has_words() -> None:
    assert {name for rule, _ in WORDS for name in rule} | {"all", "any", "human"} == set(detector_names())
    assert criterion_words({"unheard_of": 1}) == "the detector unheard_of finds it"
