"""Builds a detector from the rule in a reproducer, and holds what is true of every detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.protocols import Ask, Detector, Exchange
from manyeyes.plugins.registry import find, fingerprint

_BLOCKS = frozenset({"content_filter", "refusal", "safety"})


def build(rule: Mapping[str, Any]) -> Detector:
    """The detector of one node of a rule, which has exactly one key: its name."""
    if len(rule) != 1:
        raise ValueError(f"a detector needs exactly one name, not {', '.join(rule) or 'none'}")
    ((name, argument),) = rule.items()
    detector: Detector = find("detectors", name)(argument)
    return detector


class Whole:
    """A whole rule. An empty answer is a failure, whatever the rule says of absent words.

    The one exception: where the rule looks for a refusal and the target says that it blocked the answer.
    """

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self._detector = build(rule)
        self._refusal = _wants_refusal(rule)
        self.version = fingerprint("whole/1", self._detector.version)

    def decide(self, exchange: Exchange) -> Outcome | Ask:
        """What the answer was."""
        reply = exchange.reply
        if not reply.text.strip() and not (self._refusal and reply.finish_reason in _BLOCKS):
            return Outcome.FAILURE
        return self._detector.decide(exchange)


def _wants_refusal(rule: Mapping[str, Any]) -> bool:
    return "refusal" in rule or any(_wants_refusal(child) for name in ("all", "any") for child in rule.get(name, ()))
