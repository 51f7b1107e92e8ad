"""How far independent raters agree, metric by metric: counts first, then a figure corrected for chance; each with ends.

The ends are a percentile bootstrap over cases, which are what was drawn, and not over pairs: pairs of one case hang
together (Zapf et al. 2016, BMC Med Res Methodol 16:93, for alpha). Where a resample cannot differ from what was seen,
because everybody agreed or nobody did, the end is exact: so many cases may yet be otherwise (Clopper & Pearson 1934).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from manyeyes.rules.rubric import Rubric

FEW = 10
"""Below this many cases a figure corrected for chance says next to nothing, and is not given."""
NARROW = 50
"""Below this many cases the ends may lie too close together: in our simulation of two raters they held the truth in 87
to 99 tables of 100 with 10 or 20 cases, in 93 to 98 with 50 or 100.
"""
MISSED = 0.05
SEED, DRAWS, MOST_PICKED = 1, 1_000, 200_000
"""So many resamples of the cases, fewer where there are so many cases that a page would wait for them."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One metric. `same` of `pairs` chose the same letter, `near` neighbouring ones; `alpha` is None with few cases.

    `share_ends` and `alpha_ends` are 95 % intervals of the share and of alpha; None where the figure is.
    """

    code: str
    name: str
    cases: int
    pairs: int
    same: int
    near: int
    alpha: float | None
    share_ends: tuple[float, float] | None = None
    alpha_ends: tuple[float, float] | None = None

    @property
    def share(self) -> float | None:
        """How many of the pairs chose the same letter."""
        return self.same / self.pairs if self.pairs else None


def by_metric(rated: Sequence[Sequence[Mapping[str, str]]], rubric: Rubric) -> tuple[Agreement, ...]:
    """For each metric of the rubric; `rated` holds per case the letters of each rater, none of whom saw the others'."""
    rows = []
    for metric in rubric.metrics:
        units = [[letters[metric.code] for letters in case if metric.code in letters] for case in rated]
        order = [option.letter for option in metric.levels]
        rows.append(_one(metric.code, metric.name, [unit for unit in units if len(unit) > 1], order))
    return tuple(rows)


def of_bands(rated: Sequence[Sequence[str]], order: Sequence[str]) -> Agreement:
    """The same for the band that each rater's letters come to."""
    return _one("", "Band", [list(unit) for unit in rated if len(unit) > 1], order)


def _one(code: str, name: str, units: Sequence[Sequence[str]], order: Sequence[str]) -> Agreement:
    pairs = [pair for unit in units for pair in combinations(unit, 2)]
    apart = Counter(abs(order.index(a) - order.index(b)) for a, b in pairs)
    enough = len(units) >= FEW
    found = alpha(units) if enough else None
    share_ends, alpha_ends = _ends(units) if enough else (None, None)
    return Agreement(
        code=code, name=name, cases=len(units), pairs=len(pairs), same=apart[0], near=apart[1], alpha=found,
        share_ends=share_ends, alpha_ends=alpha_ends,
    )  # fmt: skip


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).

    `units` holds the values given to each unit; a unit with one value says nothing. 1 is perfect agreement, 0 what
    chance gives. None where everybody always said the same one thing: nothing varied, so nothing could agree.
    """
    return _alpha([(_Seen.of(unit), 1) for unit in units if len(unit) > 1])


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What one case adds: its values, how much they disagree, and how many of its pairs are the same."""

    values: Mapping[str, int]
    apart: float
    pairs: int
    same: int

    @classmethod
    def of(cls, unit: Sequence[str]) -> _Seen:
        counts, many = Counter(unit), len(unit)
        same = sum(count * (count - 1) for count in counts.values())
        together = many * (many - 1)
        return cls(values=counts, apart=(together - same) / (many - 1), pairs=together // 2, same=same // 2)


def _alpha(seen: Iterable[tuple[_Seen, int]]) -> float | None:
    """Alpha of cases that occur so many times each."""
    observed, expected = _apart(seen)
    return 1 - observed / expected if expected else None


def _apart(seen: Iterable[tuple[_Seen, int]]) -> tuple[float, float]:
    """How much the values of a case disagree, and how much those of any two cases do."""
    apart, totals = 0.0, Counter[str]()
    for one, times in seen:
        apart += times * one.apart
        for value, count in one.values.items():
            totals[value] += times * count
    n = sum(totals.values())
    if not n:
        return 0.0, 0.0
    return apart / n, (n * n - sum(total * total for total in totals.values())) / (n * (n - 1))


def _share(seen: Iterable[tuple[_Seen, int]]) -> float:
    rows = list(seen)
    return sum(times * one.same for one, times in rows) / sum(times * one.pairs for one, times in rows)


Ends = tuple[float, float]


def _ends(units: Sequence[Sequence[str]]) -> tuple[Ends, Ends | None]:
    """95 % intervals of the share and of alpha. Cases with the same values are drawn as one kind."""
    kinds = Counter(tuple(sorted(unit)) for unit in units)
    seen = [(_Seen.of(kind), times) for kind, times in kinds.items()]
    if _share(seen) in (0.0, 1.0):
        return _where_nothing_differs(len(units), seen)
    rng, shares, alphas = random.Random(SEED), [], []
    weights = [times for _one, times in seen]
    for _draw in range(max(200, min(DRAWS, MOST_PICKED // len(units)))):
        picked = Counter(rng.choices(range(len(seen)), weights, k=len(units)))
        drawn = [(seen[place][0], times) for place, times in picked.items()]
        shares.append(_share(drawn))
        alphas.append(_alpha(drawn))
    return _middle(shares), _middle([one for one in alphas if one is not None])


def _middle(drawn: list[float]) -> Ends:
    ordered, cut = sorted(drawn), int(len(drawn) * MISSED / 2)
    return ordered[cut], ordered[-1 - cut]


def _where_nothing_differs(cases: int, seen: list[tuple[_Seen, int]]) -> tuple[Ends, Ends | None]:
    """Everybody agreed on every case, or nobody on any: up to `beyond` of all cases may yet be otherwise."""
    beyond, agreed = 1 - (MISSED / 2) ** (1 / cases), _share(seen)
    observed, expected = _apart(seen)
    share = (1 - beyond, 1.0) if agreed else (0.0, beyond)
    if not expected:
        return share, None
    found = 1 - observed / expected
    return share, (1 - beyond / expected, found) if agreed else (found, found + beyond / expected)
