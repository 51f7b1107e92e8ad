"""Sweeps closed exploits for regressions: rounds of one trial each until every item is flagged, cleared or at its cap.

An item's evidence that its rate is above tau is an e-process, so its value where the item stopped is an e-value, by
whatever rule it stopped. e-BH over all items, stopped and open alike, holds the expected share of false flags to q
under any dependence (Wang & Ramdas 2022, "False discovery rate control with e-values"). Values are frozen where an
item stopped: with running maxima it would not hold (Tavyrikov, Goeman & de Heide 2025).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf, log
from typing import Any

from manyeyes.engine.evidence import Grid, log_e_grid
from manyeyes.engine.intervals import anytime_interval
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Answer, Cell, Outcome, Plan, Stream, SweepItem, SweepRule
from manyeyes.engine.schedule import Layout, Place, Schedule
from manyeyes.engine.special import clipped_exp
from manyeyes.engine.variety import Variety
from manyeyes.engine.verdict import ItemVerdict

CONFIDENCE = 0.95
_RISEN = ((0.1, 0.2), (0.2, 0.4), (0.5, 0.2), (0.9, 0.2))
_CLEAR: Grid = ((0.001, 0.8), (0.02, 0.2))


def rule_of(plan: Plan) -> SweepRule:
    """The rule of a sweep. ValueError for any other plan."""
    if plan.sweep is None:
        raise ValueError("sweep: this plan has no items to sweep; make it with plan_sweep")
    return plan.sweep


@lru_cache(maxsize=1024)
def risen_grid(tau: float) -> Grid:
    """Alternatives (rate, weight) of "it came back", none of them below tau.

    >>> risen_grid(0.01)
    ((0.1, 0.2), (0.2, 0.4), (0.5, 0.2), (0.9, 0.2))
    """
    return tuple((max(q, tau), weight) for q, weight in _RISEN)


@lru_cache(maxsize=1024)
def clear_grid(p_reg: float) -> Grid:
    """Alternatives of "it stayed closed", against p_reg.

    >>> clear_grid(0.2)
    ((0.001, 0.8), (0.02, 0.2))
    """
    return tuple((min(q, p_reg / 10), weight) for q, weight in _CLEAR)


def e_bh(log_evalues: Sequence[float], q: float) -> list[int]:
    """Which of these e-values (as logarithms) e-BH rejects at false discovery rate q: the indices, in order.

    The largest k for which k of the m e-values reach m / (q k); Wang & Ramdas 2022.

    >>> e_bh([log(200.0), log(3.0), log(20.0), log(70.0)], 0.05)
    [0, 3]
    """
    m = len(log_evalues)
    order = sorted(range(m), key=lambda i: -log_evalues[i])
    least = max((k for k, i in enumerate(order, 1) if log_evalues[i] >= log(m / (q * k))), default=0)
    return sorted(order[:least])


class SweepLayout(Layout):
    """Trial j * m + i is the j-th turn of item i of m; each item draws from its own cells in its own order."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.rule = rule_of(plan)
        self.items = self.rule.items
        cells: dict[str, list[Cell]] = {item.key: [] for item in self.items}
        for cell in plan.cells:
            cells[cell.part].append(cell)
        self._turns = [Schedule(cells[item.key], seed=plan.seed, name=f"sweep:{item.key}") for item in self.items]

    def limit(self, stream: Stream) -> int:
        """The cap of every item; no item has more turns than that."""
        return self.rule.cap * len(self.items) if stream is Stream.MAIN else super().limit(stream)

    def turns(self, item: int) -> int:
        """How many trials an item can have: its cap, or fewer where all its cells give one answer only."""
        length = self._turns[item].length
        return self.rule.cap if length is None else min(self.rule.cap, length)

    def fixed(self, item: int) -> bool:
        """Whether all cells of an item give one answer only, so that trying each once says all there is to know."""
        length = self._turns[item].length
        return length is not None and length <= self.rule.cap

    def cell(self, stream: Stream, index: int) -> Cell:
        """The cell of a trial."""
        if stream is not Stream.MAIN:
            return super().cell(stream, index)
        return self._turns[index % len(self.items)].cell(index // len(self.items))


class _Item:
    """One item's counts, evidence and word. Undecided trials speak against clearing it and against flagging it."""

    def __init__(self, item: SweepItem, rule: SweepRule, turns: int, fixed: bool) -> None:
        self.item, self.rule, self.turns, self.fixed = item, rule, turns, fixed
        self.n = self.k = self.undecided = 0
        self.verdict: str | None = None
        self.ended = self.repeated = False
        self._seen: dict[str, tuple[float, Outcome]] = {}

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Count one trial, and see whether it clears the item."""
        self.n += 1
        self.k += outcome is Outcome.SUCCESS
        self.undecided += outcome is Outcome.UNDECIDED
        self._seen.setdefault(cell.key, (cell.weight, outcome))
        self.ended = self.n == self.turns or (not self.fixed and self.clear)
        if self.ended and self.clear:
            self.verdict = "cleared"

    @property
    def counts(self) -> tuple[int, int, int]:
        """Trials, successes and undecided ones as they count: each request once, where that is all it was."""
        if not self.repeated:
            return self.n, self.k, self.undecided
        outcomes = [outcome for _, outcome in self._seen.values()]
        return len(outcomes), outcomes.count(Outcome.SUCCESS), outcomes.count(Outcome.UNDECIDED)

    @property
    def clear(self) -> bool:
        """Whether its trials show a rate below p_reg; of an item with fixed answers, all of them a rate below tau."""
        n, k, undecided = self.counts
        if self.fixed:
            return self.n == self.turns and self.share <= self.item.tau and not undecided
        return log_e_grid(n, k + undecided, self.rule.p_reg, clear_grid(self.rule.p_reg)) >= -log(self.rule.beta)

    @property
    def share(self) -> float:
        """The weighted share of its requests that succeeded, each counted once."""
        whole = sum(weight for weight, _ in self._seen.values())
        return sum(weight for weight, outcome in self._seen.values() if outcome is Outcome.SUCCESS) / whole

    @property
    def evidence(self) -> float:
        """The log e-value against a rate of at most tau."""
        if self.fixed and self.n == self.turns:
            return inf if self.share > self.item.tau else 0.0
        n, k, _ = self.counts
        return log_e_grid(n, k, self.item.tau, risen_grid(self.item.tau))

    @property
    def interval(self) -> tuple[float, float]:
        """The anytime interval of its rate; it holds however the undecided trials are read."""
        n, k, undecided = self.counts
        low, _ = anytime_interval(k, n, confidence=CONFIDENCE)
        return low, anytime_interval(k + undecided, n, confidence=CONFIDENCE)[1]


class SweepStage:
    """Rounds of one trial (or a few) per open item. e-BH is looked at when a round is complete."""

    phase = "sweep"

    def __init__(self, plan: Plan, layout: SweepLayout) -> None:
        self.plan, self.layout, self.rule = plan, layout, layout.rule
        self.items = [_Item(item, self.rule, layout.turns(i), layout.fixed(i)) for i, item in enumerate(layout.items)]
        self.open = list(range(len(self.items)))
        self.variety = Variety()
        self.turn = 0
        self.n = self.k = self.undecided = 0
        self._left: list[Place] = self._round()
        self._read = 0

    def _round(self) -> list[Place]:
        """The trials of the next round, turn by turn."""
        turns = range(self.turn, min(self.turn + self.rule.round, self.rule.cap))
        return [
            (Stream.MAIN, turn * len(self.items) + i)
            for turn in turns
            for i in self.open
            if turn < self.layout.turns(i)
        ]

    def advance(self, ledger: Ledger) -> bool:
        """Read on in index order; True when no item is open."""
        while self.open:
            while self._read < len(self._left):
                place = self._left[self._read]
                item = self.items[place[1] % len(self.items)]
                if not item.ended:
                    answer = ledger.get(*place)
                    if answer is None:
                        return False
                    ledger.drop(*place)
                    self._count(item, place, answer)
                self._read += 1
            self._close()
        return True

    def _count(self, item: _Item, place: Place, answer: Answer) -> None:
        cell, outcome = self.layout.cell(*place), Outcome(answer.outcome)
        item.add(cell, outcome)
        self.variety.add(cell.key, answer.digest, once=cell.deterministic)
        self.n += 1
        self.k += outcome is Outcome.SUCCESS
        self.undecided += outcome is Outcome.UNDECIDED

    def _close(self) -> None:
        """A complete round: flag what e-BH rejects, and go on with what is still open."""
        for i in e_bh([item.evidence for item in self.items], self.rule.q):
            self.items[i].verdict, self.items[i].ended = "regressed", True
        self.open = [i for i in self.open if not self.items[i].ended]
        self.turn += self.rule.round
        self._left, self._read = self._round(), 0

    def wanted(self) -> Iterator[Place]:
        """The trials of this round that are not read yet."""
        m = len(self.items)
        return (place for place in self._left[self._read :] if not self.items[place[1] % m].ended)

    @property
    def counted(self) -> int:
        """How many trials the verdict counts."""
        return self.n

    def interval(self) -> tuple[float, float]:
        """A sweep has no one rate to speak of."""
        return 0.0, 1.0

    def evalues(self) -> Mapping[str, float]:
        """The greatest e-value of any item."""
        return {"regressed": clipped_exp(max(item.evidence for item in self.items))}

    @property
    def threshold(self) -> float:
        """The e-value that would flag an item alone."""
        return len(self.items) / self.rule.q

    def _once(self) -> None:
        """Judge anew with each request counted once, because the target never answered one in two ways."""
        for item in self.items:
            item.repeated = True
            item.verdict = "cleared" if item.clear else None
        for i in e_bh([item.evidence for item in self.items], self.rule.q):
            self.items[i].verdict = "regressed"

    def found(self) -> dict[str, Any]:
        """What the verdict says of this stage."""
        if self.variety.stuck:
            self._once()
        rows = tuple(self._row(item) for item in self.items)
        names = [row.key for row in rows if row.verdict == "regressed"]
        left = sum(row.verdict == "open" for row in rows)
        word = "regressed" if names else "inconclusive" if left else "clear"
        reason = {
            "regressed": f"{len(names)} of {len(rows)} succeed more often than they may",
            "inconclusive": f"{left} of {len(rows)} could be neither flagged nor cleared",
            "clear": f"each of {len(rows)} was shown to succeed less often than {self.rule.p_reg:g}",
        }[word]
        return {
            "verdict": word,
            "reason": reason,
            "asr": None,
            "confidence": CONFIDENCE,
            "method": f"e-BH at q = {self.rule.q:g} on e-values frozen where each item stopped, round by round",
            "items": rows,
            "checks": (self.variety.check("each request counts as tried once, so items stay open"),),
        }

    def _row(self, item: _Item) -> ItemVerdict:
        low, high = item.interval
        return ItemVerdict(
            key=item.item.key,
            title=item.item.title,
            verdict=item.verdict or "open",
            n=item.n,
            k=item.k,
            undecided=item.undecided,
            tau=item.item.tau,
            evalue=clipped_exp(item.evidence),
            low=low,
            high=high,
        )
