"""Decides by a value in the JSON of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors.conditions import UnreadableError, Wanted, documents
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint
from manyeyes.reproducer.jsonpath import find, parse_path


class JsonPath:
    """Success where the JSON of the answer (all of it, or in code blocks) has a value at the path that passes the test.

    An answer without JSON is a failure, also for `absent`. JSON too long or too deep to look at is undecided.
    """

    def __init__(self, argument: str | Mapping[str, Any]) -> None:
        options = {"path": argument} if isinstance(argument, str) else dict(argument)
        self._steps = parse_path(options.pop("path"))
        self._wanted = Wanted(options) if options else None
        self.version = fingerprint("json_path/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where the value is there and passes."""
        try:
            hit = any(self._fits(find(self._steps, data)) for data in documents(exchange.reply.text))
        except UnreadableError:
            return Outcome.UNDECIDED
        return Outcome.SUCCESS if hit else Outcome.FAILURE

    def _fits(self, found: list[Any]) -> bool:
        return bool(found) if self._wanted is None else self._wanted.holds(found)
