"""How a plan will tell a patch that blocks the reported wording alone, before anything is spent: exact."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, log

from manyeyes.engine.beside import NEED
from manyeyes.engine.comparison import log_e_mcnemar
from manyeyes.engine.evidence import log_e_below
from manyeyes.engine.parts import Before
from manyeyes.engine.plan import REPORTED, Arm, Plan, Question

SURE = 0.99
FARTHEST = 120


@dataclass(frozen=True, kw_only=True)
class PatchForesight:
    """What to expect of a patch that blocks the reported wording and lets others through.

    `before` is the rate of the version with the flaw, `told` the chance that the reported wording is shown to be
    suppressed and less than another at one time, and `trials` how many trials of it that takes on average, where the
    assay is sensitive; those of the wordings beside it are not among them.
    """

    before: float
    told: float
    trials: float


def foresee_patch(plan: Plan, before: float) -> PatchForesight:
    """How a verification will tell such a patch where the version with the flaw succeeds at rate `before` (0 to 1).

    Exact: it hangs on the successes of the positive arm (or on the plan's own rate before, whatever the rate is here)
    and on failures of the reported wording with distinct answers. One constant answer is told sooner. Other parts are
    taken to pass as often as before the patch, with a new text each time, which is shown within their shares unless
    they hardly ever pass. ValueError for another question or no such rate.

    >>> from manyeyes.engine import Arm, Cell, plan_verify
    >>> arm = Arm(cells=(Cell(key="flawed"),), n=12, need=3)
    >>> [round(foresee_patch(plan_verify(positive=arm, reported_cap=most), 0.7).told, 3) for most in (None, 100)]
    [0.882, 1.0]
    """
    if plan.question is not Question.VERIFY:
        raise ValueError(f"plan: a {plan.question} plan tells no patch; give a verify plan")
    if not 0 <= before <= 1:
        raise ValueError(f"before: rates lie between 0 and 1, got {before}")
    told = spent = passed = 0.0
    for found, chance in _rates(plan, before):
        needed = None if found is None else zeros_to_suppress(plan, found)
        passed += chance
        for pairs, shown, share in _pairs(plan, before) if needed is not None else [(0, False, 1.0)]:
            told += chance * share * shown
            most = max(plan.part_cap + pairs, needed or 0) if shown else plan.part_cap + pairs
            spent += chance * share * most
    return PatchForesight(before=before, told=told, trials=spent / passed if passed else 0.0)


def _pairs(plan: Plan, rate: float) -> list[tuple[int, bool, float]]:
    """How the pairs may end that are asked by turns, where the other part alone passes: how many, shown or not, chance.

    Plans from before them need none.
    """
    if not plan.pairs:
        return [(0, True, 1.0)]
    need = next(alone for alone in range(1, FARTHEST) if log_e_mcnemar(alone, 0) >= NEED)
    alive, ends = {0: 1.0}, []
    for pair in range(1, plan.pairs + 1):
        moved: dict[int, float] = {}
        for alone, mass in alive.items():
            for more, share in ((alone, 1 - rate), (alone + 1, rate)):
                moved[more] = moved.get(more, 0.0) + mass * share
        alive = {alone: mass for alone, mass in moved.items() if need - plan.pairs + pair <= alone < need}
        ends += [(pair, alone == need, mass) for alone, mass in moved.items() if alone not in alive]
    return ends


def _rates(plan: Plan, before: float) -> list[tuple[Before | None, float]]:
    """What the run takes for the rate before, with the chance of each; runs that end at the positive arm are out."""
    if plan.before is not None:
        k, n = plan.before
        return [(Before(k=k, n=n, arm=False) if k else None, 1.0)]
    if plan.positive is None:
        return [(None, 1.0)]
    return [(Before(k=k, n=n, arm=True) if k else None, chance) for (k, n), chance in arm_ends(plan.positive, before)]


def arm_ends(arm: Arm, rate: float) -> list[tuple[tuple[int, int], float]]:
    """How a side arm may end that meets its need, as (k, n) with its chance, where its trials succeed at `rate`."""
    alive, ends = {0: 1.0}, []
    for n in range(1, arm.end + 1):
        moved: dict[int, float] = {}
        for k, mass in alive.items():
            for gone, share in ((k, 1 - rate), (k + 1, rate)):
                moved[gone] = moved.get(gone, 0.0) + mass * share
        alive = {k: mass for k, mass in moved.items() if not arm.over(n, k)}
        ends += [((k, n), mass) for k, mass in moved.items() if arm.over(n, k) and not arm.hopeless(n, k)]
    return ends


def arm_most(need: int, rate: float) -> int:
    """Up to how many trials an arm goes on: twice its need succeed in them with chance .99 at this rate (0 to 1).

    At most `FARTHEST`, which is what it comes to where the rate is about .1 and three must succeed.

    >>> arm_most(3, 0.3), arm_most(3, 0.15), arm_most(1, 0.3)
    (40, 84, 20)
    """
    return next((n for n in range(1, FARTHEST) if _fewer(2 * need, n, rate) <= 1 - SURE), FARTHEST)


def _fewer(need: int, n: int, rate: float) -> float:
    return sum(comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(min(need, n + 1)))


def zeros_to_suppress(plan: Plan, before: Before) -> int | None:
    """How many failures in a row show that the reported wording is suppressed; None where its share is too small.

    >>> from manyeyes.engine import plan_verify
    >>> plan = plan_verify(reported_cap=100)
    >>> [zeros_to_suppress(plan, Before(k=k, n=12, arm=True)) for k in (2, 3, 6, 12)]
    [None, 89, 25, 7]
    """
    half, need = before.lower / 2, -log(plan.beta)
    return next((n for n in range(1, plan.most_of(REPORTED) + 1) if log_e_below(n, 0, half) >= need), None)
