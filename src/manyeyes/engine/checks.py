"""Honesty checks on a finished sequence, each with a consequence; those that are tests are at level .001."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, inf, lgamma
from random import Random

from manyeyes.engine.counted import distinct
from manyeyes.engine.plan import Question
from manyeyes.engine.special import log_sum
from manyeyes.engine.tally import Tally
from manyeyes.engine.verdict import Check

LEVEL = 0.001
_SHUFFLES = 1199
_ONCE = "every text of a wording counts once as support for the claim, whenever it comes again"
_IN_A_ROW = "an answer that repeats the one before it counts once as support for the claim"
_ENOUGH = 10


def _log_choose(n: int, k: int) -> float:
    if not 0 <= k <= n:
        return -inf
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def halves_p_value(bits: Sequence[int]) -> float:
    """Fisher's (1922) exact two-sided p-value that the first and the second half have one rate.

    >>> round(halves_p_value([True] * 8 + [False] * 8), 6)
    0.000155
    """
    n, half = len(bits), len(bits) // 2
    total, first = sum(bits), sum(bits[:half])
    whole = _log_choose(n, total)
    counts = range(min(half, total) + 1)
    logs = array("d", (_log_choose(half, x) + _log_choose(n - half, total - x) - whole for x in counts))
    cut = logs[first] + 1e-9
    return min(1.0, exp(log_sum(array("d", (value for value in logs if value <= cut)))))


def runs_p_value(bits: Sequence[int]) -> float:
    """The exact p-value of so few runs of equal outcomes (Wald & Wolfowitz 1940): small when successes come in clumps.

    One-sided, because drawing wordings in balanced rounds makes too many runs by design.

    >>> round(runs_p_value([True] * 8 + [False] * 8), 6)
    0.000155
    >>> runs_p_value([True, True])
    1.0
    """
    ones, zeros = sum(bits), len(bits) - sum(bits)
    if not ones or not zeros:
        return 1.0
    seen = 1 + sum(a != b for a, b in pairwise(bits))
    logs = array("d")
    for runs in range(2, seen + 1):
        more, less = (runs + 1) // 2, runs // 2
        for a, b in ((more, less), (less, more)):
            logs.append(_log_choose(ones - 1, a - 1) + _log_choose(zeros - 1, b - 1))
    return min(1.0, exp(log_sum(logs) - _log_choose(ones + zeros, ones)))


def clump_p_value(rows: Iterable[tuple[object, str | None]], *, seed: int) -> float:
    """How likely so many equal answers next to one another are if their order is chance alone.

    `rows` are (group, text) in order; the order of texts is shuffled inside each group, which answers drawn afresh for
    each request cannot be told from. A group has one request and one outcome, so that a rule which stops by outcomes
    changes nothing. A sequential permutation test (Besag & Clifford 1991): never below .001 more often than that.

    >>> apart = [("a", text) for text in "ABCDABCDABCDABCD"]
    >>> clump_p_value(apart, seed=1) > 0.5, clump_p_value(sorted(apart), seed=1) < 0.001
    (True, True)
    """
    groups: dict[object, array[int]] = {}
    for group, text in rows:
        if text is not None:
            groups.setdefault(group, array("q")).append(hash(text))
    mixed = [texts for texts in groups.values() if 1 < distinct(texts) < len(texts)]
    if not mixed:
        return 1.0
    seen, random, above = _neighbours(mixed), Random(seed), 0
    for count in range(1, _SHUFFLES + 1):
        for texts in mixed:
            random.shuffle(texts)
        above += _neighbours(mixed) >= seen
        if above == _ENOUGH:
            return above / count
    return (above + 1) / (_SHUFFLES + 1)


def _neighbours(groups: Sequence[Sequence[int]]) -> int:
    return sum(a == b for texts in groups for a, b in pairwise(texts))


def sequence_checks(tally: Tally) -> tuple[Check, ...]:
    """Distinct answers, halves and runs of the scored prefix.

    A verification that would hold becomes `inconclusive` when halves or runs fail: its rate was not one rate.
    """
    verify = tally.plan.question is Question.VERIFY
    drift = "a verification is not called holds" if verify else "the interval speaks of the whole run, not of one rate"
    halves, runs = halves_p_value(tally.bits), runs_p_value(tally.bits)
    return (
        _distinct(tally),
        Check(
            name="halves",
            passed=halves >= LEVEL,
            detail="first and second half of the trials compared",
            consequence=drift,
            p_value=halves,
        ),
        Check(
            name="runs",
            passed=runs >= LEVEL,
            detail="successes looked at for coming in clumps",
            consequence=drift,
            p_value=runs,
        ),
    )


def _distinct(tally: Tally) -> Check:
    repeats = tally.repeats
    if not repeats.known:
        return Check(name="distinct answers", passed=True, detail="not available: some answers have no digest")
    n, k = tally.supporting
    constant = len(repeats.constant)
    detail = f"{constant} wordings gave one constant answer; effective count {k} of {n}, from {tally.k} of {tally.n}"
    return Check(
        name="distinct answers",
        passed=constant == 0,
        detail=detail,
        consequence=_ONCE if tally.plan.counts_once else _IN_A_ROW,
    )
