"""What a target made of its settings (length of answers, seed), and how often an environment failed."""

from __future__ import annotations

from typing import Any

from manyeyes.engine.plan import Stream
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.store import TrialRecord

LENGTH, SEED, RESET = "answer length", "seed", "environment"
NOTICED = frozenset({LENGTH, SEED, RESET})
"""Checks that the run makes on all that came, late answers too; scoring again cannot make them alike."""

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


class Honoured:
    """Counts while answers come; both checks are facts, which a target that does as it is told never fails."""

    def __init__(self, document: PlanDocument) -> None:
        self._limits = {
            key: min(int(request.params[name]) for name in _LIMITS if request.params.get(name) is not None)
            for key, request in document.requests.items()
            if request.turns == "frozen"
            and not request.tools
            and request.environment is None
            and any(request.params.get(name) is not None for name in _LIMITS)
        }
        self._fixed = document.seeds == "fixed"
        self._texts: dict[str, str] = {}
        self._tried: dict[str, int] = {}
        self._changed: set[str] = set()
        self.counted = self.longer = 0
        self._reset = any(request.environment is not None for request in document.requests.values())
        self._trials = self._voids = 0

    def add(self, record: TrialRecord) -> None:
        """Count one answer of the target under question."""
        self._trials += 1
        self._voids += record.voids
        if record.stream in (Stream.POSITIVE, Stream.OLD):
            return
        limit = self._limits.get(record.cell)
        if limit is not None and record.tokens_out is not None:
            self.counted += 1
            self.longer += record.tokens_out > limit
        if self._fixed and record.digest is not None:
            first = self._texts.setdefault(record.cell, record.digest)
            self._tried[record.cell] = self._tried.get(record.cell, 0) + 1
            if first != record.digest:
                self._changed.add(record.cell)

    def checks(self) -> list[dict[str, Any]]:
        """What there is to say: nothing where no answer came with a count, or where seeds differ by trial."""
        found = []
        if self.counted:
            detail = f"{self.longer} of {self.counted} answers were longer than max_tokens by the target's own count"
            consequence = "the target does not honour max_tokens: the rates speak of longer answers than declared"
            found.append(_check(LENGTH, not self.longer, detail, consequence))
        if self._reset:
            detail = f"{self._voids} void trials beside {self._trials} valid ones, each from a reset that was checked"
            consequence = "void trials are in no rate: they were made again with the same index and seed"
            found.append(_check(RESET, not self._voids, detail, consequence))
        again = [cell for cell, count in self._tried.items() if count > 1]
        if again:
            kept = len(again) - len(self._changed)
            detail = f"{kept} of {len(again)} requests got the same text again under the same seed"
            consequence = "the target does not honour the seed: nobody can bring back one answer by it"
            found.append(_check(SEED, kept == len(again), detail, consequence))
        return found


def _check(name: str, passed: bool, detail: str, consequence: str) -> dict[str, Any]:
    return {"name": name, "passed": passed, "detail": detail, "consequence": consequence, "p_value": None}
