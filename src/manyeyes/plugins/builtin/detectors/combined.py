"""Combines detectors: all, any, not, in three-valued logic, so that a doubt stays a doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any as Anything

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.detection import build
from manyeyes.plugins.protocols import Ask, Detector, Exchange, Reply
from manyeyes.plugins.registry import fingerprint

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
        found = [child.decide(exchange) for child in self._children]
        outcomes = [one for one in found if not isinstance(one, Ask)]
        if self.decisive in outcomes:
            return self.decisive
        return self._after([one for one in found if isinstance(one, Ask)], Outcome.UNDECIDED in outcomes)

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


def _then(ask: Ask, go_on: Callable[[Found], Found]) -> Ask:
    """The same question, whose answer is passed on."""
    read = ask.read

    def reading(reply: Reply) -> Found:
        return go_on(Outcome.UNDECIDED if read is None else read(reply))

    return Ask(role=ask.role, question=ask.question, messages=ask.messages, params=ask.params, read=reading)
