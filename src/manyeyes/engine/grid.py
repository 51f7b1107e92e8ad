"""The trials of a search: its grid as far as it is laid out, and the fresh ones at the worst setting that it found."""

from __future__ import annotations

from collections.abc import Iterator

from manyeyes.engine.counted import FixedCount
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Cell, Plan, Stream, WorstRule
from manyeyes.engine.schedule import Layout, Place

SETTLED_N = 2
"""Fresh trials of a leader that gives one answer only: the second shows that it does."""


def rule_of(plan: Plan) -> WorstRule:
    """The rule of a map. ValueError for any other plan."""
    if plan.worst is None:
        raise ValueError("worst: this plan has no rule to search by; make it with plan_map")
    return plan.worst


class GridLayout(Layout):
    """The cells of a search as far as it is laid out, and the fresh trials at the leader once there is one."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.rule = rule_of(plan)
        self.order: list[Cell] = []
        self.leader: Cell | None = None

    def limit(self, stream: Stream) -> int:
        """The plan's cap for the search; for the fresh trials their number, two where the leader has one answer."""
        if stream is Stream.SCORE:
            return SETTLED_N if self.alone else self.rule.score_n
        return self.plan.cap if stream is Stream.MAIN else super().limit(stream)

    @property
    def alone(self) -> bool:
        """Whether the leader is declared to have one answer only, which the search tried once."""
        return self.leader is not None and self.leader.deterministic

    def cell(self, stream: Stream, index: int) -> Cell:
        """The cell of a trial. IndexError beyond what is laid out."""
        if stream is Stream.SCORE:
            if self.leader is None:
                raise IndexError(f"trial {index}: there is no leader yet to score")
            return self.leader
        return self.order[index] if stream is Stream.MAIN else super().cell(stream, index)


class FreshStage:
    """Fresh trials at the leader, a number fixed beforehand and never stopped early: the search is never scored."""

    phase = "score"

    def __init__(self, layout: GridLayout) -> None:
        assert layout.leader is not None
        self.count = FixedCount(layout.leader)
        self.total = layout.limit(Stream.SCORE)

    def advance(self, ledger: Ledger) -> bool:
        """Count; True when every trial has its answer."""
        while self.count.n < self.total and (answer := ledger.get(Stream.SCORE, self.count.n)):
            ledger.drop(Stream.SCORE, self.count.n)
            self.count.add(answer)
        return self.count.n == self.total

    def wanted(self) -> Iterator[Place]:
        """The trials not counted yet."""
        return ((Stream.SCORE, index) for index in range(self.count.n, self.total))
