"""A target that changes without a word: the mixed order of the fixed trials, and the tests that see a changed rate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from manyeyes.engine import Cell, Fixed, Plan, Stream, Trial, Verdict, plan_map, plan_reproduce, plan_score
from manyeyes.engine.checks import LEVEL
from manyeyes.engine.counted import FixedCount
from manyeyes.engine.drift import Timed, halves_over_p_value, trend_p_value
from manyeyes.engine.schedule import Layout, fixed_order
from manyeyes.engine.scored import since_checks
from manyeyes.engine.since import since_p_value
from tests.engine.scripted import Answer, answer, run, run_and_keep

A, B, C, D = (Cell(key=f"{name}/w", setting=name, wording="w") for name in "abcd")
GRID = [Fixed(cell=A, n=30), *(Fixed(cell=cell, n=8) for cell in (B, C, D))]
TOTAL = 54


def reproduction(seed: int = 0, score: list[Fixed] | None = None) -> Plan:
    return plan_reproduce(cells=[A], min_successes=3, score=score or GRID, rated=A.key, seed=seed)


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


# --- the order -------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**9), sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_every_cell_is_spread_over_the_whole_and_has_its_number(seed: int, sizes: list[int]) -> None:
    cells = [Cell(key=str(i)) for i in range(len(sizes))]
    plan = plan_score(score=[Fixed(cell=cell, n=n) for cell, n in zip(cells, sizes, strict=True)], seed=seed)
    order, seen, total = [cell.key for cell in fixed_order(plan)], Counter[str](), sum(sizes)
    for read, key in enumerate(order, 1):
        seen[key] += 1
        for cell, n in zip(cells, sizes, strict=True):
            assert abs(seen[cell.key] - read * n / total) <= 1 + len(sizes) * n / total
    assert [seen[cell.key] for cell in cells] == sizes


def test_the_order_depends_on_the_seed_and_old_plans_keep_theirs() -> None:
    plan = reproduction(7)
    assert fixed_order(plan) == fixed_order(reproduction(7)) != fixed_order(reproduction(8))
    old = [A] * 30 + [B] * 8 + [C] * 8 + [D] * 8
    assert fixed_order(replace(plan, edition=None)) == old != fixed_order(plan)
    assert fixed_order(reproduction(score=GRID[:1])) == [A] * 30
    assert [Layout(plan).cell(Stream.SCORE, i) for i in range(TOTAL)] == fixed_order(plan)


def wavering(trial: Trial) -> Answer:
    random = Random(f"{trial.stream}/{trial.index}")
    rate = 0.8 if trial.stream is Stream.MAIN or trial.index < 20 else 0.4
    return answer(trial, random.random() < rate, str(random.random()))


@pytest.mark.parametrize("edition", [None, 2])
@pytest.mark.parametrize("seed", range(4))
def test_concurrency_and_resume_change_no_verdict(seed: int, edition: int | None) -> None:
    plan = replace(reproduction(seed), edition=edition)
    alone, record = run_and_keep(plan, wavering)
    assert run(plan, wavering, room=40, shuffle=seed).to_json()["checks"] == alone.to_json()["checks"]
    again = run(Plan.from_json(plan.to_json()), wavering, room=3, record=record[: 10 + 7 * seed])
    assert again == alone


# --- halves and trend over all cells ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(bits=st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_halves_of_one_cell_are_fishers(bits: list[bool]) -> None:
    first, second = bits[: len(bits) // 2], bits[len(bits) // 2 :]
    table = [[sum(first), len(first) - sum(first)], [sum(second), len(second) - sum(second)]]
    found = halves_over_p_value([Timed(range(len(bits)), bits)])
    assert found == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_the_halves_of_several_cells_are_counted_out() -> None:
    """Every way to place the successes of two cells, each as likely as any other."""
    moments, ks = ([0, 3, 4, 7, 8], [1, 2, 5, 6, 9, 10]), (2, 3)
    half = 11 // 2
    sums = [
        sum(moment < half for moment in (*one, *other))
        for one in combinations(moments[0], ks[0])
        for other in combinations(moments[1], ks[1])
    ]
    chances = {value: count / len(sums) for value, count in Counter(sums).items()}
    for one in ((0, 3), (0, 8), (7, 8)):
        for other in ((1, 2, 5), (2, 6, 9), (6, 9, 10)):
            hits = {*one, *other}
            cells = [Timed(times, [time in hits for time in times]) for times in moments]
            cut = chances[sum(moment < half for moment in hits)] + 1e-12
            expected = sum(chance for chance in chances.values() if chance <= cut)
            assert halves_over_p_value(cells) == pytest.approx(expected)
    assert halves_over_p_value([]) == 1.0
    risen = Timed(range(16), [0] * 8 + [1] * 8)
    assert trend_p_value([risen, Timed([16], [1])]) == trend_p_value([risen])


def test_long_runs_are_weighed_in_no_time() -> None:
    n = 20000
    cells = [Timed(range(place, 4 * n, 4), [i % 2 for i in range(n)]) for place in range(4)]
    assert halves_over_p_value(cells) == pytest.approx(1.0, abs=1e-6)
    risen = [Timed(range(place, 4 * n, 4), [i % 2 or i > 0.93 * n for i in range(n)]) for place in range(4)]
    assert max(halves_over_p_value(risen), trend_p_value(risen)) < LEVEL


def sums_of(moments: list[int], k: int) -> dict[int, float]:
    """The chance of each sum of k of these moments."""
    table = [defaultdict[int, int](int) for _ in range(k + 1)]
    table[0][0] = 1
    for moment in moments:
        for j in range(k, 0, -1):
            for total, ways in table[j - 1].items():
                table[j][total + moment] += ways
    return {total: ways / comb(len(moments), k) for total, ways in table[k].items()}


def bits_with(moments: list[int], k: int, total: int) -> list[int] | None:
    """Some places of k successes with this sum, by moving the last of the first places on."""
    chosen = list(range(k))
    missing = total - sum(moments[place] for place in chosen)
    for back in range(k - 1, -1, -1):
        while missing > 0 and chosen[back] + 1 < len(moments) - (k - 1 - back):
            missing -= moments[chosen[back] + 1] - moments[chosen[back]]
            chosen[back] += 1
    return [int(place in chosen) for place in range(len(moments))] if not missing else None


@pytest.mark.parametrize("n", [8, 16, 24, 30])
def test_the_level_of_the_trend_is_kept_for_every_count(n: int) -> None:
    """All sums of places that are told from a steady rate, by their exact chances."""
    moments = list(range(n))
    for k in range(1, n):
        told = 0.0
        for total, chance in sums_of(moments, k).items():
            bits = bits_with(moments, k, total)
            assert bits is not None
            told += chance * (trend_p_value([Timed(moments, bits)]) < LEVEL)
        assert told <= LEVEL


# --- the main stream against the fixed trials ------------------------------------------------------------------------


def test_the_level_of_since_is_kept_whatever_the_rate() -> None:
    """By the exact laws of the wait for the third success and of the fixed count.

    Long waits are taken together, with all that is told at the shortest or the longest of them: rather too much.
    """
    n, r = 20, 3
    ends = [*range(r, 30)]
    while ends[-1] < 3000:
        ends.append(int(ends[-1] * 1.1) + 1)
    told = {end: {k for k in range(n + 1) if since_p_value(end, r, k, n) < LEVEL} for end in ends}
    assert told[3] == {0}
    assert told[ends[-1]] >= {5, 20}
    for p in (0.01, 0.03, 0.06, 0.1, 0.13, 0.16, 0.2, 0.3, 0.5, 0.8):
        waits, counts = stats.nbinom(r, p), stats.binom(n, p).pmf(range(n + 1))
        chance = waits.sf(ends[-1] - r)
        for before, end in pairwise((r - 1, *ends)):
            share = waits.cdf(end - r) - waits.cdf(before - r)
            chance += share * sum(counts[k] for k in told[end] | told.get(before + 1, set()))
        assert LEVEL / 50 < chance <= LEVEL or p in (0.01, 0.8)
        assert chance <= LEVEL


def test_a_wait_that_was_cut_short_tells_of_a_rise_alone() -> None:
    assert since_p_value(41, 3, 20, 30, came=False) < LEVEL
    assert since_p_value(41, 3, 20, 30, came=False) == since_p_value(41, 3, 20, 30)
    assert since_p_value(10, 3, 0, 30, came=False) == since_p_value(3, 3, 30, 30, came=False) == 1.0
    assert since_p_value(4, 3, 1, 30, came=False) == 1.0
    assert since_p_value(3, 3, 900, 30000) < 1e-3 < since_p_value(3, 3, 29000, 30000)


def counted(cell: Cell, hits: list[bool]) -> FixedCount:
    count = FixedCount(cell)
    for index, hit in enumerate(hits):
        count.add(answer(Trial(stream=Stream.SCORE, index=index, cell=cell.key, seed=0), hit, str(index)))
    return count


def test_of_several_cells_the_one_that_changed_is_named_and_the_level_is_shared() -> None:
    counts = [counted(A, [True] * 15 + [False] * 15), counted(B, [True] * 30)]
    alone = since_checks({B.key: [0] * 20}, counts, r=1)[0]
    both = since_checks({A.key: [1, 0, 1], B.key: [0] * 20}, counts, r=1)[0]
    assert alone.p_value is not None
    assert both.p_value == pytest.approx(2 * alone.p_value)
    assert not both.passed
    assert both.detail == "0 of 20 when it was reproduced, 30 of 30 fixed trials after that, at b/w"
    assert since_checks({C.key: [1]}, counts, r=3) == ()


# --- in a replay -----------------------------------------------------------------------------------------------------


def changing(rate: Callable[[float], float], seed: int) -> Callable[[Trial], Answer]:
    """A target whose rate depends on the share of the fixed trials that are over (below 0 before them)."""
    random = Random(seed)

    def reply(trial: Trial) -> Answer:
        share = trial.index / TOTAL if trial.stream is Stream.SCORE else -1.0
        return answer(trial, random.random() < rate(share), str(random.random()))

    return reply


def midway(share: float) -> float:
    return 0.8 if share < 0.5 else 0.3


def unscored(rate: Callable[[float], float], runs: int, edition: int | None = 2) -> float:
    """In how many runs no rate is scored, of those that were reproduced."""
    words = [run(replace(reproduction(seed), edition=edition), changing(rate, seed)) for seed in range(runs)]
    ended = [verdict for verdict in words if verdict.verdict == "reproduced"]
    return sum(not verdict.settings[0].rated for verdict in ended) / len(ended)


def test_a_rate_that_falls_midway_is_mostly_not_scored_as_one() -> None:
    """The figures of docs/guides/measuring.md, within three standard errors; bench/drift.py counts them at length."""
    assert unscored(midway, 150) == pytest.approx(0.61, abs=0.12)
    assert unscored(midway, 100, edition=None) <= 0.03
    assert unscored(lambda share: 0.9 if share < 0.5 else 0.1, 60) >= 0.95
    assert unscored(lambda share: 0.8, 300) <= 0.02


def test_what_follows_from_a_change_is_said() -> None:
    def fell(trial: Trial) -> Answer:
        before = trial.stream is Stream.MAIN or trial.index < TOTAL // 2
        return answer(trial, trial.index % 10 < (8 if before else 1), str(trial))

    verdict = run(reproduction(), fell)
    assert (verdict.verdict, verdict.settings[0].rated) == ("reproduced", False)
    assert failed(verdict) == {"halves, scored", "trend, scored"}
    assert "no rate is scored: the fixed trials did not show one rate: first and second half" in verdict.reason
    alone = run(plan_score(score=GRID), fell)
    assert (alone.verdict, alone.bound, failed(alone)) == ("inconclusive", None, {"halves, scored", "trend, scored"})


def test_a_target_that_changed_right_after_it_was_reproduced_is_seen() -> None:
    mended = run(reproduction(), lambda t: answer(t, t.stream is Stream.MAIN, str(t)))
    assert (mended.verdict, mended.settings[0].rated) == ("reproduced", False)
    assert failed(mended) == {"reproduction, scored"}
    assert "3 of 3 when it was reproduced, 0 of 30 fixed trials after that, at a/w" in mended.reason
    kept = run(reproduction(), lambda t: answer(t, t.index % 2 == 0, str(t)))
    assert (kept.settings[0].rated, failed(kept)) == (True, set())


# --- one answer ------------------------------------------------------------------------------------------------------


def test_a_perfect_cache_gives_one_observation_and_no_rate() -> None:
    verdict = run(plan_score(score=GRID), lambda t: answer(t, True, t.cell))
    assert (verdict.verdict, failed(verdict)) == ("inconclusive", {"distinct answers, scored"})
    assert verdict.reason == (
        "no rate is scored: equal answers are one observation, and 30 fixed trials gave 1 different text"
    )
    assert not any(row.rated for row in verdict.settings)
    assert verdict.settings[0].one_answer
    assert (verdict.low, verdict.high, verdict.bound) == (pytest.approx(0.025), 1.0, None)
    other = run(plan_score(score=GRID), lambda t: answer(t, True, t.cell if t.cell != A.key else str(t.index % 5)))
    assert (other.verdict, failed(other)) == ("scored", set())
    old = run(replace(plan_score(score=GRID), edition=None), lambda t: answer(t, True, t.cell))
    assert (old.verdict, failed(old)) == ("scored", set())


def test_a_setting_that_is_declared_to_have_one_answer_is_scored_as_one_observation() -> None:
    cold = Cell(key="cold", deterministic=True)
    verdict = run(plan_score(score=[Fixed(cell=cold, n=2)]), lambda t: answer(t, True, "Yes."))
    assert (verdict.verdict, verdict.checks, verdict.settings[0].one_answer) == ("scored", (), True)


@pytest.mark.parametrize(("edition", "rated"), [(None, True), (2, False)])
def test_the_fresh_trials_of_a_map_behind_a_cache_are_not_scored(edition: int | None, rated: bool) -> None:
    plan = replace(plan_map(cells=[A, B], budget=20), edition=edition)

    def cached(trial: Trial) -> Answer:
        kept = trial.cell if trial.stream is Stream.SCORE else str(trial.index)
        return answer(trial, trial.cell == A.key, kept)

    verdict = run(plan, cached)
    assert (verdict.leader, verdict.settings[0].n, verdict.settings[0].rated) == (A.key, 30, rated)
    assert ("distinct answers, scored" in failed(verdict)) is not rated
