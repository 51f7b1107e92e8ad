"""Notices a judge that never answers in the form it is asked for, before a whole run is spent on it."""

from __future__ import annotations

from collections import Counter

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.targets.saying import excerpt
from manyeyes.runs.store import TrialRecord
from manyeyes.runs.throttling import TargetUnreachable

FIRST = 24
"""Answers of a judge after which it must have decided one; as many as may wait for a person."""


class Formless:
    """What each judge said since the run began or went on."""

    def __init__(self) -> None:
        self._doubts: Counter[str] = Counter()
        self._decided: set[str] = set()

    def add(self, record: TrialRecord) -> TargetUnreachable | None:
        """Counts a trial; gives what ends the run where the first answers of a judge decided nothing at all."""
        for row in record.judged:
            role = str(row["role"])
            # A judge that is asked for no word of its own has decided where its trial is.
            said_so = row.get("word") or record.outcome
            if said_so not in (None, str(Outcome.UNDECIDED)):
                self._decided.add(role)
            if role in self._decided:
                continue
            self._doubts[role] += 1
            if self._doubts[role] >= FIRST:
                said = excerpt(str(row.get("answer", "")).encode())
                return TargetUnreachable(
                    role,
                    f"the judge did not answer in form: none of its first {FIRST} answers decided anything; mend the "
                    f"rubric or name another model. It said{said or ' nothing'}",
                )
        return None
