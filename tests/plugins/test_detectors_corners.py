"""Corners of the pure detectors: broken text, data that cannot be written down, judges that ask again."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors import latin
from manyeyes.plugins.builtin.detectors.conditions import MAX_JSON, UnreadableError, Wanted, read_json
from manyeyes.plugins.builtin.detectors.pattern import Pattern
from manyeyes.plugins.detection import Whole, build, nodes, roles
from manyeyes.plugins.protocols import Ask, Exchange, Reply

SECRET = "BLUE-HERON-42"
BROKEN = "a\ud800b"
"""Half of a surrogate pair: no valid text, but a server can send it as JSON."""


def decided(rule: dict[str, Any], text: str, **more: Any) -> Any:
    return Whole(rule).decide(Exchange(messages=(), reply=Reply(text=text), **more))


def test_an_expression_reads_broken_text_with_a_mark_in_its_place() -> None:
    pattern = Pattern("a(.)b")
    assert pattern.found(BROKEN)
    assert pattern.whole(BROKEN)[1] == "?"
    assert pattern.every(BROKEN) == ["?"]
    assert decided({"regex": "^a.b$"}, BROKEN) is Outcome.SUCCESS


def test_json_at_the_limits() -> None:
    with pytest.raises(UnreadableError, match="longer than"):
        read_json(" " * (MAX_JSON + 1))
    with pytest.raises(ValueError, match="line 1 column"):
        read_json("[" * 201 + "x")
    assert read_json("[" + "[]," * 300 + "[]]") == [[]] * 301
    with pytest.raises(UnreadableError, match="nested more than 200 deep"):
        read_json("[" * 201 + "]" * 201)


def test_a_value_that_cannot_be_written_down_leaves_the_detector_in_doubt() -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(UnreadableError):
        Wanted({"contains": "x"}).holds([deep])
    rule = {"side_channel": {"channel": "mailbox", "where": {"body": {"contains": "x"}}}}
    assert decided(rule, "sent", observations={"mailbox": [{"body": deep}]}) is Outcome.UNDECIDED
    assert decided(rule, "sent", observations={"mailbox": [{"body": deep}, {"body": "x"}]}) is Outcome.SUCCESS


@pytest.mark.parametrize("more", range(8))
def test_a_run_of_base32_may_have_letters_too_many(more: int) -> None:
    hidden = base64.b32encode(SECRET.encode()).decode().rstrip("=")
    assert decided({"canary": SECRET}, f"Take {hidden}{'A' * more}.") is Outcome.SUCCESS


@pytest.mark.parametrize("letters", ["αβγδε", "αβγδεζηθικλμνξοπρ"], ids=["few", "many"])
def test_other_letters_have_a_stand_in_of_one_byte(letters: str) -> None:
    found = latin.in_latin(f"x{letters}y")
    assert found is not None
    assert found == f"x{chr(0xFE) * len(letters)}y"
    assert latin.in_latin("a\u2003b–c") == "a\xa0b\xbfc"
    assert latin.in_latin("four\u0664") is None
    assert latin.in_latin("a\u02b0") == latin.in_latin("a\u02b0")


def test_a_judge_that_asks_again_is_counted_once() -> None:
    """An answer to a first question may be a second question; only its answer counts."""
    again = Ask(role="judge", question="again", read=lambda reply: Outcome.SUCCESS)
    first = Ask(role="judge", question="first", read=lambda reply: again)
    rule = build({"at_least": {"count": 1, "of": [{"contains": "x"}]}})
    found = rule._after([first], 0, 0)
    assert isinstance(found, Ask)
    assert found.read is not None
    second = found.read(Reply(text=""))
    assert isinstance(second, Ask)
    assert second.read is not None
    assert second.read(Reply(text="")) is Outcome.SUCCESS


def test_whom_a_rule_asks() -> None:
    assert roles({"judge": {"rubric": "secret_disclosed", "role": "confirm"}}) == {"confirm"}
    assert roles({"any": [{"human": "Is it there?"}, {"contains": "a"}]}) == {"human"}
    assert [name for name, _ in nodes({"at_least": {"count": 1, "of": [{"contains": "a"}]}})] == [
        "at_least",
        "contains",
    ]
