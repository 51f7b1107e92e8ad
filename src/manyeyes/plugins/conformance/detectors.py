"""What every detector must keep to: never stumble, decide the same way twice, stay linear, and change its version."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.conformance.check import Check, require
from manyeyes.plugins.protocols import Ask, Detector, Exchange, Reply, ToolCall

_LONG = 20_000
_HOSTILE = (
    "", " ", "\0", "\ud800", "\u202e\u200b\U000e0041", "[" * 5_000, '{"a":' * 3_000, "```\n" * 2_000, "<a>" * 3_000,
    "é" * 9_000, "0" * 9_000, "&#x41;" * 2_000, "%41" * 3_000, '{"verdict": "yes"}', "1e9999", "NaN", "\r\n" * 4_000,
)  # fmt: skip
_MOST_ASKS = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """A detector to try. `make` is the class or a function; `argument` what a reproducer would give it.

    `others` are arguments that mean something else, `refused` ones that cannot be used. `successes` and `failures` are
    answers (texts, or whole exchanges) that it must decide so. `per_character` is the most processor time an answer may
    take, in seconds for each of its characters.
    """

    make: Callable[[Any], Detector]
    argument: Any
    others: Sequence[Any] = ()
    refused: Sequence[Any] = ()
    successes: Sequence[str | Exchange] = ()
    failures: Sequence[str | Exchange] = ()
    per_character: float = 2e-5


def checks(case: Case) -> list[Check]:
    """The tests of one detector."""
    rows: list[tuple[str, str, Callable[[Case], None]]] = [
        ("is a detector", "has a version and decides an exchange", _is_detector),
        ("same twice", "two instances of one argument have one version and decide alike", _same_twice),
        ("version follows argument", "another meaning is another version", _versions),
        ("refuses bad arguments", "an argument that cannot be used is a ValueError that says why", _refuses),
        ("decides the examples", "the case's own answers come out as it says", _examples),
        ("never stumbles", "hostile answers, tool calls and observations raise nothing", _never_stumbles),
        ("leaves the exchange alone", "deciding changes nothing that it was given", _leaves_alone),
        ("linear time", "eight times the answer takes far less than sixty-four times the time", _linear),
        ("asks in the open", "a question has a role and words, and reading any answer ends", _asks),
    ]
    return [Check(name, promise, partial(run, case)) for name, promise, run in rows]


def _exchange(said: str | Exchange) -> Exchange:
    if isinstance(said, Exchange):
        return said
    return Exchange(messages=({"role": "user", "content": "?"},), reply=Reply(text=said))


def _is_detector(case: Case) -> None:
    made = case.make(case.argument)
    require(isinstance(made, Detector), f"{type(made).__name__} lacks `version` or `decide`")
    require(isinstance(made.version, str) and bool(made.version), f"version is {made.version!r}, not a text")
    found = made.decide(_exchange("some words"))
    require(isinstance(found, Outcome | Ask), f"decide gave {found!r}, not an Outcome or an Ask")


def _same_twice(case: Case) -> None:
    one, other = case.make(case.argument), case.make(case.argument)
    require(one.version == other.version, f"versions {one.version} and {other.version} of the same argument")
    for text in (*_HOSTILE, "some words"):
        first, second, third = one.decide(_exchange(text)), other.decide(_exchange(text)), one.decide(_exchange(text))
        alike = _plain(first) == _plain(second) == _plain(third)
        require(alike, f"{text[:30]!r} was decided {first!r}, then {second!r} and {third!r}")


def _plain(found: Outcome | Ask) -> Any:
    return (found.role, found.question, tuple(found.messages)) if isinstance(found, Ask) else found


def _versions(case: Case) -> None:
    arguments = [case.argument, *case.others]
    versions = [case.make(argument).version for argument in arguments]
    require(len(set(versions)) == len(versions), f"{len(arguments)} meanings have only {len(set(versions))} versions")


def _refuses(case: Case) -> None:
    for argument in case.refused:
        try:
            case.make(argument)
        except ValueError as error:
            require(bool(str(error)), f"{argument!r} was refused without a reason")
        else:
            require(False, f"{argument!r} was taken")


def _examples(case: Case) -> None:
    detector = case.make(case.argument)
    for wanted, answers in ((Outcome.SUCCESS, case.successes), (Outcome.FAILURE, case.failures)):
        for said in answers:
            found = detector.decide(_exchange(said))
            require(found is wanted, f"{said!r:.80} was decided {found!r:.80}, not {wanted}")


def _hostile() -> list[Exchange]:
    rows = [_exchange(text) for text in _HOSTILE]
    for text in _HOSTILE:
        calls = (ToolCall(id="", name=text[:50], arguments=text), ToolCall(id="1", name="send", arguments="[1]"))
        seen: dict[str, Any] = {"mailbox": [{}, {"to": None, text[:20]: [text]}], text[:20]: []}
        talk = ({"role": "user", "content": text}, {"role": "assistant", "content": "", "tool_calls": []})
        reply = Reply(text=text, finish_reason=text[:9], tokens_out=None)
        rows.append(Exchange(messages=talk, reply=reply, replies=(reply, reply), tool_calls=calls, observations=seen))
    return [*rows, Exchange(messages=(), reply=Reply(text=""))]


def _never_stumbles(case: Case) -> None:
    detector = case.make(case.argument)
    for exchange in _hostile():
        try:
            found = detector.decide(exchange)
        except Exception as error:
            require(False, f"{exchange.reply.text[:30]!r} raised {type(error).__name__}: {error}")
        else:
            require(isinstance(found, Outcome | Ask), f"{exchange.reply.text[:30]!r} gave {found!r}")


def _leaves_alone(case: Case) -> None:
    entry = {"to": "x"}
    message = {"role": "user", "content": "?"}
    exchange = Exchange(messages=[message], reply=Reply(text="well"), observations={"mailbox": [entry]})
    case.make(case.argument).decide(exchange)
    changed = (message, entry) != ({"role": "user", "content": "?"}, {"to": "x"})
    require(not changed and len(exchange.messages) == 1, "the messages or observations were changed")


def _linear(case: Case) -> None:
    detector = case.make(case.argument)
    for unit in ("a ", "[", '{"a": ', "ab1.", "```\n", "é"):
        short, long = (replace(_exchange(""), reply=Reply(text=unit * (n // len(unit)))) for n in (_LONG, 8 * _LONG))
        small, large = _took(detector, short), _took(detector, long)
        limit = max(24 * small, case.per_character * 8 * _LONG)
        require(
            large <= limit, f"{unit!r} repeated: {small:.3f} s for {_LONG} characters, {large:.3f} s for eight times"
        )


def _took(detector: Detector, exchange: Exchange) -> float:
    began = time.process_time()
    detector.decide(exchange)
    return time.process_time() - began


def _asks(case: Case) -> None:
    found = case.make(case.argument).decide(_exchange("some words"))
    asked = 0
    while isinstance(found, Ask):
        require(bool(found.role), "the question names no role")
        require(bool(found.question or found.messages), "the question has no words")
        asked += 1
        require(asked <= _MOST_ASKS, f"more than {_MOST_ASKS} questions about one answer")
        if found.read is None:
            return
        for text in _HOSTILE:
            step = found.read(Reply(text=text))
            require(isinstance(step, Outcome | Ask), f"reading {text[:30]!r} gave {step!r}")
        found = found.read(Reply(text="nonsense"))
