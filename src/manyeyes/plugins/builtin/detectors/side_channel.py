"""Decides by what an environment saw beside the answer: a mail that went out, a canary address that was opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors.conditions import AllWanted, UnreadableError
from manyeyes.plugins.builtin.detectors.counted import Bounds
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint


class SideChannel:
    """Success where the channel has as many entries that fit as asked; undecided where nobody watched that channel."""

    def __init__(self, argument: str | Mapping[str, Any]) -> None:
        options: Mapping[str, Any] = {"channel": argument} if isinstance(argument, str) else argument
        self._channel = str(options["channel"])
        self._where = AllWanted(options.get("where"))
        self._bounds = Bounds(options)
        self.version = fingerprint("side_channel/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where enough entries fit."""
        entries = exchange.observations.get(self._channel)
        if entries is None:
            return Outcome.UNDECIDED
        fits = [self._fits(entry) for entry in entries]
        return self._bounds.decide(fits.count(True), fits.count(None))

    def _fits(self, entry: Mapping[str, Any]) -> bool | None:
        try:
            return self._where.hold(entry)
        except UnreadableError:
            return None
