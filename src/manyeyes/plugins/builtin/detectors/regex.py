"""Decides by an expression in RE2, which reads any answer in linear time."""

from __future__ import annotations

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors.pattern import Pattern
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint


class Regex:
    """Success where the expression is found anywhere in the answer."""

    def __init__(self, argument: str) -> None:
        self._pattern = Pattern(argument)
        self.version = fingerprint("regex/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where the expression is found."""
        return Outcome.SUCCESS if self._pattern.found(exchange.reply.text) else Outcome.FAILURE
