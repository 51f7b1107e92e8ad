"""How far independent raters agree, metric by metric: counts first, then a figure corrected for chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from manyeyes.rules.rubric import Rubric

FEW = 10
"""Below this many cases a figure corrected for chance says next to nothing, and is not given."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One metric. `same` of `pairs` chose the same letter, `near` neighbouring ones; `alpha` is None with few cases."""

    code: str
    name: str
    cases: int
    pairs: int
    same: int
    near: int
    alpha: float | None

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
    return Agreement(
        code=code, name=name, cases=len(units), pairs=len(pairs), same=apart[0], near=apart[1],
        alpha=alpha(units) if len(units) >= FEW else None,
    )  # fmt: skip


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).

    `units` holds the values given to each unit; a unit with one value says nothing. 1 is perfect agreement, 0 what
    chance gives. None where everybody always said the same one thing: nothing varied, so nothing could agree.
    """
    together: Counter[tuple[str, str]] = Counter()
    for unit in units:
        counts = Counter(unit)
        for a, many in counts.items():
            for b, more in counts.items():
                if len(unit) > 1:
                    together[a, b] += many * (more - (a == b)) / (len(unit) - 1)  # type: ignore[assignment]
    totals: Counter[str] = Counter()
    for (a, _), weight in together.items():
        totals[a] += weight
    n = sum(totals.values())
    expected = sum(totals[a] * totals[b] for a in totals for b in totals if a != b)
    if not expected:
        return None
    observed = sum(weight for (a, b), weight in together.items() if a != b)
    return 1 - (n - 1) * observed / expected
