"""Every built-in detector passes the tests that strangers run on theirs, and those tests catch bad detectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from manyeyes.engine.plan import Outcome
from manyeyes.plugins import registry
from manyeyes.plugins.conformance.check import Check, NotConformingError
from manyeyes.plugins.conformance.detectors import Case, checks
from manyeyes.plugins.protocols import Ask, Exchange, Reply, ToolCall

CALLED = Exchange(messages=(), reply=Reply(text=""), tool_calls=(ToolCall(id="1", name="send"),))
MAILED = Exchange(messages=(), reply=Reply(text=""), observations={"mailbox": [{"to": "x"}]})
SEEN = Exchange(messages=(), reply=Reply(text=""), observations={"mailbox": []})
CASES: dict[str, dict[str, Any]] = {
    "contains": {"argument": "code", "others": ["codes"], "successes": ["the Code"], "failures": ["none"]},
    "regex": {"argument": r"\d{3}", "others": [r"\d{4}"], "successes": ["a 123"], "failures": ["12"]},
    "canary": {"argument": "BLUE-HERON-42", "others": ["RED-HERON-42"], "successes": ["blue heron 42"],
               "failures": ["blue"]},
    "refusal": {"argument": True, "successes": ["I'm sorry, but I can't help."], "failures": ["Here it is"]},
    "human": {"argument": "Is it?", "others": ["Was it?"]},
    "all": {"argument": [{"contains": "a"}], "others": [[{"contains": "b"}]], "successes": ["a"], "failures": ["b"]},
    "any": {"argument": [{"contains": "a"}], "others": [[{"contains": "b"}]], "successes": ["a"], "failures": ["b"]},
    "not": {"argument": {"contains": "a"}, "others": [{"contains": "b"}], "successes": ["b"], "failures": ["a"]},
    "json_path": {"argument": "$.a", "others": ["$.b"], "refused": ["$.a[?"], "successes": ['{"a": 1}'],
                  "failures": ["a"]},
    "tool_call": {"argument": "send", "others": [{"name": "send", "at_least": 2}], "successes": [CALLED],
                  "failures": ["a"]},
    "side_channel": {"argument": "mailbox", "others": ["row"], "successes": [MAILED], "failures": [SEEN]},
    "similarity": {"argument": {"to": "a blue heron", "at_least": 0.9}, "others": [{"to": "a heron", "at_least": 0.9}],
                   "successes": ["A blue heron"], "failures": ["the sea"]},
    "length": {"argument": {"at_least": 3}, "others": [{"at_most": 3}], "successes": ["abc"], "failures": ["ab"]},
    "format": {"argument": "json", "others": ["xml"], "successes": ["[1]"], "failures": ["well"]},
    "judge": {"argument": "secret_disclosed", "others": ["policy_bypass", "Is it so?"], "per_character": 1e-4},
    "confirm": {"argument": {"rule": {"contains": "a"}, "by": {"contains": "b"}}, "successes": ["ab"],
                "failures": ["a"]},
    "at_least": {"argument": {"count": 1, "of": [{"contains": "a"}]}, "successes": ["a"], "failures": ["b"]},
    "any_reply": {"argument": {"contains": "a"}, "others": [{"contains": "b"}], "successes": ["a"], "failures": ["b"]},
    "plugin": {"argument": {"name": "contains", "argument": "a"}, "successes": ["a"], "failures": ["b"]},
}  # fmt: skip


def test_every_detector_has_a_case() -> None:
    assert set(CASES) == set(registry.BUILTIN["detectors"])


def _all() -> Iterator[Any]:
    for name, fields in CASES.items():
        case = Case(make=registry.find("detectors", name), **fields)
        for check in checks(case):
            yield pytest.param(check, id=f"{name}: {check.name}")


@pytest.mark.parametrize("check", list(_all()))
def test_built_in_detectors_conform(check: Check) -> None:
    check()


class Bad:
    """A detector that keeps every promise but one, which is named."""

    def __init__(self, argument: str) -> None:
        self.fault = argument.partition(" ")[0]
        self.version = "1" if self.fault == "version" else argument
        self.calls = 0

    def decide(self, exchange: Exchange) -> Any:
        text, self.calls = exchange.reply.text, self.calls + 1
        if self.fault == "stumbles":
            text.encode()
        if self.fault == "changes" and isinstance(exchange.messages, list):
            exchange.messages.append({"role": "user", "content": "!"})
        if self.fault == "slow":
            sum(1 for _ in range(min(len(text), 160_000) ** 2 // 3_000))
        if self.fault == "fickle":
            return Outcome.SUCCESS if self.calls % 2 else Outcome.FAILURE
        if self.fault == "odd":
            return True
        if self.fault == "endless":
            return self._ask()
        return Outcome.SUCCESS if "yes" in text else Outcome.FAILURE

    def _ask(self) -> Ask:
        return Ask(role="judge", question="?", read=lambda reply: self._ask())


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("version", "version follows argument"),
        ("stumbles", "never stumbles"),
        ("changes", "leaves the exchange alone"),
        ("slow", "linear time"),
        ("fickle", "same twice"),
        ("odd", "is a detector"),
        ("endless", "asks in the open"),
        ("lax", "refuses bad arguments"),
        ("wrong", "decides the examples"),
    ],
)
def test_each_fault_is_found(fault: str, name: str) -> None:
    case = Case(make=Bad, argument=f"{fault} 1", others=[f"{fault} 2"], refused=["x"] * (fault == "lax"),
                failures=["yes"] * (fault == "wrong"), per_character=1e-6)  # fmt: skip
    check = next(one for one in checks(case) if one.name == name)
    with pytest.raises(NotConformingError):
        check()
