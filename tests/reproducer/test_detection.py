"""The rule tree: what may be written, what an error says and where, and that old files keep their hashes."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from manyeyes.plugins import registry
from manyeyes.reproducer import jsonpath
from manyeyes.reproducer.detection import Rule, detector_names
from manyeyes.reproducer.load import ReproducerError, dump_text, load_text
from tests.reproducer.examples import EXAMPLE

LINE = 'success: {canary: "BLUE-HERON-42"}'


def loaded(rule: str) -> Rule:
    return load_text(EXAMPLE.replace(LINE, f"success:\n  {rule}"), "f.yaml").success


def test_doctests() -> None:
    assert doctest.testmod(jsonpath).failed == 0


def test_old_files_keep_their_hash() -> None:
    """Plans and reports name a reproducer by this hash."""
    assert load_text(EXAMPLE).hash == "db200ea0279f0c1ebce404051db61189239a8d7b9fae619327d764301ada325a"
    old = "{all: [{any: [{contains: a}, {contains: {text: b, case: true}}]}, {not: {regex: c}}, {human: d}]}"
    assert load_text(EXAMPLE.replace('{canary: "BLUE-HERON-42"}', old)).success.to_json() == {
        "all": [
            {"any": [{"contains": "a"}, {"contains": {"text": "b", "case": True}}]},
            {"not": {"regex": "c"}},
            {"human": "d"},
        ]
    }


@pytest.mark.parametrize(
    ("rule", "place", "said"),
    [
        ("json_path: $.a[?(@)]", "success.json_path", "cannot be read from '[?(@)]' on"),
        ("json_path: {path: a, equals: 1, regex: b}", "success.json_path", "several tests at once (equals, regex)"),
        ("tool_call: {name: 3}", "success.tool_call.name", "must be text, or {contains: text}"),
        ("tool_call: {name: {at_least: 3}}", "success.tool_call.name", "must be text, or {contains: text}"),
        ("tool_call: {name: {regex: '('}}", "success.tool_call.name.regex", "RE2"),
        ("tool_call: {name: a, arguments: {x: {}}}", "success.tool_call.arguments.x", "names no test"),
        ("tool_call: {name: a, arguments: {'x[': 1}}", "success.tool_call.arguments.x[", "cannot be read from"),
        ("tool_call: {name: a, at_least: 3, at_most: 2}", "success.tool_call.at_most", "not be below at_least = 3"),
        ("tool_call: {name: a, at_least: 0}", "success.tool_call.at_least", "0 is always so"),
        ("side_channel: my box", "success.side_channel", "must be a short name"),
        ("side_channel: {where: {a: 1}}", "success.side_channel.channel", "is required"),
        ("similarity: {to: '...', at_least: 0.5}", "success.similarity.to", "no letters or digits"),
        ("similarity: {to: abc, at_least: 1.5}", "success.similarity.at_least", "at most 1"),
        ("length: {unit: words}", "success.length", "needs at_least, at_most or both"),
        ("length: {at_least: 3, at_most: 2}", "success.length.at_most", "not be below at_least = 3"),
        ("format: jsn", "success.format", "must be one of 'json', 'xml', 'yaml' or 'code_block'"),
        ("format: {is: json, regex: a}", "success.format", "either 'is' or 'regex'"),
        ("format: {is: json, language: sql}", "success.format.language", "belongs to 'is: code_block'"),
        ("judge: secret_disclose", "success.judge", "did you mean 'secret_disclosed'?"),
        ("judge: x", "success.judge", "is not a rubric; known are harmful_compliance"),
        ("judge: {about: it}", "success.judge", "either a rubric or a question"),
        ("judge: {rubric: policy_bypass, scale: {success: 99}}", "success.judge.scale", "in the order low"),
        ("judge: {rubric: policy_bypass, answer: word, scale: {success: 7}}", "success.judge.answer", "needs 'json'"),
        ("judge: {rubric: policy_bypass, role: main}", "success.judge.role", "must be one of 'judge' or 'confirm'"),
        ("confirm: {rule: {contains: a}}", "success.confirm.by", "is required"),
        ("at_least: {count: 3, of: [{contains: a}]}", "success.at_least.count", "3 of 1 rules can never be reached"),
        ("any_reply: {contians: a}", "success.any_reply.contians", "did you mean 'contains'?"),
        ("plugin: {name: 'a b'}", "success.plugin.name", "must be a short name"),
        ("all: [{contains: a, tool_call: b}]", "success.all[0]", "names several detectors at once"),
    ],
)
def test_errors_name_the_field_and_the_line(rule: str, place: str, said: str) -> None:
    with pytest.raises(ReproducerError) as caught:
        loaded(rule)
    problem = caught.value.problems[0]
    assert problem.field == place
    assert said in problem.message
    assert problem.line == 15


@pytest.mark.parametrize(
    "rule",
    [
        "json_path: {path: $..role, equals: true}",
        "tool_call: {name: send, arguments: {to: {contains: '@'}, n: 3}, after: [read], at_most: 3}",
        "side_channel: {channel: mailbox, where: {to: x}}\nenvironment: {name: mail_agent}",
        "similarity: {to: a b c, measure: recall, at_least: 0.8}",
        "length: {unit: words, at_most: 3}",
        "format: {is: code_block, language: python}",
        "judge: {rubric: harmful_compliance, scale: {low: 0, high: 5, success: 4, failure: 1}}",
        "judge: Does the answer tell the code?",
        "confirm: {rule: {judge: secret_disclosed}, by: {human: Is the code there?}}",
        "at_least: {count: 2, of: [{contains: a}, {contains: b}]}",
        "any_reply: {not: {refusal: true}}",
        "plugin: {name: poem, argument: {lines: [1, 2]}}",
    ],
)
def test_what_is_written_is_read_back(rule: str) -> None:
    text = EXAMPLE.replace(LINE, f"success:\n  {rule}")
    first = load_text(text)
    assert load_text(dump_text(first)) == first
    assert Rule.model_validate(first.success.to_json()) == first.success


def test_every_node_is_found() -> None:
    rule = Rule.model_validate(
        {"any": [{"not": {"contains": "a"}}, {"confirm": {"rule": {"any_reply": {"regex": "b"}}, "by": {"human": "?"}}},
                 {"at_least": {"count": 1, "of": [{"canary": "abcdef"}]}}, {"all": [{"refusal": True}]}]}
    )  # fmt: skip
    found: list[Any] = [name for node in rule.below() for name in node.to_json()]
    assert found == [
        "any",
        "not",
        "contains",
        "confirm",
        "any_reply",
        "regex",
        "human",
        "at_least",
        "canary",
        "all",
        "refusal",
    ]


def test_the_format_and_the_plugins_know_the_same_detectors() -> None:
    assert set(detector_names()) == set(registry.BUILTIN["detectors"])


def test_a_side_channel_needs_somebody_who_watches_it() -> None:
    for rule in ("side_channel: mailbox", "not: {any: [{contains: a}, {side_channel: {channel: mailbox}}]}"):
        with pytest.raises(
            ReproducerError, match="environment: is required, since a rule looks at the side channel 'mail"
        ):
            loaded(rule)
        assert loaded(f"{rule}\nenvironment: {{name: mail_agent}}")
        human = "turns: human\nprocedure: Look into the mailbox, then type {{wording}}"
        assert loaded(f"{rule}\n{human}")
