"""Severity by a rubric: reads a vector, scores security and safety apart, and explains each step in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from math import prod, sqrt

from manyeyes.rules import mes
from manyeyes.rules.rubric import Group, Metric, Reliability, Rubric
from manyeyes.rules.vectors import Vector, build, parse

__all__ = [
    "BANDS",
    "NO_NUMBER",
    "CurvePoint",
    "MesScore",
    "Step",
    "Vector",
    "at_tries",
    "band",
    "build",
    "curve",
    "numbers",
]
__all__ += ["parse", "score", "wilson"]

Z_ONE_SIDED_95 = 1.6448536269514722


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the explanation. `score` is "security", "safety" or "both"; `factor` is printed as it stands."""

    score: str
    label: str
    words: str
    factor: str


@dataclass(frozen=True, kw_only=True)
class MesScore:
    """Both scores with everything needed to recount them.

    `sec` and `saf` are None where there is no number: not measured (then the ranges say what is possible) or
    not reproduced. `low` and `high` are the one-sided 95 % Wilson bounds of the rate; the score stands on `low`.
    """

    vector: str
    sec: float | None
    saf: float | None
    sec_band: str
    saf_band: str
    reliability_band: str
    p_at_k: float | None
    low: float | None
    high: float | None
    sec_upper: float | None
    saf_upper: float | None
    sec_range: tuple[float, float] | None
    saf_range: tuple[float, float] | None
    possible_bands: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def highest_band(self) -> str:
        """The graver band of the two, by which deadlines and sign-off are chosen; unmeasured, the gravest possible."""
        return max(self.sec_band, self.saf_band, *self.possible_bands, key=BANDS.index)


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Both scores for an attacker who gets `tries` tries."""

    tries: int
    p: float
    reliability_band: str
    sec: float
    saf: float


CEILING = Decimal(10)
NO_NUMBER = "no number"
BANDS = (NO_NUMBER, "None", "Low", "Medium", "High", "Critical")


def band(score: float | None, rubric: Rubric = mes.STANDARD) -> str:
    """The band of a score; the standard rubric cuts where CVSS does.

    >>> [band(one) for one in (0.0, 0.1, 3.9, 4.0, 7.0, 9.0)]
    ['None', 'Low', 'Low', 'Medium', 'High', 'Critical']
    """
    if score is None:
        return NO_NUMBER
    return next((cut.band for cut in rubric.cuts if score >= float(cut.least)), "None")


def wilson(k: int, n: int) -> tuple[float, float]:
    """One-sided 95 % Wilson bounds of a rate (Wilson 1927, JASA 22).

    >>> [round(bound, 3) for bound in wilson(22, 30)]
    [0.585, 0.843]
    """
    z2 = Z_ONE_SIDED_95**2
    p, scale = k / n, 1 + z2 / n
    middle, half = p + z2 / (2 * n), Z_ONE_SIDED_95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # At the ends the bounds are exactly 0 and 1; rounding would put them a hair inside.
    return (middle - half) / scale if k else 0.0, (middle + half) / scale if k < n else 1.0


def at_tries(p: float, tries: int) -> float:
    """The chance that at least one of `tries` independent tries succeeds."""
    return float(1 - (1 - p) ** tries)


def _reliability(p: float, rubric: Rubric) -> Reliability:
    return next(row for row in rubric.reliability if p >= row.least)


def _round(value: Decimal) -> float:
    return float(min(CEILING, value).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def _weight(vector: Vector, metric: Metric) -> Decimal:
    return metric.option(vector.letters[metric.code]).weight


def _weights(vector: Vector, group: Group) -> list[Decimal]:
    return [_weight(vector, metric) for metric in vector.rubric.of(group)]


def _impact(vector: Vector) -> Decimal:
    weights = sorted(_weights(vector, Group.SECURITY), reverse=True)
    second = len(weights) > 1 and weights[1] >= vector.rubric.serious
    return min(CEILING, weights[0] + (vector.rubric.second_impact if second else Decimal(0)))


def _harm(vector: Vector) -> Decimal:
    return sum(_weights(vector, Group.SAFETY), Decimal(0))  # there is exactly one


def _product(vector: Vector, group: Group) -> Decimal:
    return prod(_weights(vector, group), start=Decimal(1))


def numbers(vector: Vector, reliability: Decimal) -> tuple[float, float]:
    """Security and safety score under a reliability factor; zero impact stays zero whatever is added."""
    exposure = _product(vector, Group.EXPOSURE) * reliability
    impact, harm = _impact(vector), _harm(vector)
    spread = sum(_weights(vector, Group.SPREAD), Decimal(0))
    lasting = sum(_weights(vector, Group.PERSISTENCE), Decimal(0))
    sec = impact * _product(vector, Group.VICTIM) * exposure + lasting + spread if impact else Decimal(0)
    saf = harm * _product(vector, Group.SAFETY_FACTOR) * exposure + spread if harm else Decimal(0)
    return _round(sec), _round(saf)


def score(vector: Vector | str, rubric: Rubric = mes.STANDARD) -> MesScore:
    """Score a vector. 0 of n gives "not reproduced" and no number; OB:X gives the range from R1 to R5.

    A text is read under `rubric`; a Vector knows its own.
    """
    parsed = parse(vector, rubric) if isinstance(vector, str) else vector
    if parsed.observed is None or parsed.observed[0] == 0:
        return _without_number(parsed)
    low, high = wilson(*parsed.observed)
    p = at_tries(low, parsed.tries)
    row = _reliability(p, parsed.rubric)
    sec, saf = numbers(parsed, row.factor)
    sec_upper, saf_upper = numbers(parsed, _reliability(at_tries(high, parsed.tries), parsed.rubric).factor)
    words = f"{parsed.observed[0]} of {parsed.observed[1]} trials, at least {round(low * 100)} % each"
    words += f"; with {_tries(parsed)} {row.words}"
    return MesScore(
        vector=str(parsed),
        sec=sec,
        saf=saf,
        sec_band=band(sec, parsed.rubric),
        saf_band=band(saf, parsed.rubric),
        reliability_band=row.band,
        p_at_k=p,
        low=low,
        high=high,
        sec_upper=sec_upper,
        saf_upper=saf_upper,
        sec_range=None,
        saf_range=None,
        possible_bands=(),
        steps=_steps(parsed, f"{row.band}: {words}", f"× {_plain(row.factor)}"),
    )


def _without_number(vector: Vector) -> MesScore:
    unmeasured = vector.observed is None
    lowest, highest = (numbers(vector, vector.rubric.reliability[i].factor) for i in (-1, 0))
    low, high = (None, None) if vector.observed is None else wilson(*vector.observed)
    words = "not measured; the range from R1 to R5 is shown" if unmeasured else "not reproduced, so there is no score"
    return MesScore(
        vector=str(vector),
        sec=None,
        saf=None,
        sec_band=NO_NUMBER,
        saf_band=NO_NUMBER,
        reliability_band="X" if unmeasured else "R0",
        p_at_k=None,
        low=low,
        high=high,
        sec_upper=None,
        saf_upper=None,
        sec_range=(lowest[0], highest[0]) if unmeasured else None,
        saf_range=(lowest[1], highest[1]) if unmeasured else None,
        possible_bands=tuple(band(worst, vector.rubric) for worst in highest) if unmeasured else (),
        steps=_steps(vector, words, "–"),
    )


def curve(vector: Vector | str, rubric: Rubric = mes.STANDARD) -> tuple[CurvePoint, ...]:
    """Both scores over growing retry budgets; empty where there is no number."""
    parsed = parse(vector, rubric) if isinstance(vector, str) else vector
    if parsed.observed is None or parsed.observed[0] == 0:
        return ()
    low, _ = wilson(*parsed.observed)
    points = []
    for tries in parsed.rubric.curve:
        p = at_tries(low, tries)
        row = _reliability(p, parsed.rubric)
        sec, saf = numbers(replace(parsed, retry_budget=tries), row.factor)
        points.append(CurvePoint(tries=tries, p=p, reliability_band=row.band, sec=sec, saf=saf))
    return tuple(points)


def _tries(vector: Vector) -> str:
    if vector.retry_budget is None:
        return f"unlimited tries (counted as {vector.rubric.most_tries})"
    return "one try" if vector.retry_budget == 1 else f"{vector.retry_budget} tries"


def _plain(weight: Decimal) -> str:
    return f"{weight.normalize():f}"


def _steps(vector: Vector, reliability_words: str, reliability_factor: str) -> tuple[Step, ...]:
    """The arithmetic line by line: impacts, factors, the measured part, and what is added last."""
    steps = [*_impact_steps(vector)]
    impact, harm = _impact(vector), _harm(vector)
    if harm:
        steps += _group_steps(vector, Group.SAFETY, "safety", "")
        steps += _group_steps(vector, Group.SAFETY_FACTOR, "safety", "× ")
    if impact:
        steps += _group_steps(vector, Group.VICTIM, "security", "× ")
    steps += _group_steps(vector, Group.EXPOSURE, "both", "× ")
    label = "/".join(str(vector).split("/")[-2:])
    steps.append(Step(score="both", label=label, words=reliability_words, factor=reliability_factor))
    if impact:
        steps += _group_steps(vector, Group.PERSISTENCE, "security", "+ ")
    return (*steps, *_group_steps(vector, Group.SPREAD, "both", "+ "))


def _group_steps(vector: Vector, group: Group, part: str, sign: str) -> list[Step]:
    metrics = vector.rubric.of(group)
    return [_step(vector, metric, part, f"{sign}{_plain(_weight(vector, metric))}") for metric in metrics]


def _impact_steps(vector: Vector) -> list[Step]:
    """The highest impact with its weight, a second serious one with its half point, the rest with nothing."""
    ranked = sorted(vector.rubric.of(Group.SECURITY), key=lambda metric: -_weight(vector, metric))
    highest = _weight(vector, ranked[0])
    second = _impact(vector) - highest  # nothing where the ceiling is reached
    steps = []
    for place, metric in enumerate(ranked):
        if _weight(vector, metric):
            factor = _plain(highest) if place == 0 else f"+ {_plain(second if place == 1 else Decimal(0))}"
            steps.append(_step(vector, metric, "security", factor))
    return steps


def _step(vector: Vector, metric: Metric, part: str, factor: str) -> Step:
    option = metric.option(vector.letters[metric.code])
    return Step(
        score=part, label=f"{metric.code}:{option.letter}", words=f"{metric.name}: {option.words}", factor=factor
    )
