"""How many trials each question takes, against a fixed number of equal power and the least that any test could take.

Run: uv run python bench/trials.py [--quick]. Prints a table; ends with 1 where a promised figure is missed. "fixed" is
the smallest number of trials set beforehand that decides as surely; "least" is the information bound ln(1/alpha)/kl.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log

import numpy as np
from scipy import optimize, stats

from manyeyes.engine import (
    Cell,
    Plan,
    SweepItem,
    characteristics,
    foresee_compare,
    foresee_map,
    foresee_sweep,
    plan_compare,
    plan_map,
    plan_reproduce,
    plan_sweep,
    plan_verify,
)
from manyeyes.engine.foresight import type_one
from manyeyes.engine.intervals import anytime_interval
from manyeyes.engine.worst import gap_costs

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: what was asked, what it took, and what was promised of it."""

    question: str
    case: str
    trials: float
    error: float = 0.0
    fixed: float | None = None
    least: float | None = None
    shown: str = ""
    kept: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as text."""

        def beside(other: float | None) -> str:
            return "" if other is None else f"{other:.0f} ({self.trials / other:.2f})"

        spread = f" ±{self.error:.1f}" if self.error else ""
        word = {True: "kept", False: "MISSED", None: ""}[self.kept]
        return (
            self.question,
            self.case,
            f"{self.trials:.1f}{spread}",
            beside(self.fixed),
            beside(self.least),
            self.shown,
            word,
        )


def kl(p: float, q: float) -> float:
    """The Kullback-Leibler divergence of two coins."""
    return sum(a * log(a / b) for a, b in ((p, q), (1 - p, 1 - q)) if a > 0)


def fixed_above(p0: float, p: float, power: float) -> int:
    """The fewest trials whose exact test of p0 has this power at p."""
    for n in range(1, 20000):
        least = stats.binom.isf(ALPHA, n, p0) + 1
        if stats.binom.sf(least - 1, n, p) >= power:
            return n
    raise ValueError(f"no fixed number of trials has power {power:g} at {p:g}")


def fixed_below(tau: float, p: float, power: float) -> int:
    """The fewest trials whose exact test of tau from below has this power at p."""
    for n in range(1, 20000):
        most = stats.binom.ppf(ALPHA, n, tau)
        most = most if stats.binom.cdf(most, n, tau) <= ALPHA else most - 1
        if most >= 0 and stats.binom.cdf(most, n, p) >= power:
            return n
    raise ValueError(f"no fixed number of trials has power {power:g} at {p:g}")


def fisher(old: float, new: float, power: float) -> int:
    """The fewest trials per version for which Fisher's two-sided exact test has this power."""
    for n in range(4, 2000):
        counts = np.arange(n + 1)
        reach = 0.0
        weights = stats.binom.pmf(counts, n, old)
        for total in range(2 * n + 1):
            a = np.arange(max(0, total - n), min(n, total) + 1)
            given = stats.hypergeom.pmf(a, 2 * n, n, total)
            order = np.argsort(given)
            tail = np.empty_like(given)
            tail[order] = np.cumsum(given[order])
            reach += float(np.sum((weights[a] * stats.binom.pmf(total - a, n, new))[tail <= ALPHA]))
        if reach >= power:
            return n
    raise ValueError(f"no fixed number of trials has power {power:g}")


def reproduce() -> Iterator[Row]:
    """p0 1 %, p_min 5 %."""
    for least, promised in (
        (1, {0.0: 63, 0.05: 90, 0.1: 29, 0.2: 10.6, 0.5: 3.0}),
        (3, {0.1: 33.7, 0.2: 15.1, 0.5: 6.0}),
    ):
        plan = plan_reproduce(min_successes=least)
        found = characteristics(plan, list(promised))
        for p, trials in promised.items():
            point = found.at(p)
            word = "not_reproduced" if p == 0 else "reproduced"
            power = min(0.999, point.verdicts[word])
            yield Row(
                question="reproduce",
                case=f"p={p:g}, {least} success{'es' if least > 1 else ''}",
                trials=point.expected,
                fixed=fixed_above(0.01, max(p, 0.05), power if p else 0.95),
                least=log(20) / (kl(p, 0.01) if p else kl(0, 0.05)),
                shown=f"{word} {point.verdicts[word]:.3f}",
                kept=round(point.expected, 1 if trials % 1 else 0) <= trials,
            )
        yield Row(
            question="reproduce",
            case="at p0",
            trials=0,
            shown=f"type-I {found.type_one:.3f}",
            kept=found.type_one <= ALPHA,
        )


def verify() -> Iterator[Row]:
    """tau 1 %."""
    promised = {0.0: 322, 0.001: 428, 0.02: 104, 0.1: 14.3}
    found = characteristics(plan_verify(tau=0.01), list(promised))
    power = found.at(0.001).verdicts["holds"]
    for p, trials in promised.items():
        point = found.at(p)
        yield Row(
            question="verify",
            case=f"p={p:g}, tau 1 %",
            trials=point.expected,
            fixed=fixed_below(0.01, 0.001, power),
            least=log(20) / kl(p, 0.01),
            shown=f"holds {point.verdicts['holds']:.4f}",
            kept=round(point.expected, 1 if trials % 1 else 0) <= trials
            and (p < 0.01 or point.verdicts["holds"] < 0.01),
        )
    yield Row(
        question="verify", case="at tau", trials=0, shown=f"type-I {found.type_one:.3f}", kept=found.type_one <= ALPHA
    )


def compare() -> Iterator[Row]:
    """Both directions at .025, independent pairs."""
    plan = plan_compare()
    for old, new in ((0.05, 0.6), (0.01, 0.2), (0.05, 0.3), (0.05, 0.15), (0.3, 0.5)):
        seen = foresee_compare(plan, old, new)
        up, down = new * (1 - old), old * (1 - new)
        yield Row(
            question="compare",
            case=f"{old:g} to {new:g}, pairs",
            trials=seen.expected,
            fixed=fisher(old, new, min(0.95, seen.power)),
            least=log(2 / ALPHA) / ((up + down) * kl(up / (up + down), 0.5)),
            shown=f"worse {seen.power:.3f}",
            kept=seen.expected <= 41 if (old, new) == (0.05, 0.3) else None,
        )
    bound = foresee_compare(plan, 0.3, 0.5, correlation=0.5)
    yield Row(
        question="compare", case="0.3 to 0.5, pairs bound (.5)", trials=bound.expected, shown=f"worse {bound.power:.3f}"
    )
    yield Row(
        question="compare", case="equal", trials=0, shown=f"type-I {type_one(plan):.3f}", kept=type_one(plan) <= ALPHA
    )


def blocks(runs: int) -> Iterator[Row]:
    """Two-sample blocks with a margin."""
    for old, new, margin in ((0.05, 0.3, 0.05), (0.05, 0.3, 0.0)):
        seen = foresee_compare(plan_compare(paired=False, margin=margin), old, new, runs=runs)
        yield Row(
            question="compare",
            case=f"{old:g} to {new:g}, blocks, margin {margin:g}",
            trials=seen.expected,
            error=seen.standard_error,
            shown=f"worse {seen.power:.3f}",
        )


def mixed(m: int, share: float) -> dict[str, float]:
    """Risen items at .2, .5 and .9; of the others 80 % never succeed and 20 % succeed at tau."""
    risen = round(m * share)
    return {f"i{i}": (0.2, 0.5, 0.9)[i % 3] if i < risen else 0.01 if i % 5 == 0 else 0.0 for i in range(m)}


def fixed_sweep(rates: Mapping[str, float], power: float) -> int:
    """The fewest trials per item for which Benjamini-Hochberg on exact p-values has this power (20 runs each)."""
    random, p = np.random.default_rng(1), np.array(list(rates.values()))
    risen, ranks = p > 0.01, np.arange(1, len(p) + 1)
    for n in range(8, 80):
        hits = []
        for _ in range(20):
            values = stats.binom.sf(random.binomial(n, p) - 1, n, 0.01)
            order = np.argsort(values)
            passed = np.nonzero(values[order] <= ALPHA * ranks / len(p))[0]
            flagged = np.zeros(len(p), bool)
            flagged[order[: passed[-1] + 1 if len(passed) else 0]] = True
            hits.append(flagged[risen].mean())
        if np.mean(hits) >= power:
            return n
    raise ValueError(f"no fixed number of trials has power {power:g}")


def sweep(runs: int) -> Iterator[Row]:
    """1,000 closed exploits, and the global null."""
    for share in (0.05, 0.2):
        rates = mixed(1000, share)
        seen = foresee_sweep(plan_sweep(items=[SweepItem(key=key) for key in rates]), rates, runs=runs)
        yield Row(
            question="sweep",
            case=f"1,000 items, {share:.0%} risen, per item",
            trials=seen.expected,
            error=seen.standard_error,
            fixed=fixed_sweep(rates, seen.power),
            least=(1 - share) * log(1 / 0.1) / -log(1 - 0.2),
            shown=f"power {seen.power:.3f}, FDR {seen.error:.4f}",
            kept=seen.expected <= 12 and seen.power >= 0.96 and seen.error <= 0.05,
        )
    null = {f"i{i}": 0.01 for i in range(200)}
    seen = foresee_sweep(plan_sweep(items=[SweepItem(key=key) for key in null]), null, runs=10 * runs)
    flagged = seen.words.get("regressed", 0.0)
    yield Row(
        question="sweep",
        case="200 items, all at tau, per item",
        trials=seen.expected,
        shown=f"any flag {flagged:.3f}",
        kept=flagged <= 0.05 + 3 * (0.05 * 0.95 / seen.runs) ** 0.5,
    )


def sparse(k: int) -> dict[str, float]:
    """One setting at .5, three at .25, the rest at .02."""
    return {f"s{i}": 0.5 if i == 0 else 0.25 if i < 4 else 0.02 for i in range(k)}


LANDSCAPES: dict[str, tuple[dict[str, float], float]] = {
    "sparse 12": (sparse(12), 0.1),
    "sparse 48": (sparse(48), 0.1),
    "sparse 100": (sparse(100), 0.1),
    "rising 48": ({f"s{i}": 0.02 + 0.48 * (i / 47) ** 2 for i in range(48)}, 0.1),
    "low 48": ({f"s{i}": 0.15 if i == 0 else 0.05 if i < 4 else 0.005 for i in range(48)}, 0.05),
}


def least_search(rates: Mapping[str, float], epsilon: float) -> float:
    """Garivier & Kaufmann's bound T* kl(delta, 1 - delta) for an epsilon-worst setting, with the leader fixed."""
    ordered = sorted(rates.values(), reverse=True)
    top, others = ordered[0], ordered[1:]
    groups = {rate: others.count(rate) for rate in set(others)}

    def price(x: float, rate: float) -> float:
        def at(u: float) -> float:
            return kl(top, max(u, 1e-12)) + x * kl(rate, min(1 - 1e-12, u + epsilon))

        return float(optimize.minimize_scalar(at, bounds=(max(0.0, rate - epsilon), top), method="bounded").fun)

    def total(level: float) -> float:
        spent = 1.0
        for rate, count in groups.items():
            if price(1e6, rate) < level:
                return 1e12
            spent += count * float(optimize.brentq(lambda x, r=rate: price(x, r) - level, 0.0, 1e6))
        return spent / level

    most = kl(top, max(1e-9, others[0] - epsilon)) * 0.999
    best = optimize.minimize_scalar(total, bounds=(1e-3, most), method="bounded")
    return float(best.fun) * kl(ALPHA, 1 - ALPHA)


def uniform(rates: Mapping[str, float], epsilon: float, cap: int = 400) -> int:
    """Trials in all if each setting gets as many: the fewest that err in 5 % on this very landscape (400 runs)."""
    random, p = np.random.default_rng(2), np.array(list(rates.values()))
    for each in range(4, cap, 2):
        hits = random.binomial(each, p, size=(400, len(p))) + random.random((400, len(p))) / 2
        if np.mean(p[np.argmax(hits, axis=1)] <= p.max() - epsilon) <= ALPHA:
            return each * len(p)
    return cap * len(p)


def worst(runs: int) -> Iterator[Row]:
    """The worst setting, proven and on a budget."""
    for name, (rates, epsilon) in LANDSCAPES.items():
        cells = [Cell(key=key) for key in rates]
        fixed, least = uniform(rates, epsilon), least_search(rates, epsilon)
        modes: list[tuple[str, Plan, int]] = [
            ("12 each", plan_map(cells=cells, epsilon=epsilon), runs * 5),
            ("proven", plan_map(cells=cells, epsilon=epsilon, certificate="rigorous", cap=20000), runs),
        ]
        for mode, plan, times in modes:
            gap_costs.cache_clear()
            seen = foresee_map(plan, rates, runs=times)
            promised = {("sparse 48", "12 each"): seen.error <= 0.05, ("sparse 48", "proven"): seen.expected <= 1500}
            yield Row(
                question="map",
                case=f"{name}, {mode}",
                trials=seen.expected,
                error=seen.standard_error,
                fixed=fixed,
                least=least,
                shown=f"wrong {seen.error:.3f}, certificate {seen.power:.2f}",
                kept=promised.get((name, mode)),
            )


CLOSE: dict[str, dict[str, float]] = {
    "sparse 8": sparse(8),
    "one ahead of 8": dict(zip("abcdefgh", (0.8, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.2), strict=True)),
    "dense 8": {f"s{i}": (1 + i) / 10 for i in range(8)},
}


def few(runs: int) -> Iterator[Row]:
    """Few settings on budgets of several sizes: what a larger one brings, and what it uses."""
    for name, rates in CLOSE.items():
        for budget in (12, 24, 48):
            plan = plan_map(cells=[Cell(key=key) for key in rates], budget=budget)
            seen = foresee_map(plan, rates, runs=runs)
            yield Row(
                question="map",
                case=f"{name}, {budget} each",
                trials=seen.expected,
                error=seen.standard_error,
                shown=f"wrong {seen.error:.3f}, certificate {seen.power:.2f}",
            )


def intervals(most: int) -> Iterator[Row]:
    """The chance that the interval ever leaves out the truth, looked at after every trial: exact."""
    for p in (0.01, 0.05, 0.3, 0.6):
        alive, missed = np.array([1.0]), 0.0
        for n in range(1, most + 1):
            moved = np.zeros(n + 1)
            moved[:-1] += alive * (1 - p)
            moved[1:] += alive * p
            for k in np.nonzero(moved > 1e-12)[0]:
                low, high = anytime_interval(int(k), n) if abs(k - n * p) > (n * p * (1 - p)) ** 0.5 else (0.0, 1.0)
                if not low <= p <= high:
                    missed += moved[k]
                    moved[k] = 0.0
            alive = moved
        yield Row(
            question="interval",
            case=f"p={p:g}, {most} looks",
            trials=0,
            shown=f"ever wrong {missed:.3f}",
            kept=missed <= ALPHA,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer simulated runs")
    quick = parser.parse_args().quick
    parts: list[Callable[[], Iterator[Row]]] = [
        reproduce,
        verify,
        compare,
        lambda: blocks(40 if quick else 200),
        lambda: sweep(3 if quick else 20),
        lambda: worst(4 if quick else 20),
        lambda: few(100 if quick else 600),
        lambda: intervals(100 if quick else 300),
    ]
    heads = ("question", "case", "trials", "fixed (ratio)", "least (ratio)", "shown", "promise")
    widths = (10, 34, 16, 14, 14, 32, 7)
    started, missed = time.process_time(), 0
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)))
    for part in parts:
        for row in part():
            missed += row.kept is False
            print("  ".join(text.ljust(width) for text, width in zip(row.cells(), widths, strict=True)), flush=True)
    print(f"{time.process_time() - started:.0f} s of processor time; {missed} promises missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
