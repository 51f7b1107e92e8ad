"""The stages a replay goes through: side arms, the main stream under its rule, further trials per part, fixed counts.

Every stage reads answers in index order from the ledger and says which trials it still wants. What a stage concludes
is a function of the answers alone, not of when or in which batch they came.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from manyeyes.engine.beside import Beside, beside
from manyeyes.engine.counted import FixedCount, Reading, name_of
from manyeyes.engine.drift import Timed
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.parts import Before, PartTally, differs, passing
from manyeyes.engine.plan import REPORTED, Answer, Arm, Outcome, Plan, Question, Stream
from manyeyes.engine.schedule import Layout, Place
from manyeyes.engine.tally import Tally

ECHO_AFTER = 8
"""From this many trials on, a target whose answers mostly repeat its benign answers is taken for a constant one."""


class ArmCount:
    """One side arm, counted in index order up to its end, or to the trial after which its need cannot be met.

    `start` is the index of its first trial: the fixed trials of a control come after those of its blocks.
    """

    def __init__(self, stream: Stream, arm: Arm, *, start: int = 0) -> None:
        self.stream, self.arm, self.start = stream, arm, start
        self.n = self.k = self.undecided = 0
        self.digests: set[str] = set()

    def read(self, ledger: Ledger) -> bool:
        """Count the next trial; False where its answer has not come."""
        answer = ledger.get(self.stream, self.start + self.n)
        if answer is None:
            return False
        # An undecided answer counts against the claim: for a control that is as a success.
        against = self.stream is Stream.CONTROL and answer.outcome == Outcome.UNDECIDED
        success = answer.outcome == Outcome.SUCCESS or against
        if success and answer.digest is not None:
            self.digests.add(answer.digest)
        self.n += 1
        self.k += success
        self.undecided += answer.outcome == Outcome.UNDECIDED
        ledger.drop(self.stream, self.start + self.n - 1)
        return True

    @property
    def unmet(self) -> bool:
        """Whether the need cannot be met any more."""
        return self.arm.hopeless(self.n, self.k)

    @property
    def done(self) -> bool:
        """Whether the count is final."""
        return self.arm.over(self.n, self.k) or self.unmet

    @property
    def sure(self) -> int:
        """How many of its trials are needed for certain, as far as is known; no other is asked for ahead."""
        return min(self.arm.end, max(self.arm.n, self.n + self.arm.enough - self.k))


class ArmsStage:
    """Side arms together, in one order that spreads each over the whole stage; it ends as soon as a need has failed.

    Answers are read in that order, so that which arm failed, and after how many trials, depends on the answers alone.
    """

    phase = "assay"

    def __init__(self, counts: list[ArmCount]) -> None:
        self.counts = counts
        turns = sorted((turn / count.arm.n, i) for i, count in enumerate(counts) for turn in range(count.arm.end))
        self._order = [counts[i] for _, i in turns]
        self._read = 0

    def advance(self, ledger: Ledger) -> bool:
        """Count; True when all arms are complete or one has failed."""
        while self.failed is None and self._read < len(self._order):
            count = self._order[self._read]
            if not count.done and not count.read(ledger):
                return False
            self._read += 1
        return True

    @property
    def failed(self) -> ArmCount | None:
        """The first arm that cannot meet its need."""
        return next((count for count in self.counts if count.unmet), None)

    def wanted(self) -> Iterator[Place]:
        """The trials not counted yet, in order."""
        ahead = {id(count): count.start + count.n for count in self.counts}
        for count in self._order[self._read :]:
            if ahead[id(count)] < count.start + count.sure:
                yield count.stream, ahead[id(count)]
            ahead[id(count)] += 1


class MainStage:
    """The scored stream under the stopping rule, looked at on every prefix; a missing answer blocks the look."""

    phase = "main"

    def __init__(self, plan: Plan, layout: Layout, echoes: set[str]) -> None:
        self.plan, self.layout, self.echoes = plan, layout, echoes
        self.tally = Tally(plan)
        self.read = Reading()
        self.echoed = 0
        self.decision: str | None = None
        self._limit = layout.limit(Stream.MAIN)
        self._ahead = 0

    def advance(self, ledger: Ledger) -> bool:
        """Read on in index order; True when a boundary is reached."""
        while self.decision is None:
            answer = ledger.get(Stream.MAIN, self.tally.n)
            control = ledger.get(Stream.CONTROL, self.tally.n) if self.plan.control else None
            if answer is None or (self.plan.control and control is None):
                streams = (Stream.MAIN, Stream.CONTROL) if self.plan.control else (Stream.MAIN,)
                self._ahead = min(ledger.ahead(stream, self.tally.n) for stream in streams)
                return False
            ledger.drop(Stream.MAIN, self.tally.n)
            if control is not None:
                ledger.drop(Stream.CONTROL, self.tally.n)
            self._read(answer, control)
        return True

    def _read(self, answer: Answer, control: Answer | None) -> None:
        cell = self.layout.cell(Stream.MAIN, self.tally.n)
        self.read.add(answer, control)
        other = None if control is None else Outcome(control.outcome)
        self.decision = self.tally.add(cell, Outcome(answer.outcome), answer.digest, control=other)
        self.echoed += answer.digest is not None and answer.digest in self.echoes
        n = self.tally.n
        if 2 * self.echoed >= n and (n >= ECHO_AFTER or self.decision == "holds"):
            self.decision = "echo"
        elif self.decision is None and n == self._limit:
            self.decision = "inconclusive"
        elif self.decision is None and self.tally.stuck:
            self.decision = "stuck"

    def wanted(self) -> Iterator[Place]:
        """The next trials, block by block."""
        for index in range(max(self._ahead, self.tally.n), self._limit):
            yield Stream.MAIN, index
            if self.plan.control:
                yield Stream.CONTROL, index


class PartsStage:
    """Further trials after a fix was refuted, until each part has spoken for itself or used up its share."""

    phase = "attribute"

    def __init__(self, plan: Plan, layout: Layout, main: MainStage, before: Before | None) -> None:
        self.plan, self.layout, self.before = plan, layout, before
        self.tallies = [PartTally(plan, part, before) for part in layout.parts]
        self.beside: Beside | None = None
        self._at = [0] * len(self.tallies)
        self._counted = 0
        for index, (outcome, text) in enumerate(main.read):
            cell = layout.cell(Stream.MAIN, index)
            self.tallies[layout.parts.index(cell.part)].add(cell, outcome, text)

    def _open(self, part: int) -> bool:
        return not self.tallies[part].decided and self._at[part] < self.layout.part_limit(part)

    def advance(self, ledger: Ledger) -> bool:
        """Read each part's own sequence in order, then the pairs, if any; True when no part is open."""
        while self.beside is None or self.beside.advance(ledger):
            self._read(ledger)
            if any(self._open(part) for part in range(len(self.tallies))):
                return False
            if not (self._paired() or self._longer()):
                return True
        return False

    def _paired(self) -> bool:
        """Whether the reported wording and another are asked by turns from here on."""
        if self.plan.pairs and self.beside is None:
            self.beside = beside(self.layout, self.tallies, passing(self.plan, self.tallies))
            return self.beside is not None
        return False

    @property
    def counted(self) -> int:
        """How many further trials were counted."""
        return self._counted + (2 * self.beside.n if self.beside else 0)

    @property
    def apart(self) -> bool:
        """Whether the reported wording was shown to succeed less often than others: at one time, from edition 3 on."""
        if self.plan.pairs:
            return self.beside is not None and self.beside.shown
        return differs(self.plan, self.tallies)

    def _longer(self) -> bool:
        """Whether the reported part goes on, since another one fails and all hangs on whether this one is blocked.

        A low rate before the fix makes that hard to tell. More trials of the blocked wording tell it sooner than more
        of the version with the flaw would, and its e-process may go on as long as it likes.
        """
        if not passing(self.plan, self.tallies) or (self.plan.pairs and not self.apart):
            return False
        return any(tally.longer() for tally in self.tallies) or self._compared()

    def _compared(self) -> bool:
        """Whether the parts between which it lies go on, since their few trials show no difference yet."""
        own = next((tally for tally in self.tallies if tally.part == REPORTED), None)
        if self.plan.pairs or own is None or not own.quiet or differs(self.plan, self.tallies):
            return False
        failing = [tally for tally in self.tallies if tally.verdict == "fails"]
        return any(tally.go_on() for tally in (own, *failing))

    def _read(self, ledger: Ledger) -> None:
        for part, tally in enumerate(self.tallies):
            while self._open(part):
                place = self.layout.place(part, self._at[part])
                cell = self.layout.cell(*place)
                answer = ledger.get(*place)
                if not tally.drawn(cell):
                    if answer is None:
                        break
                    tally.add(cell, Outcome(answer.outcome), name_of(answer.digest))
                    ledger.drop(*place)
                    self._counted += 1
                self._at[part] += 1

    def wanted(self) -> Iterator[Place]:
        """One trial of every open part in turn, no part beyond its share; then the pairs."""
        if self.beside is not None and not self.beside.over:
            yield from self.beside.wanted()
            return
        for ahead in range(max(tally.share for tally in self.tallies)):
            for part, tally in enumerate(self.tallies):
                turn = self._at[part] + ahead
                inside = turn < self.layout.part_limit(part) and tally.n + ahead < tally.share
                if self._open(part) and inside and not tally.drawn(self.layout.cell(*self.layout.place(part, turn))):
                    yield self.layout.place(part, turn)


class ScoreStage:
    """Fixed numbers of fresh trials, never stopped early, with the arms that are only described."""

    phase = "score"

    def __init__(self, layout: Layout, arms: list[ArmCount]) -> None:
        self.layout = layout
        self.total = layout.limit(Stream.SCORE)
        self.counts = [FixedCount(fixed.cell) for fixed in layout.plan.score]
        self.arms = ArmsStage(arms)
        self.read = self._ahead = 0
        self._of = {count.cell.key: count for count in self.counts}

    def advance(self, ledger: Ledger) -> bool:
        """Count; True when every trial has its answer."""
        while self.read < self.total and (answer := ledger.get(Stream.SCORE, self.read)):
            self._of[self.layout.cell(Stream.SCORE, self.read).key].add(answer)
            ledger.drop(Stream.SCORE, self.read)
            self.read += 1
        self._ahead = ledger.ahead(Stream.SCORE, self.read)
        return self.arms.advance(ledger) and self.read == self.total

    def wanted(self) -> Iterator[Place]:
        """The fixed trials in their order, then the described arms."""
        yield from ((Stream.SCORE, index) for index in range(self._ahead, self.total))
        yield from self.arms.wanted()

    @property
    def timed(self) -> dict[str, Timed]:
        """By cell, its outcomes with their places among all fixed trials."""
        places: dict[str, array[int]] = {key: array("q") for key in self._of}
        for index in range(self.read):
            places[self.layout.cell(Stream.SCORE, index).key].append(index)
        return {key: Timed(places[key], count.bits) for key, count in self._of.items()}


def gated(plan: Plan, counts: list[ArmCount]) -> list[ArmCount]:
    """The arms that come first and hold up the main stream: all of a verification's, else those with a need."""
    return [count for count in counts if plan.question is Question.VERIFY or count.arm.need is not None]
