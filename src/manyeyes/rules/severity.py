"""Severity by MES 1.0: reads a vector, scores security and safety apart, and explains each step in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt

from manyeyes.rules import mes
from manyeyes.rules.vectors import Vector, build, parse

__all__ = ["BANDS", "NO_NUMBER", "CurvePoint", "MesScore", "Step", "Vector", "at_tries", "band", "build", "curve"]
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
    steps: tuple[Step, ...]

    @property
    def highest_band(self) -> str:
        """The graver band of the two, by which deadlines and sign-off are chosen; unmeasured, the gravest possible."""
        possible = [band(worst) for _, worst in filter(None, (self.sec_range, self.saf_range))]
        return max(self.sec_band, self.saf_band, *possible, key=BANDS.index)


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Both scores for an attacker who gets `tries` tries."""

    tries: int
    p: float
    reliability_band: str
    sec: float
    saf: float


NO_NUMBER = "no number"
BANDS = (NO_NUMBER, "None", "Low", "Medium", "High", "Critical")


def band(score: float | None) -> str:
    """The band of a score on the CVSS cut points.

    >>> [band(one) for one in (0.0, 0.1, 3.9, 4.0, 7.0, 9.0)]
    ['None', 'Low', 'Low', 'Medium', 'High', 'Critical']
    """
    if score is None:
        return NO_NUMBER
    cuts = ((9.0, "Critical"), (7.0, "High"), (4.0, "Medium"), (0.1, "Low"))
    return next((name for least, name in cuts if score >= least), "None")


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


def _reliability(p: float) -> mes.Reliability:
    return next(row for row in mes.RELIABILITY if p >= row.least)


def _round(value: Decimal) -> float:
    return float(min(mes.CEILING, value).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def _weight(vector: Vector, code: str) -> Decimal:
    return mes.BY_CODE[code].option(vector.letters[code]).weight


def _impact(vector: Vector) -> Decimal:
    weights = sorted((_weight(vector, m.code) for m in mes.METRICS if m.group == mes.SECURITY), reverse=True)
    second = mes.SECOND_IMPACT if weights[1] >= mes.SERIOUS else Decimal(0)
    return min(mes.CEILING, weights[0] + second)


def _numbers(vector: Vector, reliability: Decimal) -> tuple[float, float]:
    """Security and safety score under a reliability factor; zero impact stays zero whatever is added."""
    exposure = _weight(vector, "PX") * _weight(vector, "AE") * reliability
    impact, harm = _impact(vector), _weight(vector, "HX")
    spread = _weight(vector, "SP")
    sec = impact * _weight(vector, "VT") * exposure + _weight(vector, "PE") + spread if impact else Decimal(0)
    saf = harm * _weight(vector, "FD") * _weight(vector, "UN") * exposure + spread if harm else Decimal(0)
    return _round(sec), _round(saf)


def score(vector: Vector | str) -> MesScore:
    """Score a vector. 0 of n gives "not reproduced" and no number; OB:X gives the range from R1 to R5."""
    parsed = parse(vector) if isinstance(vector, str) else vector
    if parsed.observed is None or parsed.observed[0] == 0:
        return _without_number(parsed)
    low, high = wilson(*parsed.observed)
    p = at_tries(low, parsed.tries)
    row = _reliability(p)
    sec, saf = _numbers(parsed, row.factor)
    sec_upper, saf_upper = _numbers(parsed, _reliability(at_tries(high, parsed.tries)).factor)
    words = f"{parsed.observed[0]} of {parsed.observed[1]} trials, at least {round(low * 100)} % each"
    words += f"; with {_tries(parsed)} {row.words}"
    return MesScore(
        vector=str(parsed),
        sec=sec,
        saf=saf,
        sec_band=band(sec),
        saf_band=band(saf),
        reliability_band=row.band,
        p_at_k=p,
        low=low,
        high=high,
        sec_upper=sec_upper,
        saf_upper=saf_upper,
        sec_range=None,
        saf_range=None,
        steps=_steps(parsed, f"{row.band}: {words}", f"× {_plain(row.factor)}"),
    )


def _without_number(vector: Vector) -> MesScore:
    unmeasured = vector.observed is None
    lowest, highest = (_numbers(vector, mes.RELIABILITY[i].factor) for i in (-1, 0))
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
        steps=_steps(vector, words, "–"),
    )


def curve(vector: Vector | str) -> tuple[CurvePoint, ...]:
    """Both scores over growing retry budgets; empty where there is no number."""
    parsed = parse(vector) if isinstance(vector, str) else vector
    if parsed.observed is None or parsed.observed[0] == 0:
        return ()
    low, _ = wilson(*parsed.observed)
    points = []
    for tries in mes.CURVE:
        p = at_tries(low, tries)
        row = _reliability(p)
        sec, saf = _numbers(replace(parsed, retry_budget=tries), row.factor)
        points.append(CurvePoint(tries=tries, p=p, reliability_band=row.band, sec=sec, saf=saf))
    return tuple(points)


def _tries(vector: Vector) -> str:
    if vector.retry_budget is None:
        return f"unlimited tries (counted as {mes.MOST_TRIES})"
    return "one try" if vector.retry_budget == 1 else f"{vector.retry_budget} tries"


def _plain(weight: Decimal) -> str:
    return f"{weight.normalize():f}"


def _steps(vector: Vector, reliability_words: str, reliability_factor: str) -> tuple[Step, ...]:
    """The arithmetic line by line: impacts, factors, the measured part, and what is added last."""
    steps = [*_impact_steps(vector)]
    harmful = vector.letters["HX"] != "N"
    if harmful:
        steps.append(_step(vector, "HX", "safety", _plain(_weight(vector, "HX"))))
        steps += [_step(vector, code, "safety", f"× {_plain(_weight(vector, code))}") for code in ("FD", "UN")]
    if _impact(vector):
        steps.append(_step(vector, "VT", "security", f"× {_plain(_weight(vector, 'VT'))}"))
    steps += [_step(vector, code, "both", f"× {_plain(_weight(vector, code))}") for code in ("PX", "AE")]
    label = "/".join(str(vector).split("/")[-2:])
    steps.append(Step(score="both", label=label, words=reliability_words, factor=reliability_factor))
    if _impact(vector):
        steps.append(_step(vector, "PE", "security", f"+ {_plain(_weight(vector, 'PE'))}"))
    steps.append(_step(vector, "SP", "both", f"+ {_plain(_weight(vector, 'SP'))}"))
    return tuple(steps)


def _impact_steps(vector: Vector) -> list[Step]:
    """The highest impact with its weight, a second serious one with its half point, the rest with nothing."""
    codes = [metric.code for metric in mes.METRICS if metric.group == mes.SECURITY]
    ranked = sorted(codes, key=lambda code: -_weight(vector, code))
    highest = _weight(vector, ranked[0])
    added = {ranked[1]: _impact(vector) - highest}  # nothing where the ceiling is reached
    steps = []
    for place, code in enumerate(ranked):
        if _weight(vector, code):
            factor = _plain(highest) if place == 0 else f"+ {_plain(added.get(code, Decimal(0)))}"
            steps.append(_step(vector, code, "security", factor))
    return steps


def _step(vector: Vector, code: str, part: str, factor: str) -> Step:
    metric = mes.BY_CODE[code]
    option = metric.option(vector.letters[code])
    return Step(score=part, label=f"{code}:{option.letter}", words=f"{metric.name}: {option.words}", factor=factor)
