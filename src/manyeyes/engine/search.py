"""Searches the grid for its worst setting: rounds laid out from completed rounds alone, and the proof at every trial.

Which cell a trial gets depends on the plan's seed and on the answers of the rounds before its own. So a resumed run, or
one whose answers come in another order, walks the same way; and given that past each answer is a fresh draw, which is
what the e-values in `worst` ask for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from random import Random
from typing import Any

from manyeyes.engine.build import setting_rates
from manyeyes.engine.counted import FixedCount
from manyeyes.engine.drift import Timed
from manyeyes.engine.grid import FreshStage, GridLayout
from manyeyes.engine.honesty import withheld
from manyeyes.engine.intervals import anytime_interval
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Answer, Cell, Outcome, Plan, Stream
from manyeyes.engine.schedule import Place, draw
from manyeyes.engine.scored import once_checks, scored_checks
from manyeyes.engine.special import clipped_exp
from manyeyes.engine.variety import Variety
from manyeyes.engine.verdict import Check, SettingRate
from manyeyes.engine.worst import ArmState, Stop, leading, pick, weakest

CONFIDENCE = 0.95
COLD_TRIES = 6
"""Times that a cell with temperature 0 which failed is asked in all: a refusal in the same words may be chance."""


class SearchStage:
    """The search itself, read in index order; it ends at the certificate asked for, or at the plan's cap."""

    phase = "main"

    def __init__(self, plan: Plan, layout: GridLayout) -> None:
        self.plan, self.layout, self.rule = plan, layout, layout.rule
        self.arms = [ArmState() for _ in plan.cells]
        self.counts = [(0, 0) for _ in plan.cells]
        """Successes and trials by cell, as they were; an arm that is settled counts as one observation."""
        self.proven = self.rule.certificate == "rigorous"
        self.stop = Stop(epsilon=self.rule.epsilon, delta=self.rule.delta, proven=self.proven)
        self.n = self.k = 0
        self.first_success: int | None = None
        self.decision: str | None = None
        self.shown = False
        self.variety = Variety()
        self.unsure: Counter[str] = Counter()
        self._place = {cell.key: i for i, cell in enumerate(plan.cells)}
        self._answers: dict[str, set[tuple[bool, str | None]]] = {}
        self._rounds = 0
        self._honoured = True
        """Whether every cell that is declared to have one answer gave one so far."""
        self._lay()
        self._first = len(layout.order)

    def _lay(self) -> None:
        """Lay out the next round: first every cell once, in an order of the seed, and those with one answer as often as
        it takes to see that; then as `pick` says, with one that failed in one answer asked again."""
        cells, order = self.plan.cells, self.layout.order
        if not order:
            order += sorted(cells, key=lambda cell: (draw(self.plan.seed, "map", cell.key), cell.key))
            order += [cell for cell in order if cell.deterministic] * ((self.plan.cold_n or 1) - 1)
        random = Random(draw(self.plan.seed, "map", self._rounds))
        size = self.rule.round if self._rounds else 0
        order += self._doubted() if self._rounds else []
        arms = list(self.arms)
        for _ in range(min(size, self.plan.cap - len(order))):
            i = pick(arms, self.rule.epsilon, random)
            order.append(cells[i])
            # Its answer is not known yet, but the next pick may count on one like those before.
            arms[i] = arms[i].expecting()
        self._rounds += 1

    def _doubted(self) -> list[Cell]:
        """The cell to ask again, if any: of those with one answer, a failure, the one that was asked least."""
        if self.plan.edition is None:
            return []
        rows = [(n, i) for i, (_, n) in enumerate(self.counts) if self.arms[i].settled and not self.arms[i].k]
        return [self.plan.cells[i] for n, i in sorted(rows)[:1] if n < COLD_TRIES]

    def advance(self, ledger: Ledger) -> bool:
        """Read on in index order; True when the search is over."""
        while self.decision is None:
            answer = ledger.get(Stream.MAIN, self.n)
            if answer is None or self.n >= len(self.layout.order):
                return False
            ledger.drop(Stream.MAIN, self.n)
            self._read(answer)
        return True

    def _read(self, answer: Answer) -> None:
        cell = self.layout.order[self.n]
        i, success = self._place[cell.key], answer.outcome == Outcome.SUCCESS
        k, n = self.counts[i]
        self.counts[i] = k + success, n + 1
        self.arms[i] = self._state(i, (success, answer.digest))
        self.variety.add(cell.key, answer.digest, once=cell.deterministic)
        if success and self.first_success is None:
            self.first_success = self.n
        self.n += 1
        self.k += success
        if answer.outcome == Outcome.UNDECIDED:
            self.unsure[cell.key] += 1
        if self.n >= self._first and self.stop.reached(self.arms, self.n):
            self.shown = True
            self._end("found" if self.proven else "budget")
        elif self.n == self.plan.cap:
            self._end("inconclusive" if self.proven else "budget")
        elif self.n == len(self.layout.order):
            self._lay()

    def _state(self, i: int, answer: tuple[bool, str | None]) -> ArmState:
        """What is known of a cell after its latest answer: settled while it is declared to have one, and has one."""
        cell, (k, n) = self.plan.cells[i], self.counts[i]
        if cell.deterministic:
            answers = self._answers.setdefault(cell.key, set())
            answers.add(answer)
            if len(answers) == 1 and self._honoured:
                return ArmState(k=int(k > 0), n=1, settled=True)
            if self._honoured and self.plan.edition is not None:
                # A target that does not honour temperature 0 in one place is not taken to do so in another.
                self._honoured = False
                self.arms = [ArmState(k=hits, n=tried) for hits, tried in self.counts]
        return ArmState(k=k, n=n)

    @property
    def _several(self) -> list[tuple[str, int, int]]:
        """The cells that are declared to have one answer and gave several: the name, how many, in how many trials."""
        rows = zip(self.plan.cells, self.counts, strict=True)
        told = ((cell, len(self._answers.get(cell.key, ())), n) for cell, (_, n) in rows)
        return [(cell.setting or cell.key, many, n) for cell, many, n in told if many > 1]

    def _end(self, word: str) -> None:
        leader = leading(self.arms)
        self.decision = word
        self.layout.leader = replace(self.plan.cells[leader], deterministic=self.arms[leader].settled)

    def wanted(self) -> Iterator[Place]:
        """The trials that are laid out and not read yet."""
        return ((Stream.MAIN, index) for index in range(self.n, len(self.layout.order)))

    @property
    def counted(self) -> int:
        """How many trials of the search the verdict counts."""
        return self.n

    @property
    def undecided(self) -> int:
        """How many trials nobody could decide; each counts as a failure."""
        return self.unsure.total()

    @property
    def confidence(self) -> float:
        """Of each interval, so that all of them hold together at 1 - delta."""
        return 1 - self.rule.delta / len(self.arms)

    def _interval(self, arm: int) -> tuple[float, float]:
        """Anytime; it holds however the undecided trials are read, and counts repeats once if nothing ever varied."""
        state, unsure = self.arms[arm], self.unsure[self.plan.cells[arm].key]
        counts = (int(state.k), min(int(state.k) + unsure, state.n), state.n)
        low_k, high_k, n = (min(count, 1) for count in counts) if self.variety.stuck else counts
        return (
            anytime_interval(low_k, n, confidence=self.confidence)[0],
            anytime_interval(high_k, n, confidence=self.confidence)[1],
        )

    def interval(self) -> tuple[float, float]:
        """The anytime interval of the arm that looks worst."""
        return self._interval(leading(self.arms))

    def evalues(self) -> Mapping[str, float]:
        """The least e-value of the leader over its rivals."""
        return {"found": clipped_exp(weakest(self.arms, self.rule.epsilon))}

    @property
    def threshold(self) -> float:
        """The e-value that proves the leader."""
        return (len(self.arms) - 1) / self.rule.delta

    def _not_excluded(self) -> tuple[str, ...]:
        """The leader and all that may still beat it by epsilon or more, by the rule of the certificate asked for."""
        leader = self.layout.leader
        if leader is None:
            return ()
        rivals = range(len(self.arms)) if self.variety.stuck else self.stop.unbeaten(self.arms, self.n)
        return (leader.key, *(key for i in rivals if (key := self.plan.cells[i].key) != leader.key))

    def fresh(self) -> FreshStage | None:
        """The trials that follow at the leader; None where the plan wants none, or the search did not decide.

        A leader that is declared to have one answer is always asked again: one trial is all that its lead rests on.
        """
        wanted = (self.rule.score_n or self.layout.alone) and self.decision != "inconclusive"
        return FreshStage(self.layout) if wanted else None

    def _fickle(self, fresh: FixedCount | None) -> bool:
        """Whether a leader that is declared to have one answer gave several, so that its one trial shows no rate."""
        if fresh is None or not self.layout.alone:
            return False
        once = self.arms[leading(self.arms)].k
        return (fresh.distinct or 0) > 1 or fresh.k != once * fresh.n

    def _fixed_checks(self, fresh: FixedCount | None) -> tuple[Check, ...]:
        """Those on the fresh trials at the leader; fewer for a plan from before `edition`."""
        counts = () if fresh is None else (fresh,)
        new = self.plan.edition is not None
        timed = {count.cell.key: Timed(range(count.n), count.bits) for count in counts} if new else None
        checks = scored_checks(counts, seed=self.plan.seed, timed=timed, several=self._several)
        return (*checks, *chain.from_iterable(map(once_checks, counts))) if new else checks

    def _rows(self) -> tuple[SettingRate, ...]:
        """Every cell as the search saw it: no rate to score, but an interval that may be read."""
        rows = []
        for i, (cell, arm) in enumerate(zip(self.plan.cells, self.arms, strict=True)):
            low, high = self._interval(i)
            k, n = self.counts[i]
            rows.append(
                SettingRate(
                    cell=cell.key,
                    setting=cell.setting,
                    wording=cell.wording,
                    n=n,
                    k=k,
                    undecided=self.unsure[cell.key],
                    asr=k / n if n else None,
                    low=low,
                    high=high,
                    confidence=self.confidence,
                    distinct=self.variety.distinct(cell.key),
                    one_answer=arm.settled or self.variety.stuck,
                    rated=False,
                )
            )
        return tuple(rows)

    def _word(self) -> tuple[str, str, str]:
        """The word, the certificate and the reason."""
        leader, epsilon = self.layout.leader, self.rule.epsilon
        if leader is None:
            return "inconclusive", "", ""
        word, kind = self.decision or "inconclusive", self.rule.certificate if self.shown else "none"
        if self.shown and self.variety.stuck:
            word = "inconclusive" if self.proven else word
            return word, "none", "no setting ever gave two different answers: its repeats prove nothing"
        bound = f"no setting beats {leader.key} by {epsilon:g} or more"
        reason = {
            "rigorous": f"shown: {bound}",
            "practical": f"{bound}, by a rule that is not proven",
            "none": f"the trials were used up before it was shown that {bound}",
        }[kind]
        return word, kind, reason

    def found(self, fresh: FixedCount | None, versions: tuple[Check, ...]) -> dict[str, Any]:
        """What the verdict says of this stage; the fresh trials at the leader come first among the settings.

        They are scored unless one of their checks failed, or one of those on the `versions` of the target.
        """
        word, certificate, reason = self._word()
        leader = self.layout.leader
        if leader is not None and self._fickle(fresh):
            word, certificate = "inconclusive", "none"
            reason = (
                f"{leader.key} leads by one trial, since temperature 0 is taken to give one answer, but it gave "
                "several: this target does not honour it; leave temperature 0 out of the settings and map again"
            )
        checks = self._fixed_checks(fresh)
        doubt = withheld((*versions, *checks))
        scored = setting_rates((fresh,), fresh.cell.key, doubt=bool(doubt)) if fresh is not None else ()
        rate = {"asr": scored[0].asr, "low": scored[0].low, "high": scored[0].high} if scored else {"asr": None}
        if doubt and scored:
            reason = f"{reason}; no rate is scored: {doubt}"
        return {
            **rate,
            "verdict": word,
            "reason": reason,
            "confidence": CONFIDENCE if scored else self.confidence,
            "method": self.method,
            "settings": (*scored, *self._rows()),
            "leader": leader.key if leader else "",
            "not_excluded": self._not_excluded(),
            "certificate": certificate,
            "first_success": self.first_success,
            "checks": (self.variety.check("no certificate: repeats of one answer prove nothing"), *checks),
        }

    @property
    def method(self) -> str:
        """How the search went and when it could end."""
        if self.proven:
            return f"T3C, directed shares; mixture e-values for every rival at delta = {self.rule.delta:g}, every trial"
        stop = "likelihood ratios against ln((1 + ln t) / delta), not proven"
        return f"T3C, directed shares, on a budget of {self.plan.cap} trials; {stop}"
