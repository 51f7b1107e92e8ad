"""Decides by the length of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.protocols import Exchange, Reply
from manyeyes.plugins.registry import fingerprint


class Length:
    """Success where the answer is as long as asked, in characters (hidden ones too), words, or tokens.

    Words are what white space divides. Tokens are what the target said it wrote; undecided where it said nothing.
    """

    def __init__(self, argument: Mapping[str, Any]) -> None:
        self._unit = str(argument.get("unit", "characters"))
        self._least, self._most = argument.get("at_least"), argument.get("at_most")
        self.version = fingerprint("length/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where the length is within the bounds."""
        long = self._measured(exchange.reply)
        if long is None:
            return Outcome.UNDECIDED
        short = self._least is not None and long < self._least
        over = self._most is not None and long > self._most
        return Outcome.FAILURE if short or over else Outcome.SUCCESS

    def _measured(self, reply: Reply) -> int | None:
        if self._unit == "tokens":
            return reply.tokens_out
        return len(reply.text.split()) if self._unit == "words" else len(reply.text)
