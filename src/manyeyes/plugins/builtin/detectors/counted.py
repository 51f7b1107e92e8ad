"""Counts what fits where some of it could not be read: the answer is given only where the doubt cannot change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.engine.plan import Outcome


class Bounds:
    """At least and at most so many."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._least = int(options.get("at_least", 1))
        most = options.get("at_most")
        self._most = None if most is None else int(most)

    def decide(self, sure: int, doubtful: int) -> Outcome:
        """The outcome for `sure` things that fit and `doubtful` ones that may.

        >>> str(Bounds({"at_least": 1}).decide(0, 1)), str(Bounds({"at_least": 1}).decide(1, 5))
        ('undecided', 'success')
        """
        if sure + doubtful < self._least or (self._most is not None and sure > self._most):
            return Outcome.FAILURE
        if sure >= self._least and (self._most is None or sure + doubtful <= self._most):
            return Outcome.SUCCESS
        return Outcome.UNDECIDED
