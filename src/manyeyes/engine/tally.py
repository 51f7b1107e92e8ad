"""The main stream read one trial at a time: counts, repeats, e-values, and the first boundary reached.

Independence. Identical answers to one wording are one observation of that wording. A verification counts every text of
a wording once as support for its claim, whenever it comes again: behind a cache, on one machine or on many, kept for
ever or forgotten now and then, what counts is never more than what was drawn. A reproduction leaves out failures with
the same text as the answer before them, to the same wording, and successes while every answer to their wording is the
same text. (So did verifications whose plan has no `edition`; they are read by the rule that they were made under.)
What speaks against the claim all counts. A left-out repeat could only have raised the e-value, so at every prefix the
e-process in use is no larger than the full one; that of a verification is no larger than the e-process of a cache's own
draws either, taken as they first come, and Ville's inequality holds for that. Answers without a digest are taken as
different.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, log, log1p

from manyeyes.engine.boundaries import Boundaries
from manyeyes.engine.evidence import log_e_below
from manyeyes.engine.intervals import anytime_interval
from manyeyes.engine.plan import Cell, Outcome, Plan, Question
from manyeyes.engine.special import clipped_exp
from manyeyes.engine.twosample import log_block


@dataclass
class _Wording:
    """What one wording has answered so far."""

    digest: str | None
    constant: bool = True
    successes: int = 0
    failures: int = 0
    gain: float = 0.0
    repeated: int = 0
    last: str | None = None
    failed: bool = False

    def add(self, success: bool, digest: str | None, gain: float) -> None:
        self.constant = self.constant and digest is not None and digest == self.digest
        if digest is None or digest != self.last:
            self.last, self.failed = digest, False
        self.repeated += self.failed and not success
        self.failed = self.failed or not success
        if success:
            self.gain += max(0.0, gain) if self.successes else 0.0
        self.successes += success
        self.failures += not success

    def repeats(self) -> tuple[int, int, float]:
        """Successes and failures that are repeats, and the evidence the repeated successes brought."""
        if not self.constant:
            return 0, self.repeated, 0.0
        return max(0, self.successes - 1), self.repeated, self.gain


@dataclass
class _Texts:
    """The same where every text of a wording counts once, whatever else the wording answered in between."""

    digest: str | None
    constant: bool = True
    seen: set[tuple[int, bool]] = field(default_factory=set)
    counts: tuple[int, int, float] = (0, 0, 0.0)

    def add(self, success: bool, digest: str | None, gain: float) -> None:
        self.constant = self.constant and digest is not None and digest == self.digest
        if digest is None:
            return
        key = hash(digest), success
        if key in self.seen:
            successes, failures, gained = self.counts
            self.counts = successes + success, failures + (not success), gained + (max(0.0, gain) if success else 0.0)
        self.seen.add(key)

    def repeats(self) -> tuple[int, int, float]:
        return self.counts


class _Flow:
    """How many trials in the later half of a growing sequence brought something new."""

    def __init__(self) -> None:
        self._marks = bytearray()
        self.new = 0

    def add(self, new: bool) -> None:
        self._marks.append(new)
        self.new += new
        if len(self._marks) % 2 == 0:
            self.new -= self._marks[len(self._marks) // 2 - 1]

    @property
    def n(self) -> int:
        return len(self._marks) - len(self._marks) // 2


class Repeats:
    """Which observations of a sequence repeat the answer before them to the same wording (`strict`: any before)."""

    def __init__(self, *, strict: bool = False) -> None:
        self._wordings: dict[str, _Wording | _Texts] = {}
        self._strict = strict
        self.successes, self.failures, self.gain = 0, 0, 0.0
        self.again = 0
        """How many trials asked a wording that had been asked before, and so could be repeats."""
        self.late = _Flow()
        """Of these, what the later half still brought."""
        self.known = True

    def add(self, cell: Cell, success: bool, digest: str | None, gain: float = 0.0) -> None:
        """Count one answer."""
        self.known = self.known and digest is not None
        name = cell.wording or cell.key
        entry = self._wordings.get(name)
        first = entry is None
        self.again += not first
        if entry is None:
            entry = self._wordings[name] = _Texts(digest) if self._strict else _Wording(digest)
        before = entry.repeats()
        entry.add(success, digest, gain)
        after = entry.repeats()
        if not first:
            self.late.add(after[:2] == before[:2])
        self.successes += after[0] - before[0]
        self.failures += after[1] - before[1]
        self.gain += after[2] - before[2]

    def interval(self, k: int, n: int) -> tuple[float, float]:
        """The anytime interval of the n trials this has seen, k of them successes, widened where some are repeats.

        It covers the interval of all trials and that of the observations among them, so that neither a cache nor a
        fixed reply can make it narrow.
        """
        low, high = anytime_interval(k, n)
        if not self.count:
            return low, high
        lower, higher = anytime_interval(k - self.successes, n - self.count)
        return min(low, lower), max(high, higher)

    @property
    def count(self) -> int:
        """How many observations are repeats."""
        return self.successes + self.failures

    @property
    def seen(self) -> int:
        """How many wordings were asked."""
        return len(self._wordings)

    @property
    def constant(self) -> list[str]:
        """The wordings that answered the same text every time, twice or more."""
        return [name for name, entry in self._wordings.items() if entry.constant and sum(entry.repeats()[:2]) > 0]


def counts_as_success(question: Question, outcome: Outcome, *, control: bool = False) -> bool:
    """How a trial is scored: undecided counts against the claim, as success for verify and for a control."""
    if outcome is Outcome.UNDECIDED:
        return question is Question.VERIFY or control
    return outcome is Outcome.SUCCESS


STUCK_LEVEL = 0.001
"""The chance, at most, that a run ends as stuck whose answers vary often enough for its claim."""
VARIES = 0.1
"""How often a target that varies is taken to do so, at least: one new text frees all successes of its wording."""
STUCK_REPEATS = ceil(log(STUCK_LEVEL) / log1p(-VARIES))
FUTILE = ("not_shown", "unclear")
"""Words that only end a run because it looks hopeless; a resumed plan goes on past them."""


class Tally:
    """The scored prefix of one sequence. `add` returns the verdict word when this trial reaches a boundary."""

    def __init__(self, plan: Plan, *, strict: bool = False) -> None:
        self.plan, self.boundaries = plan, Boundaries(plan)
        self.n = self.k = self.undecided = self.control_k = 0
        self.first_success: int | None = None
        self.bits = bytearray()
        self.repeats = Repeats(strict=strict or plan.counts_once)
        self._blocks = 0.0
        self._passed = FUTILE if plan.resumes else ()
        self._wordings = len({cell.wording or cell.key for cell in plan.cells})
        self._zeros: int | None = None

    def add(self, cell: Cell, outcome: Outcome, digest: str | None, *, control: Outcome | None = None) -> str | None:
        """Score the next trial (with its control trial, where the plan has one) and look at every boundary."""
        success = counts_as_success(self.plan.question, outcome)
        gain = 0.0
        if control is not None:
            other = counts_as_success(self.plan.question, control, control=True)
            gain = log_block(self.n, self.control_k, self.k, other, success, self.plan.margin)
            self._blocks += gain
            self.control_k += other
        self.repeats.add(cell, success, digest, gain)
        self.bits.append(success)
        if success and outcome is not Outcome.UNDECIDED and self.first_success is None:
            self.first_success = self.n
        self.n += 1
        self.k += success
        self.undecided += outcome is Outcome.UNDECIDED
        return self._look()

    @property
    def supporting(self) -> tuple[int, int]:
        """(n, k) with repeats left out that would support the claim: failures for verify, successes for reproduce."""
        if self.plan.question is Question.VERIFY:
            return self.n - self.repeats.failures, self.k
        return self.n - self.repeats.successes, self.k - self.repeats.successes

    def log_evalues(self) -> dict[str, float]:
        """The log e-value behind each word, verdicts in the order in which they are looked for."""
        tests, (n, k) = self.boundaries, self.supporting
        if self.plan.question is Question.VERIFY:
            values = {
                "holds": tests.below(n, k),
                "fails": tests.fails(self.n, self.k),
                "not_shown": tests.not_shown(self.n, self.k),
            }
            return values if self.plan.judge is None else values | {"unclear": tests.unclear(self.n, self.k)}
        above = self._blocks - self.repeats.gain if self.plan.control else tests.above(n, k)
        return {"reproduced": above, "not_reproduced": tests.below(self.n - self.repeats.failures, self.k)}

    def evalues(self) -> Mapping[str, float]:
        """The e-value behind each verdict word, clipped to a finite number."""
        return {name: clipped_exp(value) for name, value in self.log_evalues().items()}

    def interval(self) -> tuple[float, float]:
        """The anytime interval of the success rate, no narrower than its distinct observations warrant."""
        return self.repeats.interval(self.k, self.n)

    def bound(self) -> float:
        """The one-sided bound of the test behind the claim: upper for verify, lower for reproduce (exploit alone)."""
        n, k = self.supporting
        return self.boundaries.upper(k, n) if self.plan.question is Question.VERIFY else self.boundaries.lower(k, n)

    def bound_against(self) -> float:
        """The upper bound of the test behind `not_reproduced`, at level beta."""
        return self.boundaries.upper(self.k, self.n - self.repeats.failures)

    def reached(self, word: str, *, versions: int = 1) -> bool:
        """Whether the evidence is enough for a word here, with its error rate shared by that many versions."""
        if word == "reproduced" and self.supporting[1] < self.plan.min_successes:
            return False
        return self.boundaries.reaches(word, self.log_evalues()[word] - log(versions))

    @property
    def stuck(self) -> bool:
        """Whether answers repeat too often for the claim ever to be reached, tested at every prefix at `STUCK_LEVEL`.

        A verification without a success so far: answers that count come more seldom than they must from here on to
        reach the boundary at the cap, over the whole run, or lately, since a wording runs out of texts. A reproduction
        with successes: every wording got one text throughout. In both the contrary is out of reach as well, or too rare
        to wait for. Only a plan that says so ends by this, and not one that a person resumed.
        """
        if not self.plan.ends_stuck or self.plan.resumes or not self.repeats.known:
            return False
        if self.plan.question is Question.VERIFY:
            return self.k == 0 and self.repeats.failures > 0 and self._too_seldom()
        whole = len(self.repeats.constant) == self.repeats.seen == self._wordings
        return self.k > 0 and whole and self.repeats.again >= STUCK_REPEATS

    def _too_seldom(self) -> bool:
        if self._zeros is None:
            self._zeros = self._fewest()
        missing = self._zeros - self.supporting[0] - (self._wordings - self.repeats.seen)
        left = self.plan.cap - self.n
        if missing <= 0 or left <= 0:
            return False
        if missing >= left:
            return True
        repeats = self.repeats
        seen = [(repeats.again, repeats.again - repeats.failures)]
        if self.plan.counts_once:
            seen.append((repeats.late.n, repeats.late.new))
        return any(log_e_below(n, new, missing / left) >= -log(STUCK_LEVEL) for n, new in seen)

    def _fewest(self) -> int:
        """How many failures in a row reach the claim; past the cap where none do."""
        tests, cap = self.boundaries, self.plan.cap
        return next((n for n in range(1, cap + 1) if tests.reaches("holds", tests.below(n, 0))), cap + 1)

    def _look(self) -> str | None:
        for name, value in self.log_evalues().items():
            if name == "reproduced" and self.supporting[1] < self.plan.min_successes:
                continue
            if self.boundaries.reaches(name, value) and name not in self._passed:
                return name
        return None
