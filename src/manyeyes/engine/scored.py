"""Honesty checks on trials of a fixed number: whether they show one rate of fresh answers, at settings that matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from manyeyes.engine.checks import LEVEL, clump_p_value, halves_p_value, runs_p_value
from manyeyes.engine.counted import FixedCount
from manyeyes.engine.verdict import Check

SETTINGS, COLD = "settings", "temperature 0"
SCORED_HALVES, SCORED_RUNS, SCORED_CACHE = "halves, scored", "runs, scored", "cache, scored"

_SHARE = 0.8
_CONSEQUENCE = "no rate is scored: the fixed trials are shown, and must be made again"


Several = Sequence[tuple[str, int, int]]
"""Settings of temperature 0 that gave several answers: the name, how many answers, in how many trials."""


def scored_checks(counts: Sequence[FixedCount], *, seed: int, several: Several = ()) -> tuple[Check, ...]:
    """All of these checks on the fixed trials of some cells, with what else is known of temperature 0."""
    rows = [
        (count.cell.setting or count.cell.key, count.distinct or 0, count.n)
        for count in counts
        if count.cell.deterministic and (count.distinct or 0) > 1
    ]
    cold = cold_checks([*several, *rows])
    return (*rate_checks(counts), *fresh_checks(counts, seed=seed), *settings_checks(counts), *cold)


def rate_checks(counts: Sequence[FixedCount]) -> tuple[Check, ...]:
    """Halves and runs of the fixed trials, cell by cell; nothing where each cell gives one answer or had one trial.

    Each is at level .001 over all cells together (Bonferroni).
    """
    tried = _tried(counts)
    if not tried:
        return ()
    halves = ("first and second half of the fixed trials compared", SCORED_HALVES, halves_p_value)
    runs = ("successes among the fixed trials looked at for coming in clumps", SCORED_RUNS, runs_p_value)
    return tuple(_over(tried, *what) for what in (halves, runs))


def _tried(counts: Sequence[FixedCount]) -> list[FixedCount]:
    return [count for count in counts if count.n > 1 and not count.cell.deterministic]


def _over(tried: Sequence[FixedCount], detail: str, name: str, test: Callable[[Sequence[int]], float]) -> Check:
    values = {count.cell.key: test(count.bits) for count in tried}
    least = min(values, key=values.__getitem__)
    p = min(1.0, values[least] * len(values))
    passed = p >= LEVEL
    told = detail if passed or len(values) == 1 else f"{detail}, at {least}"
    return Check(name=name, passed=passed, detail=told, consequence=_CONSEQUENCE, p_value=p)


def fresh_checks(counts: Sequence[FixedCount], *, seed: int) -> tuple[Check, ...]:
    """Whether answers to one request came back in a row, as from a cache; nothing where no answer is known by its text.

    One constant answer to a request cannot be told from a cache; it counts once by rule, without a test.
    """
    tried = _tried(counts)
    if not any(text is not None for count in tried for _, text in count.read):
        return ()
    # One by one, since all at once would be larger than all else that is kept of a long run.
    rows = (((count.cell.key, outcome), text) for count in tried for outcome, text in count.read)
    p = clump_p_value(rows, seed=seed)
    detail = "equal answers to one request among the fixed trials looked at for coming in a row"
    return (Check(name=SCORED_CACHE, passed=p >= LEVEL, detail=detail, consequence=_CONSEQUENCE, p_value=p),)


def settings_checks(counts: Sequence[FixedCount]) -> tuple[Check, ...]:
    """Whether settings made a difference in the fixed trials of one wording.

    Fails where every answer at every setting is one text, and so many are drawn at a temperature above 0 that this has
    a chance below .001 if they would differ one time in five.
    """
    tried = [count for count in counts if count.n > 1 and count.distinct is not None]
    one = {count.distinct for count in tried} == {1} and len({count.first_text for count in tried}) == 1
    free = sum(count.n for count in tried if not count.cell.deterministic)
    if len({count.cell.setting for count in tried}) > 1 and free:
        p = _SHARE**free if one else 1.0
        same = f"one and the same text at all {len(tried)} settings" if one else "not all answers are one text"
        consequence = "the settings count as one: no difference between them may be read from these trials"
        return (Check(name=SETTINGS, passed=p >= LEVEL, detail=same, consequence=consequence, p_value=p),)
    return ()


def cold_checks(several: Several) -> tuple[Check, ...]:
    """That a setting with temperature 0 gave several answers: not the one observation that a plan takes it for."""
    if not several:
        return ()
    told = ", ".join(f"{name} ({many} of {n})" for name, many, n in several)
    consequence = "the target does not honour temperature 0, or is not exact at it: such trials count one by one"
    return (Check(name=COLD, passed=False, detail=f"different answers at {told}", consequence=consequence),)
