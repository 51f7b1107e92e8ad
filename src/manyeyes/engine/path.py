"""How the evidence grew, trial by trial: what the charts of a replay draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manyeyes.engine.plan import Answer, Cell, Outcome, Plan, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.tally import Tally

Given = Answer | Outcome | bool | None


@dataclass(frozen=True, kw_only=True)
class PathPoint:
    """After n trials: counts, the e-value behind each word, the anytime interval, the one-sided bound, the cell.

    `decision` is the word of the first boundary, on the trial that reached it, and None everywhere else.
    """

    n: int
    k: int
    cell: str
    success: bool
    evalues: Mapping[str, float]
    low: float
    high: float
    bound: float
    decision: str | None


def _outcome(given: Given) -> tuple[Outcome, str | None]:
    if isinstance(given, Answer):
        return Outcome(given.outcome), given.digest
    if isinstance(given, Outcome):
        return given, None
    return (Outcome.UNDECIDED if given is None else Outcome.SUCCESS if given else Outcome.FAILURE), None


def _point(tally: Tally, cell: Cell, decision: str | None) -> PathPoint:
    low, high = tally.interval()
    return PathPoint(
        n=tally.n,
        k=tally.k,
        cell=cell.key,
        success=bool(tally.bits[-1]),
        evalues=tally.evalues(),
        low=low,
        high=high,
        bound=tally.bound(),
        decision=decision,
    )


def evidence_path(
    plan: Plan, outcomes: Sequence[Given], *, control: Sequence[Given] = (), step: int = 1
) -> tuple[PathPoint, ...]:
    """The path of the main stream over `outcomes`, which are in index order and without gaps.

    Outcomes are answers (their digests let repeats count once, as in the replay), `Outcome`s, or True, False and None.
    With a `step` of more than 1 a long path is thinned to every step-th trial, the successes, the boundary and the end.
    A plan with a control needs `control` as long as `outcomes`. The path goes on to the end of what it is given, also
    past a boundary. ValueError for a plan of another question, a control of another length, or more outcomes than the
    plan has.

    >>> from manyeyes.engine import plan_reproduce
    >>> point = evidence_path(plan_reproduce(), [False, True])[-1]
    >>> point.n, point.k, round(point.evalues["reproduced"], 2), point.decision
    (2, 1, 12.55, None)
    """
    if plan.question not in (Question.REPRODUCE, Question.VERIFY):
        raise ValueError(f"plan: a {plan.question} plan has no one path of evidence; give a reproduce or a verify plan")
    if len(control) != (len(outcomes) if plan.control else 0):
        raise ValueError(f"control: needs one outcome per block, got {len(control)} for {len(outcomes)}")
    layout, tally = Layout(plan), Tally(plan)
    if len(outcomes) > layout.limit(Stream.MAIN):
        raise ValueError(f"outcomes: the plan has {layout.limit(Stream.MAIN)} trials, got {len(outcomes)}")
    points: list[PathPoint] = []
    ended = False
    for index, given in enumerate(outcomes):
        cell = layout.cell(Stream.MAIN, index)
        outcome, digest = _outcome(given)
        other = _outcome(control[index])[0] if plan.control else None
        decision = tally.add(cell, outcome, digest, control=other)
        first = decision is not None and not ended
        if index % step == 0 or first or outcome is Outcome.SUCCESS or index == len(outcomes) - 1:
            points.append(_point(tally, cell, decision if first else None))
        ended = ended or decision is not None
    return tuple(points)
