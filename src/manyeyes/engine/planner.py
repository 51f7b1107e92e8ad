"""What a plan will do before anything is spent: error rates, expected trials, worst case; by dynamic programme."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log, sqrt
from random import Random

from manyeyes.engine.evidence import log_e_above, log_e_below, log_e_fails, log_e_futile
from manyeyes.engine.plan import Plan, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.twosample import log_block

_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Point:
    """What happens when every trial succeeds with chance `p`: expected trials, when runs end, and how.

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
    (None: the cap comes first). `most` is the most main trials (blocks), `side` the trials of the arms, `score` those
    of the fixed stage, `attribute` the most further trials over the parts; `exact` is False for a simulation.
    """

    points: tuple[Point, ...]
    type_one: float
    type_two: float
    at_zero: int | None
    most: int
    side: int
    score: int
    attribute: int
    exact: bool

    def at(self, p: float) -> Point:
        """The point of a rate that was asked for. KeyError for any other."""
        for point in self.points:
            if point.p == p:
                return point
        raise KeyError(p)


Edge = tuple[int, tuple[tuple[str, int], ...]]
"""Per n: the run ends low at this k or fewer (-1: never), or high at the first word whose k is reached."""

_LOW = {Question.VERIFY: "holds", Question.REPRODUCE: "not_reproduced"}


def _high_tests(plan: Plan) -> list[tuple[str, Callable[[int, int], bool]]]:
    for_level, against = -log(plan.alpha), -log(plan.beta)
    if plan.question is Question.VERIFY:
        return [
            ("fails", lambda n, k: log_e_fails(n, k, plan.tau) >= against),
            ("not_shown", lambda n, k: log_e_futile(n, k, plan.tau) >= against),
        ]
    if plan.control:
        return []
    least = plan.min_successes
    return [("reproduced", lambda n, k: k >= least and log_e_above(n, k, plan.p0, plan.p_min) >= for_level)]


def edges(plan: Plan) -> Iterator[Edge]:
    """The boundaries for n = 1, 2, ...; each moves up by at most one success per trial, so one walk finds them all."""
    verify = plan.question is Question.VERIFY
    boundary, need = (plan.tau, -log(plan.alpha)) if verify else (plan.p_min, -log(plan.beta))
    tests = _high_tests(plan)
    low, least = -1, [0] * len(tests)
    for n in range(1, Layout(plan).limit(Stream.MAIN) + 1):
        if low + 1 <= n and log_e_below(n, low + 1, boundary) >= need:
            low += 1
        for i, (_, reached) in enumerate(tests):
            while least[i] <= n and not reached(n, least[i]):
                least[i] += 1
        yield low, tuple((name, k if k <= n else _NEVER) for (name, _), k in zip(tests, least, strict=True))


def _walk(table: Sequence[Edge], low_word: str, p: float) -> tuple[dict[str, float], list[float]]:
    """Exact chances of each word, and of ending at each n, when every trial succeeds with chance p."""
    words: dict[str, float] = {low_word: 0.0, **{name: 0.0 for name, _ in table[0][1]}, "inconclusive": 0.0}
    first, alive, ends = 0, [1.0], []
    for low, high in table:
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
        ends.append(ended)
        alive = moved
        if not alive:
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


def _simulate(plan: Plan, table: Sequence[Edge], p: float, control: float, runs: int) -> Point:
    """A seeded simulation of exploit against control, for plans too wide to be counted out."""
    random, need = Random(f"{plan.seed}:{p}:{control}"), -log(plan.alpha)
    words = {"reproduced": 0, "not_reproduced": 0, "inconclusive": 0}
    ends = [0] * len(table)
    for _ in range(runs):
        exploit_k = control_k = 0
        evidence, word = 0.0, "inconclusive"
        for n, (low, _) in enumerate(table):
            hit, other = random.random() < p, random.random() < control
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
    if plan.question is Question.SCORE:
        raise ValueError("plan: a fixed-n plan has no stopping rule; give a reproduce or a verify plan")
    control = plan.p0 if control_rate is None else control_rate
    if wrong := [p for p in (*ps, control) if not 0 <= p <= 1]:
        raise ValueError(f"ps: rates lie between 0 and 1, got {wrong[0]}")
    table = tuple(edges(plan))
    layout, low_word = Layout(plan), _LOW[plan.question]
    verify = plan.question is Question.VERIFY

    def look(p: float) -> Point:
        if plan.control:
            return _simulate(plan, table, p, control, runs)
        return _point(p, *_walk(table, low_word, p))

    just_false = plan.tau if verify else (min(1.0, control + plan.margin) if plan.control else plan.p0)
    claim, contrary = ("holds", "fails") if verify else ("reproduced", "not_reproduced")
    return Characteristics(
        points=tuple(look(p) for p in ps),
        type_one=look(just_false).verdicts[claim],
        type_two=look(plan.tau if verify else plan.p_min).verdicts[contrary],
        at_zero=next((n for n, (low, _) in enumerate(table, 1) if low >= 0), None),
        most=len(table),
        side=sum(arm.n for _, arm in layout.arms()) + plan.control_n,
        score=layout.limit(Stream.SCORE),
        attribute=plan.part_cap * len(layout.parts) if layout.limit(Stream.ATTRIBUTE) else 0,
        exact=not plan.control,
    )
