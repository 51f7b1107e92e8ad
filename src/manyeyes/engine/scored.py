"""Honesty checks on trials of a fixed number: whether they show one rate of fresh answers, at settings that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from manyeyes.engine.checks import LEVEL, clump_p_value, halves_p_value, runs_p_value
from manyeyes.engine.counted import FixedCount
from manyeyes.engine.drift import Timed, halves_over_p_value, trend_p_value
from manyeyes.engine.since import WAITED, since_p_value
from manyeyes.engine.verdict import Check

SETTINGS, COLD = "settings", "temperature 0"
SCORED_HALVES, SCORED_RUNS, SCORED_CACHE = "halves, scored", "runs, scored", "cache, scored"
SCORED_TREND, SCORED_SINCE, SCORED_ONCE = "trend, scored", "reproduction, scored", "distinct answers, scored"

_SHARE = 0.8
_CONSEQUENCE = "no rate is scored: the fixed trials are shown, and must be made again"


Several = Sequence[tuple[str, int, int]]
"""Settings of temperature 0 that gave several answers: the name, how many answers, in how many trials."""


def scored_checks(
    counts: Sequence[FixedCount], *, seed: int, timed: Mapping[str, Timed] | None, several: Several = ()
) -> tuple[Check, ...]:
    """These checks on the fixed trials of some cells, with what else is known of temperature 0.

    Without their places in time (a plan from before `edition`) each cell is only held against itself.
    """
    rows = [
        (count.cell.setting or count.cell.key, count.distinct or 0, count.n)
        for count in counts
        if count.cell.deterministic and (count.distinct or 0) > 1
    ]
    cold = cold_checks([*several, *rows])
    return (*rate_checks(counts, timed), *fresh_checks(counts, seed=seed), *settings_checks(counts), *cold)


def rate_checks(counts: Sequence[FixedCount], timed: Mapping[str, Timed] | None) -> tuple[Check, ...]:
    """Halves, runs and trend of the fixed trials; nothing where each cell gives one answer or had one trial.

    Halves and trend are one test over all cells together, each held against itself alone; runs are looked at cell by
    cell. Each check is at level .001 over all cells (Bonferroni).
    """
    tried = _tried(counts)
    if not tried:
        return ()
    runs = _over(tried, "successes among the fixed trials looked at for coming in clumps", SCORED_RUNS, runs_p_value)
    if timed is None:
        halves = "first and second half of the fixed trials compared"
        return (_over(tried, halves, SCORED_HALVES, halves_p_value), runs)
    cells = [timed[count.cell.key] for count in tried]
    several = ", each setting with itself" if len(tried) > 1 else ""
    halves = f"first and second half of the fixed trials compared{several}"
    trend = "the fixed trials looked at for a rate that rises or falls with time"
    return (
        _fixed(SCORED_HALVES, halves, halves_over_p_value(cells)),
        _fixed(SCORED_TREND, f"{trend}{several}", trend_p_value(cells)),
        runs,
    )


def _fixed(name: str, detail: str, p: float) -> Check:
    return Check(name=name, passed=p >= LEVEL, detail=detail, consequence=_CONSEQUENCE, p_value=p)


def since_checks(stream: Mapping[str, Sequence[int]], counts: Sequence[FixedCount], *, r: int) -> tuple[Check, ...]:
    """Whether cells have the rate among the fixed trials that they had in the main stream, up to their r-th success.

    `stream` has the outcomes of each cell in the main stream (1 for a success); r must not depend on them. At level
    .001 over all cells (Bonferroni), whatever rule ended the main stream; nothing where no cell is in both.
    """
    both = [count for count in _tried(counts) if stream.get(count.cell.key)]
    if not both:
        return ()
    values = {count.cell.key: _since(stream[count.cell.key], count, max(r, WAITED)) for count in both}
    least = min(values, key=values.__getitem__)
    bits, fixed = stream[least], next(count for count in both if count.cell.key == least)
    told = (
        f"{sum(bits)} of {len(bits)} when it was reproduced, {fixed.k} of {fixed.n} fixed trials after that, at {least}"
    )
    return (_fixed(SCORED_SINCE, told, min(1.0, values[least] * len(both))),)


def _since(bits: Sequence[int], count: FixedCount, r: int) -> float:
    places = [place for place, hit in enumerate(bits, 1) if hit]
    came = len(places) >= r
    return since_p_value(places[r - 1] if came else len(bits) + 1, r, count.k, count.n, came=came)


def once_checks(count: FixedCount) -> tuple[Check, ...]:
    """Whether the cell whose rate is to be scored gave more than one text; nothing where it may not or none is known.

    A fact, not a test: equal answers to one request are one observation, and one has no rate.
    """
    if not _tried([count]) or count.distinct is None:
        return ()
    told = f"{count.n} fixed trials gave {count.distinct} different text{'s' if count.distinct > 1 else ''}"
    consequence = "equal answers to one request are one observation: of a single one no rate is scored"
    return (Check(name=SCORED_ONCE, passed=count.distinct > 1, detail=told, consequence=consequence),)


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
