"""What a plan will do before anything is spent: error rates, expected trials, worst case; by dynamic programme."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log, sqrt
from random import Random
from typing import NamedTuple

from manyeyes.engine.boundaries import Boundaries
from manyeyes.engine.plan import Cell, Outcome, Plan, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.tally import Tally
from manyeyes.engine.twosample import log_block

_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Point:
    """What happens when every trial succeeds with chance `p`: expected trials, when runs end, and how.

    With a judge, `p` is the true rate, and the judge errs as often as its labels say.
    `expected`, `median` and `ninety` (nine runs in ten have ended by then) count main trials, or blocks of two where
    the plan has a control. `standard_error` is of `expected`; 0 where the numbers are exact.
    """

    p: float
    expected: float
    median: int
    ninety: int
    verdicts: Mapping[str, float]
    standard_error: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """A plan's operating characteristics.

    `type_one` is the chance of the claim where it is only just false (verify: `holds` at p = tau; reproduce:
    `reproduced` at p = p0, or at control + margin). `type_two` is the chance of the contrary word where that is only
    just false (verify: `fails` at tau; reproduce: `not_reproduced` at p_min). `at_zero` is n when every trial fails
    (None: the cap comes first). `most` is the most main trials (blocks), `side` the most trials of the arms
    (`side_least` where none goes on), `score` those of the fixed stage, `attribute` the most further trials over the
    parts; `exact` is False for a simulation. With a judge, `type_one` and `type_two` are upper limits that allow for
    its labels being off.

    `constant_answers` is how many distinct wordings the plan needs to reach its claim where the target gives one
    constant answer to each (None: the cap comes first), and `wordings` how many it has. `constant_end` is the n at
    which such a run ends undecided (None: it reaches its claim).
    """

    points: tuple[Point, ...]
    type_one: float
    type_two: float
    at_zero: int | None
    most: int
    side: int
    side_least: int
    score: int
    attribute: int
    exact: bool
    constant_answers: int | None
    wordings: int
    constant_end: int | None

    @property
    def enough_wordings(self) -> bool:
        """Whether the claim can be reached even if each wording gets one constant answer."""
        return self.constant_answers is not None and self.wordings >= self.constant_answers

    def at(self, p: float) -> Point:
        """The point of a rate that was asked for. KeyError for any other."""
        for point in self.points:
            if point.p == p:
                return point
        raise KeyError(p)


class Edge(NamedTuple):
    """Where runs end after n trials: `low` at this k or fewer (-1: never), `high` at the first word whose k is reached,
    `unclear` at any k from the first to the second of the pair."""

    low: int
    high: tuple[tuple[str, int], ...]
    unclear: tuple[int, int] = (_NEVER, -1)


_LOW = {Question.VERIFY: "holds", Question.REPRODUCE: "not_reproduced"}


def _high_tests(plan: Plan, tests: Boundaries) -> dict[str, Callable[[int, int], bool]]:
    if plan.question is Question.VERIFY:
        fails = {"fails": lambda n, k: tests.reaches("fails", tests.fails(n, k))}
        futile = {"not_shown": lambda n, k: tests.reaches("not_shown", tests.not_shown(n, k))}
        return fails if plan.resumes else fails | futile
    if plan.control:
        return {}
    least = plan.min_successes
    return {"reproduced": lambda n, k: k >= least and tests.reaches("reproduced", tests.above(n, k))}


class _Climb:
    """The least k that reaches a test, for n = 1, 2, ...: it moves up by at most one success per trial."""

    def __init__(self, reached: Callable[[int, int], bool]) -> None:
        self.reached, self.k = reached, 0

    def at(self, n: int) -> int:
        while self.k <= n and not self.reached(n, self.k):
            self.k += 1
        return self.k if self.k <= n else _NEVER


def edges(plan: Plan) -> Iterator[Edge]:
    """The boundaries for n = 1, 2, ...; each moves up by at most one success per trial, so one walk finds them all."""
    tests = Boundaries(plan)
    word, low = _LOW[plan.question], -1
    high = {name: _Climb(reached) for name, reached in _high_tests(plan, tests).items()}
    alone = "unclear" in tests.needs and not (plan.resumes or (plan.judge and plan.judge.confirmed))
    many, few = _Climb(lambda n, k: tests.reaches("unclear", tests.many(n, k))), -1
    for n in range(1, Layout(plan).limit(Stream.MAIN) + 1):
        if low + 1 <= n and tests.reaches(word, tests.below(n, low + 1)):
            low += 1
        ends = tuple((name, climb.at(n)) for name, climb in high.items())
        if alone:
            while few + 1 <= n and tests.reaches("unclear", tests.few(n, few + 1)):
                few += 1
            yield Edge(low, ends, (many.at(n), few))
        else:
            yield Edge(low, ends)


def _walk(table: Sequence[Edge], low_word: str, p: float) -> tuple[dict[str, float], list[float]]:
    """Exact chances of each word, and of ending at each n, when every trial succeeds with chance p."""
    words: dict[str, float] = {low_word: 0.0, **{name: 0.0 for name, _ in table[0].high}, "inconclusive": 0.0}
    first, alive, ends = 0, [1.0], []
    for low, high, (from_k, to_k) in table:
        moved = [0.0] * (len(alive) + 1)
        for i, mass in enumerate(alive):
            moved[i] += mass * (1 - p)
            moved[i + 1] += mass * p
        ended = 0.0
        while moved and first <= low:
            mass = moved.pop(0)
            first += 1
            words[low_word] += mass
            ended += mass
        while moved and first + len(moved) - 1 >= min((least for _, least in high), default=_NEVER):
            k, mass = first + len(moved) - 1, moved.pop()
            words[next(name for name, least in high if k >= least)] += mass
            ended += mass
        for i in range(max(0, from_k - first), min(len(moved), to_k - first + 1)):
            words["inconclusive"] += moved[i]
            ended += moved[i]
            moved[i] = 0.0
        ends.append(ended)
        alive = moved
        if not any(alive):
            break
    rest = sum(alive)
    words["inconclusive"] += rest
    ends[-1] += rest
    return words, ends


def _point(p: float, words: Mapping[str, float], ends: Sequence[float], error: float = 0.0) -> Point:
    def quantile(share: float) -> int:
        return next((n for n, mass in enumerate(accumulate(ends), 1) if mass >= share - 1e-12), len(ends))

    expected = sum(n * end for n, end in enumerate(ends, 1))
    return Point(
        p=p, expected=expected, median=quantile(0.5), ninety=quantile(0.9), verdicts=dict(words), standard_error=error
    )


def _simulate(plan: Plan, table: Sequence[Edge], p: float, rates: tuple[float, float], runs: int) -> Point:
    """A seeded simulation of exploit against control at these rates, for plans too wide to be counted out."""
    rate, control = rates
    random, need = Random(f"{plan.seed}:{p}:{control}"), -log(plan.alpha)
    words = {"reproduced": 0, "not_reproduced": 0, "inconclusive": 0}
    ends = [0] * len(table)
    for _ in range(runs):
        exploit_k = control_k = 0
        evidence, word = 0.0, "inconclusive"
        for n, (low, _, _) in enumerate(table):
            hit, other = random.random() < rate, random.random() < control
            evidence += log_block(n, control_k, exploit_k, other, hit, plan.margin)
            exploit_k += hit
            control_k += other
            if evidence >= need and exploit_k >= plan.min_successes:
                word = "reproduced"
            elif exploit_k <= low:
                word = "not_reproduced"
            if word != "inconclusive":
                break
        words[word] += 1
        ends[n] += 1
    mean = sum((n + 1) * count for n, count in enumerate(ends)) / runs
    spread = sum((n + 1 - mean) ** 2 * count for n, count in enumerate(ends)) / runs
    shares = {name: count / runs for name, count in words.items()}
    return _point(p, shares, [count / runs for count in ends], sqrt(spread / runs))


def characteristics(
    plan: Plan, ps: Sequence[float], *, control_rate: float | None = None, runs: int = 400
) -> Characteristics:
    """The operating characteristics of a reproduce or verify plan at the success rates `ps` (each from 0 to 1).

    Exact (a dynamic programme over n and k; no simulation) where the plan has no control: the numbers assume one
    success rate and distinct answers. Side arms are left out of `expected` and only counted in `side`. With a control
    it is a simulation of `runs` runs, seeded by the plan, at `control_rate` (default p0), with its standard error.
    ValueError for a rate outside 0 to 1 or a fixed-n plan, which has no rule to characterise.

    >>> from manyeyes.engine import plan_verify
    >>> c = characteristics(plan_verify(tau=0.01), [0.0, 0.001, 0.02])
    >>> [round(point.expected, 1) for point in c.points], round(c.type_one, 3), c.at_zero, c.most
    ([322.0, 427.5, 103.8], 0.048, 322, 1495)
    """
    if plan.question not in _LOW:
        raise ValueError(f"plan: a {plan.question} plan has no such rule; give a reproduce or a verify plan")
    control = plan.p0 if control_rate is None else control_rate
    if wrong := [p for p in (*ps, control) if not 0 <= p <= 1]:
        raise ValueError(f"ps: rates lie between 0 and 1, got {wrong[0]}")
    table, tests, judge = tuple(edges(plan)), Boundaries(plan), plan.judge
    layout, low_word = Layout(plan), _LOW[plan.question]
    verify = plan.question is Question.VERIFY

    def look(p: float, rate: float) -> Point:
        if plan.control:
            other = control if judge is None else judge.reported(control)
            return _simulate(plan, table, p, (rate, other), runs)
        return _point(p, *_walk(table, low_word, rate))

    def error(word: str, rate: float) -> float:
        level = plan.alpha if word in ("holds", "reproduced") else plan.beta
        return look(rate, rate).verdicts[word] + level - tests.levels[word]

    false, still = tests.just_false
    if plan.control:
        false = min(1.0, (control if judge is None else judge.reported(control)) + plan.margin)
    claim, contrary = ("holds", "fails") if verify else ("reproduced", "not_reproduced")
    at_zero = next((n for n, edge in enumerate(table, 1) if edge.low >= 0), None)
    constant, wordings = at_zero if verify else _all_successes(plan), len({c.wording or c.key for c in plan.cells})
    return Characteristics(
        points=tuple(look(p, p if judge is None else judge.reported(p)) for p in ps),
        type_one=error(claim, false),
        type_two=error(contrary, still),
        at_zero=at_zero,
        most=len(table),
        side=sum(arm.end for _, arm in layout.arms()) + plan.control_n,
        side_least=sum(arm.n for _, arm in layout.arms()) + plan.control_n,
        score=layout.limit(Stream.SCORE),
        attribute=sum(map(plan.most_of, layout.parts)) + 2 * plan.pairs if layout.limit(Stream.ATTRIBUTE) else 0,
        exact=not plan.control,
        constant_answers=constant,
        wordings=wordings,
        constant_end=None if constant is not None and wordings >= constant else _constant_end(plan, layout),
    )


def _constant_end(plan: Plan, layout: Layout) -> int:
    """Where a run ends undecided if each of too few wordings gets one text every time, never against the claim."""
    outcome = Outcome.FAILURE if plan.question is Question.VERIFY else Outcome.SUCCESS
    control = Outcome.FAILURE if plan.control else None
    tally, most = Tally(plan), layout.limit(Stream.MAIN)
    for n in range(most if plan.ends_stuck else 0):
        cell = layout.cell(Stream.MAIN, n)
        tally.add(cell, outcome, cell.wording or cell.key, control=control)
        if tally.stuck:
            return n + 1
    return most


def _all_successes(plan: Plan) -> int | None:
    """How many successes in a row, each to its own wording and none by the control, a reproduction takes."""
    tally = Tally(plan)
    for n in range(1, plan.cap + 1):
        control = Outcome.FAILURE if plan.control else None
        if tally.add(Cell(key=str(n)), Outcome.SUCCESS, None, control=control) == "reproduced":
            return n
    return None
