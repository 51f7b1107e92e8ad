"""Combines detectors in three-valued logic, so that a doubt stays a doubt, and asks only what still matters.

Free detectors are looked at first, then models are asked, then people; asking stops where the answer is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any as Anything

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.detection import build
from manyeyes.plugins.protocols import Ask, Detector, Exchange, Reply
from manyeyes.plugins.registry import find, fingerprint

Found = Outcome | Ask
_OPPOSITE = {Outcome.SUCCESS: Outcome.FAILURE, Outcome.FAILURE: Outcome.SUCCESS, Outcome.UNDECIDED: Outcome.UNDECIDED}


class _Several:
    """Asks its children in order and stops at the first that settles it (`decisive`)."""

    kind = ""
    decisive = Outcome.FAILURE

    def __init__(self, argument: Sequence[Mapping[str, Anything]]) -> None:
        self._children: list[Detector] = [build(rule) for rule in argument]
        self.version = fingerprint(f"{self.kind}/1", [child.version for child in self._children])

    def decide(self, exchange: Exchange) -> Found:
        """The children's answer taken together; free detectors are asked before those that ask back."""
        return self.settle([child.decide(exchange) for child in self._children])

    def settle(self, found: Sequence[Found]) -> Found:
        """These answers taken together."""
        outcomes = [one for one in found if not isinstance(one, Ask)]
        if self.decisive in outcomes:
            return self.decisive
        return self._after(_people_last(found), Outcome.UNDECIDED in outcomes)

    def _after(self, asks: Sequence[Ask], doubt: bool) -> Found:
        if not asks:
            return Outcome.UNDECIDED if doubt else _OPPOSITE[self.decisive]

        def go_on(found: Found) -> Found:
            if isinstance(found, Ask):
                return _then(found, go_on)
            return (
                self.decisive if found == self.decisive else self._after(asks[1:], doubt or found == Outcome.UNDECIDED)
            )

        return _then(asks[0], go_on)


class All(_Several):
    """Success where every child says success."""

    kind = "all"
    decisive = Outcome.FAILURE


class Any(_Several):
    """Success where one child says success."""

    kind = "any"
    decisive = Outcome.SUCCESS


class Not:
    """Success where the child says failure."""

    def __init__(self, argument: Mapping[str, Anything]) -> None:
        self._child = build(argument)
        self.version = fingerprint("not/1", self._child.version)

    def decide(self, exchange: Exchange) -> Found:
        """The opposite of the child."""

        def turn(found: Found) -> Found:
            return _then(found, turn) if isinstance(found, Ask) else _OPPOSITE[found]

        return turn(self._child.decide(exchange))


class AtLeast:
    """Success where so many children say success."""

    def __init__(self, argument: Mapping[str, Anything]) -> None:
        self._count = int(argument["count"])
        self._children = [build(rule) for rule in argument["of"]]
        self.version = fingerprint("at_least/1", [self._count, *(child.version for child in self._children)])

    def decide(self, exchange: Exchange) -> Found:
        """Whether enough children say success."""
        found = [child.decide(exchange) for child in self._children]
        return self._after(_people_last(found), found.count(Outcome.SUCCESS), found.count(Outcome.UNDECIDED))

    def _after(self, asks: Sequence[Ask], yes: int, doubts: int) -> Found:
        if yes >= self._count:
            return Outcome.SUCCESS
        if yes + doubts + len(asks) < self._count:
            return Outcome.FAILURE
        if yes + len(asks) < self._count:
            return Outcome.UNDECIDED

        def go_on(found: Found) -> Found:
            if isinstance(found, Ask):
                return _then(found, go_on)
            return self._after(asks[1:], yes + (found == Outcome.SUCCESS), doubts + (found == Outcome.UNDECIDED))

        return _then(asks[0], go_on)


class Confirm:
    """The second rule decides wherever the first one says success or is in doubt; a failure of the first stands.

    So no success rests on the first rule alone, and its false alarms do not count.
    """

    def __init__(self, argument: Mapping[str, Anything]) -> None:
        self._first, self._second = build(argument["rule"]), build(argument["by"])
        self.version = fingerprint("confirm/1", [self._first.version, self._second.version])

    def decide(self, exchange: Exchange) -> Found:
        """The first rule's failure, or what the second rule says."""

        def go_on(found: Found) -> Found:
            if isinstance(found, Ask):
                return _then(found, go_on)
            return found if found == Outcome.FAILURE else self._second.decide(exchange)

        return go_on(self._first.decide(exchange))


class AnyReply:
    """Success where the child says success of one of the trial's live answers, not only of the last."""

    def __init__(self, argument: Mapping[str, Anything]) -> None:
        self._child = build(argument)
        self.version = fingerprint("any_reply/1", self._child.version)

    def decide(self, exchange: Exchange) -> Found:
        """The child's answers about each reply, taken together; an empty one is a failure."""
        turns = [_turn(exchange, place) for place in range(len(exchange.replies or (exchange.reply,)))]
        found = [self._child.decide(turn) if turn.reply.text.strip() else Outcome.FAILURE for turn in turns]
        return _OneOf().settle(found)


class _OneOf(_Several):
    kind = "any"
    decisive = Outcome.SUCCESS

    def __init__(self) -> None:
        super().__init__(())


class Installed:
    """Whatever the detector of an installed package says."""

    def __init__(self, argument: Mapping[str, Anything]) -> None:
        self._detector: Detector = find("detectors", str(argument["name"]))(argument.get("argument"))
        self.version = fingerprint(f"plugin/1 {argument['name']}", self._detector.version)

    def decide(self, exchange: Exchange) -> Found:
        """What it says."""
        return self._detector.decide(exchange)


def _people_last(found: Sequence[Found]) -> list[Ask]:
    """The questions, those to models first: a person is only asked where no model settled it."""
    return sorted((one for one in found if isinstance(one, Ask)), key=lambda ask: ask.role == "human")


def _turn(exchange: Exchange, place: int) -> Exchange:
    """The trial as it stood when this reply came: the messages before it, and the calls it asked for itself."""
    replies = exchange.replies or (exchange.reply,)
    if place == len(replies) - 1:
        return exchange
    said = [at for at, message in enumerate(exchange.messages) if message["role"] == "assistant"]
    back = len(replies) - 1 - place
    messages = exchange.messages[: said[-back]] if back <= len(said) else exchange.messages
    reply = replies[place]
    return replace(exchange, messages=messages, reply=reply, replies=replies[: place + 1], tool_calls=reply.tool_calls)


def _then(ask: Ask, go_on: Callable[[Found], Found]) -> Ask:
    """The same question, whose answer is passed on."""
    read = ask.read

    def reading(reply: Reply) -> Found:
        return go_on(Outcome.UNDECIDED if read is None else read(reply))

    return replace(ask, read=reading)
