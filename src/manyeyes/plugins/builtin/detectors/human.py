"""Leaves the decision to a person."""

from __future__ import annotations

from manyeyes.plugins.protocols import Ask, Exchange
from manyeyes.plugins.registry import fingerprint


class Human:
    """Asks a person the question of the reproducer about every answer."""

    def __init__(self, argument: str) -> None:
        self._question = argument
        self.version = fingerprint("human/1", argument)

    def decide(self, exchange: Exchange) -> Ask:
        """The question, for a person to answer."""
        return Ask(role="human", question=self._question, messages=exchange.messages)
