"""Decides by a text that the answer contains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint


class Contains:
    """Success where the answer contains the text; capitals matter only with `case: true`."""

    def __init__(self, argument: str | Mapping[str, Any]) -> None:
        options = {"text": argument} if isinstance(argument, str) else argument
        self._case = bool(options.get("case", False))
        self._text = str(options["text"]) if self._case else str(options["text"]).casefold()
        self.version = fingerprint("contains/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where the text is there."""
        text = exchange.reply.text
        return Outcome.SUCCESS if self._text in (text if self._case else text.casefold()) else Outcome.FAILURE
