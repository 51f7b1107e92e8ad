"""Decides by the tools that a model asked for in the trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors.conditions import AllWanted, UnreadableError, Wanted, read_json
from manyeyes.plugins.builtin.detectors.counted import Bounds
from manyeyes.plugins.protocols import Exchange, ToolCall
from manyeyes.plugins.registry import fingerprint


class CalledTool:
    """Success where the tool was called with arguments that fit, after the others named, as often as asked.

    Every call of the trial is looked at, whatever was answered to it. Arguments that are no JSON object leave the call
    in doubt where a condition needs them.
    """

    def __init__(self, argument: str | Mapping[str, Any]) -> None:
        options: Mapping[str, Any] = {"name": argument} if isinstance(argument, str) else argument
        self._name = Wanted(options["name"])
        self._arguments = AllWanted(options.get("arguments"))
        self._after = tuple(options.get("after") or ())
        self._bounds = Bounds(options)
        self.version = fingerprint("tool_call/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where enough calls fit."""
        sure = doubtful = seen = 0
        for call in exchange.tool_calls or exchange.reply.tool_calls:
            if seen == len(self._after) and self._name.holds([call.name]):
                fits = self._fits(call)
                sure += fits is True
                doubtful += fits is None
            if seen < len(self._after) and call.name == self._after[seen]:
                seen += 1
        return self._bounds.decide(sure, doubtful)

    def _fits(self, call: ToolCall) -> bool | None:
        """Whether the arguments fit; None where they cannot be read."""
        if not self._arguments:
            return True
        try:
            data = read_json(call.arguments.strip() or "{}")
            return self._arguments.hold(data) if isinstance(data, dict) else None
        except (ValueError, UnreadableError):
            return None
