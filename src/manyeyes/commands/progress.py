"""Tells on standard error how a run is going: one line that is written over, or now and then a line."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from manyeyes.charts.inert import terminal
from manyeyes.engine.plan import Plan, Progress, Question
from manyeyes.engine.planner import Edge, edges
from manyeyes.rules.numerals import interval_words, many, seconds_words
from manyeyes.runs.driver import Standing

FOR = {
    "reproduced": "that it happens",
    "not_reproduced": "that it is rarer",
    "holds": "that the fix holds",
    "fails": "that the fix fails",
    "not_shown": "that it falls short",
    "worse": "that it is worse",
    "better": "that it is better",
}
PHASES = {
    "main": "deciding",
    "assay": "side requests",
    "attribute": "each kind of wording",
    "score": "fixed trials",
    "sweep": "finding by finding",
    "done": "done",
}
TERMINAL, FIRST, LONGEST = 0.2, 5.0, 60.0
"""Seconds between two lines: in a terminal; elsewhere first, then growing up to the longest."""
AHEAD = 20_000
"""Trials that are looked ahead; a plan with a larger cap is told its cap only."""


class Live:
    """Writes where a run stands, not too often: `live(standing)` after each batch, `live.end()` at the end."""

    def __init__(
        self, plan: Plan, *, terminal: bool, out: TextIO | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.plan, self.terminal, self.out, self.now = plan, terminal, out or sys.stderr, now
        self.every = TERMINAL if terminal else FIRST
        self.began: float | None = None
        self.last, self.calls, self.wrote = now(), 0, False
        self.left = Left(plan)

    def __call__(self, standing: Standing) -> None:
        """Tells where the run stands."""
        now = self.now()
        if self.began is None:
            self.began, self.calls = now, standing.calls
        if now - self.last < self.every:
            return
        self.last, self.wrote = now, True
        if not self.terminal:
            self.every = min(self.every * 1.5, LONGEST)
        self._write(line(standing, self.plan, self.left(standing.progress), self._speed(standing, now)))

    def _speed(self, standing: Standing, now: float) -> float:
        """Calls a second in this process."""
        spent = now - (self.began or now)
        return (standing.calls - self.calls) / spent if spent > 1 else 0.0

    def _write(self, said: str) -> None:
        if self.terminal:
            said = said[: max(20, shutil.get_terminal_size().columns - 1)]
        said = terminal(said)
        print(said, end="\x1b[K\r" if self.terminal else "\n", file=self.out, flush=True)

    def end(self) -> None:
        """Leaves the line."""
        if self.wrote and self.terminal:
            print(file=self.out)


class Left:
    """How many trials are left if the rate stays as it was so far: where the planner's boundaries would be met."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._steps = edges(plan) if _planned(plan) else iter(())
        self._table: list[Edge] = []

    def __call__(self, at: Progress) -> int | None:
        """Trials until the rule is met; None where nobody can say, or the cap comes first."""
        if at.phase != "main" or not _planned(self._plan):
            return None
        rate = at.k / at.n if at.n else 0.0
        for n in range(at.n + 1, at.cap + 1):
            edge = self._edge(n)
            if edge is None:
                return None
            k = at.k + round(rate * (n - at.n))
            if k <= edge.low or any(k >= least for _, least in edge.high):
                return n - at.n
        return None

    def _edge(self, n: int) -> Edge | None:
        while len(self._table) < n:
            edge = next(self._steps, None)
            if edge is None:
                return None
            self._table.append(edge)
        return self._table[n - 1]


def _planned(plan: Plan) -> bool:
    return plan.question in (Question.REPRODUCE, Question.VERIFY) and not plan.control and plan.cap <= AHEAD


def line(standing: Standing, plan: Plan, left: int | None, speed: float) -> str:
    """Where a run stands, in one line."""
    at = standing.progress
    counted = f"{at.k} of {at.n} succeeded, {interval_words(at.low, at.high)}" if at.n else "no trial counted yet"
    parts = [f"{PHASES.get(at.phase, at.phase)}: {counted}", _left(at, left, speed, standing), _evidence(at)]
    parts.append(f"{many(standing.calls, 'call')}, {standing.under_way} under way")
    return "; ".join(part for part in parts if part)


def _evidence(at: Progress) -> str:
    """The word that is nearest to being said."""
    if not at.evalues or not at.n or at.phase != "main":
        return ""
    word, value = max(at.evalues.items(), key=lambda item: item[1])
    return f"evidence {value:.3g} of {at.threshold:.0f} {FOR.get(word, 'for ' + word)}"


def _left(at: Progress, left: int | None, speed: float, standing: Standing) -> str:
    if at.phase != "main":
        return ""
    trials = max(0, at.cap - at.n) if left is None else left
    words = f"at most {many(trials, 'trial')} left" if left is None else f"about {many(trials, 'trial')} left"
    if not speed:
        return words
    each = standing.calls / at.asked if at.asked else 1.0
    return f"{words}, {seconds_words(trials * each / speed)}"
