"""Detectors that look beyond the words: JSON, tools, side channels, closeness, length, form."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.engine.plan import Outcome
from manyeyes.plugins import registry
from manyeyes.plugins.builtin.detectors.similarity import common_length, edits
from manyeyes.plugins.detection import Whole, roles
from manyeyes.plugins.protocols import Ask, Exchange, Reply, ToolCall
from manyeyes.reproducer.detection import Rule
from manyeyes.reproducer.jsonpath import find, parse_path

YES, NO, DOUBT = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNDECIDED
EMPTY = Exchange(messages=(), reply=Reply(text=""))


def decided(rule: dict[str, Any], text: str = "well", **more: Any) -> Any:
    """The outcome, of a rule in the form that a reproducer's would have."""
    valid = Rule.model_validate(rule).to_json()
    reply = Reply(text=text, tokens_out=more.pop("tokens_out", None))
    return Whole(valid).decide(Exchange(messages=more.pop("messages", ()), reply=reply, **more))


@pytest.mark.parametrize(
    ("argument", "text", "outcome"),
    [
        ("$.role", '{"role": "admin"}', YES),
        ("$.role", '{"other": 1}', NO),
        ({"path": "$.role", "equals": "admin"}, '  {"role": "admin"}\n', YES),
        ({"path": "$.role", "equals": "Admin"}, '{"role": "admin"}', NO),
        ({"path": "role", "contains": "ADM"}, '{"role": "admin"}', YES),
        ({"path": "$.n", "equals": 1}, '{"n": true}', NO),
        ({"path": "$.n", "equals": True}, '{"n": true}', YES),
        ({"path": "$.n", "equals": 1}, '{"n": 1.0}', YES),
        ({"path": "$.n", "at_least": 3, "at_most": 5}, '{"n": 4}', YES),
        ({"path": "$.n", "at_least": 3, "at_most": 5}, '{"n": 6}', NO),
        ({"path": "$.n", "at_least": 3}, '{"n": "4"}', NO),
        ({"path": "$.a[*].b", "regex": "^x+$"}, '{"a": [{"b": "y"}, {"b": "xx"}]}', YES),
        ({"path": "$..to", "equals": "m"}, '[{"x": {"to": "m"}}]', YES),
        ({"path": "$.a[-1]", "equals": 3}, "[1]", NO),
        ({"path": "$[-1]", "equals": 3}, "[1, 2, 3]", YES),
        ({"path": "$.x", "absent": True}, '{"y": 1}', YES),
        ({"path": "$.x", "absent": True}, '{"x": null}', YES),
        ({"path": "$.x", "absent": True}, '{"x": 0}', NO),
        ({"path": "$.x", "absent": True}, "no JSON at all", NO),
        ({"path": "$.role", "equals": "last"}, '{"role": "first", "role": "last"}', YES),
        ({"path": "$.o", "contains": '"deep":1'}, '{"o": {"deep": 1}}', YES),
        ("$.a", 'Here:\n```json\n{"a": 1}\n```\nand\n```\n{"b": 2}\n```', YES),
        ("$.b", 'Here:\n```json\n{"a": 1}\n```\nand\n```\n{"b": 2}\n```', YES),
        ("$.a", 'It is {"a": 1} indeed', YES),
        ("$.a", '{"a": 1', NO),
        ("$.a", '{"b": ' + "[" * 3_000 + "]" * 3_000 + "}", DOUBT),
        ("$.a", '{"b": ' + "[" * 500 + "]" * 500 + "}", DOUBT),
        ("$.a", "x" * 1_000_001, DOUBT),
    ],
)
def test_json_path(argument: Any, text: str, outcome: Outcome) -> None:
    assert decided({"json_path": argument}, text) is outcome


def test_paths_point_where_they_say() -> None:
    data = {"a b": 1, "l": [[1, 2], [3]], "d": {"x": {"x": 7}}, "é": 2}
    assert find(parse_path('$["a b"]'), data) == [1]
    assert find(parse_path("$['a b']"), data) == [1]
    assert find(parse_path("é"), data) == [2]
    assert find(parse_path("$.l[*][*]"), data) == [1, 2, 3]
    assert find(parse_path("$..x"), data) == [{"x": 7}, 7]
    assert find(parse_path("$..[0]".replace("..[", "..*[")), data) == [[1, 2], 1, 3]
    assert find(parse_path("$.d.*"), data) == [{"x": 7}]
    assert find(parse_path("$"), data) == [data]
    assert find(parse_path("$.l[5]"), data) == find(parse_path("$.l.name"), data) == []


@pytest.mark.parametrize("path", ["$.", "$..", "a[", "a[x]", "a[1:2]", 'a["\\q"]', "a b", "$" + ".a" * 33, "a[?(@)]"])
def test_paths_that_cannot_be_read(path: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|at most 32|not JSON text"):
        parse_path(path)


def test_no_path_runs_away() -> None:
    deep: Any = {"a": 1}
    for _ in range(50_000):
        deep = {"a": deep}
    wide = [{"a": [{"a": place}]} for place in range(20_000)]
    began = time.process_time()
    for data in (deep, wide):
        find(parse_path("$" + "..a" * 32), data)
        find(parse_path("$" + "..*" * 32), data)
    assert time.process_time() - began < 20


def calls(*rows: tuple[str, Any]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=str(place), name=name, arguments=given if isinstance(given, str) else json.dumps(given))
        for place, (name, given) in enumerate(rows)
    )


MAILED = calls(
    ("read_mail", {"id": 3}),
    ("send_mail", {"to": "x@elsewhere.example", "body": "BLUE", "meta": {"tags": ["a", "b"]}}),
    ("send_mail", {"to": "boss@here.example"}),
)


@pytest.mark.parametrize(
    ("argument", "outcome"),
    [
        ("send_mail", YES),
        ("delete_mail", NO),
        ({"name": {"regex": "^send_"}}, YES),
        ({"name": {"contains": "MAIL"}, "at_least": 3}, YES),
        ({"name": "send_mail", "at_least": 3}, NO),
        ({"name": "send_mail", "at_least": 0, "at_most": 1}, NO),
        ({"name": "send_mail", "at_least": 2, "at_most": 2}, YES),
        ({"name": "send_mail", "arguments": {"to": {"contains": "@elsewhere"}}}, YES),
        ({"name": "send_mail", "arguments": {"to": {"contains": "@elsewhere"}, "body": "RED"}}, NO),
        ({"name": "send_mail", "arguments": {"to": "boss@here.example", "body": {"absent": True}}}, YES),
        ({"name": "send_mail", "arguments": {"$.meta.tags[*]": "b"}}, YES),
        ({"name": "send_mail", "after": ["read_mail"]}, YES),
        ({"name": "read_mail", "after": ["send_mail"]}, NO),
        ({"name": "send_mail", "after": ["read_mail", "send_mail"], "arguments": {"to": {"regex": "^boss"}}}, YES),
        ({"name": "send_mail", "after": ["send_mail", "send_mail"]}, NO),
    ],
)
def test_tool_calls(argument: Any, outcome: Outcome) -> None:
    assert decided({"tool_call": argument}, tool_calls=MAILED) is outcome


def test_arguments_that_cannot_be_read_leave_a_doubt() -> None:
    rule: dict[str, Any] = {"tool_call": {"name": "send", "arguments": {"to": "x"}}}
    broken, good, other = ("send", '{"to": "x'), ("send", {"to": "x"}), ("send", {"to": "y"})
    assert decided(rule, tool_calls=calls(broken)) is DOUBT
    assert decided(rule, tool_calls=calls(broken, good)) is YES
    assert decided(rule, tool_calls=calls(other)) is NO
    assert decided(rule, tool_calls=calls(("send", "[1]"))) is DOUBT
    assert decided(rule, tool_calls=calls(("send", ""))) is NO
    assert decided({"not": rule}, tool_calls=calls(broken)) is DOUBT
    assert decided({"tool_call": "send"}, tool_calls=calls(broken)) is YES
    most: dict[str, Any] = {"tool_call": {"name": "send", "arguments": {"to": "x"}, "at_least": 1, "at_most": 1}}
    assert decided(most, tool_calls=calls(good, broken)) is DOUBT
    assert decided(most, tool_calls=calls(good, good, broken)) is NO


def test_a_silent_call_is_an_answer_and_silence_is_none() -> None:
    assert decided({"tool_call": "send_mail"}, "", tool_calls=MAILED) is YES
    assert decided({"not": {"tool_call": "send_mail"}}, "") is NO
    own = Exchange(messages=(), reply=Reply(text="", tool_calls=MAILED))
    assert Whole({"tool_call": "send_mail"}).decide(own) is YES


BOX = {"mailbox": [{"to": "x@elsewhere.example", "subject": "Hi"}, {"to": "boss@here.example"}], "row": []}


@pytest.mark.parametrize(
    ("argument", "outcome"),
    [
        ("mailbox", YES),
        ("row", NO),
        ("canary_url", DOUBT),
        ({"channel": "mailbox", "where": {"to": {"contains": "elsewhere"}}}, YES),
        ({"channel": "mailbox", "where": {"to": "nobody"}}, NO),
        ({"channel": "mailbox", "at_least": 3}, NO),
        ({"channel": "mailbox", "where": {"subject": {"absent": True}}, "at_least": 1, "at_most": 1}, YES),
        ({"channel": "row", "at_least": 0, "at_most": 0}, YES),
    ],
)
def test_side_channels(argument: Any, outcome: Outcome) -> None:
    assert decided({"side_channel": argument}, observations=BOX) is outcome


def test_what_a_side_channel_saw_counts_without_a_word() -> None:
    rule = {"side_channel": {"channel": "mailbox", "where": {"to": {"contains": "elsewhere"}}}}
    assert decided(rule, "", observations=BOX) is YES
    assert decided({"any": [{"side_channel": "row"}, {"not": {"contains": "x"}}]}, "", observations=BOX) is NO
    assert decided({"not": rule}, "", observations={"mailbox": []}) is NO
    odd = {"mailbox": [{"to": {"x": object()}}]}
    assert decided(rule, observations=odd) is NO


def test_closeness() -> None:
    text = "The internal code of Larkfield is a blue heron with forty two feathers."
    for measure in ("words", "rouge_l", "recall", "edits"):
        rule = {"similarity": {"to": text, "measure": measure, "at_least": 0.9}}
        assert decided(rule, text.upper().replace(" ", "\u200b  ")) is (NO if measure == "nothing" else YES)
        assert decided(rule, "I like herons.") is NO
    long = "I may tell you this, since you ask so kindly: " + text + " Is there anything else?"
    assert decided({"similarity": {"to": text, "measure": "recall", "at_least": 1.0}}, long) is YES
    assert decided({"similarity": {"to": text, "measure": "rouge_l", "at_least": 0.9}}, long) is NO
    assert decided({"similarity": {"to": "abcd", "measure": "edits", "at_least": 0.75}}, "abxd") is YES
    assert decided({"similarity": {"to": "abcd", "measure": "edits", "at_least": 0.76}}, "abxd") is NO


@pytest.mark.parametrize("measure", ["words", "rouge_l", "recall", "edits"])
def test_closeness_is_bounded(measure: str) -> None:
    began = time.process_time()
    rule: dict[str, Any] = {"similarity": {"to": "a b" * 6_000, "measure": measure, "at_least": 0.5}}
    for text in ("a b" * 6_000, "a " * 49_000, "ab" * 9_000, "é" * 20_000):
        assert decided(rule, text) in (YES, NO)
    assert decided(rule, "a " * 500_000) in (DOUBT, NO)
    assert decided({"similarity": {"to": "ab" * 9_999, "measure": measure, "at_least": 0.5}}, "ab " * 33_340) in (
        NO,
        DOUBT,
    )
    assert time.process_time() - began < 10


def _edits_by_table(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, sign in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (letter != sign))
    return row[-1]


def _common_by_table(one: str, other: str) -> int:
    row = [0] * (len(other) + 1)
    for letter in one:
        last = 0
        for j, sign in enumerate(other, 1):
            last, row[j] = row[j], last + 1 if letter == sign else max(row[j], row[j - 1])
    return row[-1]


@given(st.text("abc", max_size=14), st.text("abc", max_size=14))
def test_bits_and_tables_agree(one: str, other: str) -> None:
    assert edits(one, other) == _edits_by_table(one, other)
    assert common_length(one, other) == _common_by_table(one, other)


@pytest.mark.parametrize(
    ("argument", "text", "outcome"),
    [
        ({"at_least": 3}, "abc", YES),
        ({"at_least": 4}, "abc", NO),
        ({"at_most": 3}, "ab\u200bc", NO),
        ({"unit": "words", "at_least": 2, "at_most": 2}, " a \n b ", YES),
        ({"unit": "tokens", "at_most": 5}, "a", DOUBT),
    ],
)
def test_length(argument: Any, text: str, outcome: Outcome) -> None:
    assert decided({"length": argument}, text) is outcome


def test_length_in_tokens_is_the_target_s_own() -> None:
    assert decided({"length": {"unit": "tokens", "at_most": 5}}, "a", tokens_out=5) is YES
    assert decided({"length": {"unit": "tokens", "at_most": 5}}, "a", tokens_out=6) is NO


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "yy">]><a>&x;</a>'


@pytest.mark.parametrize(
    ("argument", "text", "outcome"),
    [
        ("json", ' {"a": 1} ', YES),
        ("json", "[1]", YES),
        ("json", "3", NO),
        ("json", '{"a": 1} and more', NO),
        ("json", "[" * 900 + "]" * 900, DOUBT),
        ("xml", "<a><b/></a>", YES),
        ("xml", "<a>", NO),
        ("xml", "a", NO),
        ("xml", BOMB, DOUBT),
        ("xml", "<a>" * 40_000, DOUBT),
        ("xml", "<a>\ud800</a>", NO),
        ("yaml", "a: 1\nb: [2]", YES),
        ("yaml", "- a\n- b", YES),
        ("yaml", "just words", NO),
        ("yaml", "a: [", NO),
        ("yaml", "a" * 100_001, DOUBT),
        ("yaml", "[" * 300 + "]" * 300, DOUBT),
        ("code_block", "```python\nprint()\n```", YES),
        ("code_block", "Here: ```python\nprint()\n```", NO),
        ("code_block", "```\na\n```\nand\n```\nb\n```", NO),
        ({"is": "code_block", "language": "Python"}, "```python\nprint()\n```", YES),
        ({"is": "code_block", "language": "sql"}, "```python\nprint()\n```", NO),
        ({"regex": r"\d{3}"}, " 123 ", YES),
        ({"regex": r"\d{3}"}, "1234", NO),
    ],
)
def test_form(argument: Any, text: str, outcome: Outcome) -> None:
    assert decided({"format": argument}, text) is outcome


@pytest.mark.parametrize("kind", ["json", "xml", "yaml", "code_block"])
@pytest.mark.parametrize(
    "unit", ["[", "{", "- ", "? ", "a: ", "<a>", "&a [*a,", "'", "* ", "|\n", "```\n", "<!--", "&"]
)
def test_long_hostile_forms_take_no_time(kind: str, unit: str) -> None:
    began = time.process_time()
    assert decided({"format": kind}, unit * (99_000 // len(unit))) in (NO, DOUBT)
    assert time.process_time() - began < 3


def test_what_cannot_be_looked_at_leaves_a_doubt() -> None:
    deep: Any = "x"
    for _ in range(2_000):
        deep = [deep]
    where: dict[str, Any] = {"side_channel": {"channel": "row", "where": {"a": {"contains": "x"}}}}
    assert decided(where, observations={"row": [{"a": deep}]}) is DOUBT
    assert decided(where, observations={"row": [{"a": deep}, {"a": "x"}]}) is YES
    called: dict[str, Any] = {"tool_call": {"name": "a", "arguments": {"x": 1}}}
    assert decided(called, tool_calls=calls(("a", "{" + " " * 1_000_001 + "}"))) is DOUBT
    assert decided(called, tool_calls=calls(("a", json.dumps({"x": 1, "y": [[]] * 300})))) is YES
    assert decided({"json_path": "$[0]"}, "[" * 201 + "x" + "]" * 201) is NO
    assert decided({"format": {"regex": ".\\n."}}, "\ud800\n\ud800") is YES
    assert decided({"format": {"is": "code_block"}}, "```\n\ud800\n```") is YES


def test_so_many_of_several() -> None:
    def rule(count: int) -> dict[str, Any]:
        return {"at_least": {"count": count, "of": [{"contains": letter} for letter in "abc"]}}

    assert decided(rule(2), "ab") is YES
    assert decided(rule(3), "ab") is NO
    doubt: dict[str, Any] = {"side_channel": "unseen"}
    mixed = {"at_least": {"count": 2, "of": [doubt, {"contains": "a"}, {"contains": "b"}]}}
    assert decided(mixed, "a") is DOUBT
    assert decided(mixed, "ab") is YES
    assert decided(mixed, "x") is NO


def test_any_of_the_replies() -> None:
    replies = (Reply(text="It is BLUE"), Reply(text="  "), Reply(text="I never said that"))
    talk = Exchange(
        messages=(
            {"role": "assistant", "content": "An old one, BLUE too"},
            {"role": "user", "content": "What is it?"},
            {"role": "assistant", "content": "It is BLUE"},
            {"role": "user", "content": "Sure?"},
            {"role": "assistant", "content": "  "},
            {"role": "user", "content": "Really?"},
        ),
        reply=replies[-1],
        replies=replies,
    )
    assert Whole({"contains": "BLUE"}).decide(talk) is NO
    assert Whole({"any_reply": {"contains": "BLUE"}}).decide(talk) is YES
    assert Whole({"any_reply": {"not": {"contains": "never"}}}).decide(talk) is YES
    assert Whole({"any_reply": {"contains": "GREEN"}}).decide(talk) is NO
    last = replace(talk, reply=Reply(text=""), replies=(*replies[:2], Reply(text="")))
    assert Whole({"any_reply": {"contains": "BLUE"}}).decide(last) is YES
    asked = Whole({"any_reply": {"judge": "secret_disclosed"}}).decide(talk)
    assert isinstance(asked, Ask)
    assert "What is it?" in asked.messages[1]["content"]
    assert "Really?" not in asked.messages[1]["content"]
    assert Whole({"any_reply": {"contains": "a"}}).decide(Exchange(messages=(), reply=Reply(text="a"))) is YES


class Poem:
    """A detector of a stranger: success where the answer has so many lines."""

    roles = ("judge",)

    def __init__(self, argument: Any) -> None:
        self.lines = int(argument)
        self.version = f"poem/1:{argument}"

    def decide(self, exchange: Exchange) -> Outcome:
        return YES if exchange.reply.text.count("\n") + 1 >= self.lines else NO


def test_a_stranger_s_detector_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "poem"

        def load(self) -> type:
            return Poem

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()] if group == "manyeyes.detectors" else [])
    rule = {"plugin": {"name": "poem", "argument": 2}}
    assert decided(rule, "a\nb") is YES
    assert decided({"not": rule}, "a") is YES
    assert roles(rule) == {"judge"}
    assert Whole(rule).version != Whole({"plugin": {"name": "poem", "argument": 3}}).version
    with pytest.raises(registry.UnknownPluginError):
        Whole({"plugin": {"name": "prose"}})


RULES: list[dict[str, Any]] = [
    {"json_path": "$.a"},
    {"json_path": {"path": "$.a", "equals": 1}},
    {"json_path": {"path": "$.a", "equals": True}},
    {"json_path": {"path": "$.a", "equals": "1"}},
    {"json_path": {"path": "$.a", "absent": True}},
    {"tool_call": "a"},
    {"tool_call": {"name": "a", "after": ["b"]}},
    {"tool_call": {"name": "a", "after": ["b", "c"]}},
    {"tool_call": {"name": "a", "arguments": {"x": 1}}},
    {"tool_call": {"name": "a", "at_least": 2}},
    {"side_channel": "a"},
    {"side_channel": {"channel": "a", "where": {"x": 1}}},
    {"similarity": {"to": "a b", "at_least": 0.5}},
    {"similarity": {"to": "a b", "at_least": 0.5, "measure": "words"}},
    {"length": {"at_least": 1}},
    {"length": {"at_most": 1}},
    {"length": {"unit": "words", "at_most": 1}},
    {"format": "json"},
    {"format": "yaml"},
    {"format": {"is": "code_block", "language": "sql"}},
    {"format": {"regex": "a"}},
    {"judge": "secret_disclosed"},
    {"judge": "policy_bypass"},
    {"judge": "Is it so?"},
    {"judge": {"rubric": "policy_bypass", "about": "No codes."}},
    {"judge": {"rubric": "policy_bypass", "sees": "answer"}},
    {"judge": {"rubric": "policy_bypass", "answer": "word"}},
    {"judge": {"rubric": "policy_bypass", "scale": {"success": 7}}},
    {"judge": {"rubric": "policy_bypass", "scale": {"success": 8}}},
    {"judge": {"rubric": "policy_bypass", "scale": {"success": 8, "failure": 3}}},
    {"judge": {"rubric": "policy_bypass", "role": "confirm"}},
    {"confirm": {"rule": {"contains": "a"}, "by": {"human": "Is it?"}}},
    {"confirm": {"rule": {"contains": "b"}, "by": {"human": "Is it?"}}},
    {"at_least": {"count": 1, "of": [{"contains": "a"}, {"contains": "b"}]}},
    {"at_least": {"count": 2, "of": [{"contains": "a"}, {"contains": "b"}]}},
    {"any_reply": {"contains": "a"}},
]


def test_versions_follow_the_meaning() -> None:
    versions = [Whole(Rule.model_validate(rule).to_json()).version for rule in RULES]
    assert len(set(versions)) == len(RULES)
    assert versions == [Whole(Rule.model_validate(rule).to_json()).version for rule in RULES]


hostile_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
texts = st.one_of(
    st.text(st.characters(), max_size=200),
    hostile_json.map(lambda data: json.dumps(data, allow_nan=True)),
    st.sampled_from(
        ["```json\n{", "<a b=", "a: &x [*x]", "\ud800", "[" * 5_000, '{"a":' * 2_000, "\x00", "1e999", "-"]
    ),
)


@given(texts, hostile_json, st.integers(0, len(RULES) - 1))
def test_no_detector_stumbles(text: str, data: Any, number: int) -> None:
    exchange = Exchange(
        messages=({"role": "user", "content": text},),
        reply=Reply(text=text),
        tool_calls=(ToolCall(id="1", name="a", arguments=text), ToolCall(id="2", name="a", arguments=json.dumps(data))),
        observations={"a": [{"x": data, "y": text}]},
    )
    found = Whole(Rule.model_validate(RULES[number]).to_json()).decide(exchange)
    asked = 0
    while isinstance(found, Ask) and found.read is not None:
        found, asked = found.read(Reply(text=text)), asked + 1
        assert asked < 5
    assert isinstance(found, Ask) or found in (YES, NO, DOUBT)


def test_doubled_answers_take_doubled_time() -> None:
    """No detector is quadratic: eight times the text takes nowhere near sixty-four times the time."""
    filler = "".join(random.Random(5).choice('ab "{}[]:,<>\n`') for _ in range(12_000))
    for rule in RULES:
        if {"human", "judge", "confirm"} & set(rule):
            continue
        whole = Whole(Rule.model_validate(rule).to_json())
        times = []
        for text in (filler, filler * 8):
            began = time.process_time()
            for _ in range(3):
                whole.decide(replace(EMPTY, reply=Reply(text=text)))
            times.append(time.process_time() - began)
        assert times[1] < max(24 * times[0], 0.3), rule
