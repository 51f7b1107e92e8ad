"""How often a silent change of the target's rate is found among the fixed trials, and how often one is wrongly told.

Run: uv run python bench/drift.py [--runs N]. The target keeps its name and fingerprint; only its rate changes, midway
through the fixed trials, steadily over them, or between the reproduction and them. Prints, by what changed, in what
share of the reproduced runs a check failed, so that no rate is scored. "cell by cell" is the order of plans from before
`edition`, whose checks are fewer too. Ends with 1 where a check fails more often than its level without a change.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from manyeyes.engine import Cell, Fixed, Plan, Stream, Trial, drive, plan_reproduce
from manyeyes.engine.checks import LEVEL

Rate = Callable[[float], float]
"""The rate at a share of the way through the fixed trials; below 0 before them."""

GRIDS = {"1 setting": (30,), "4 settings": (30, 8, 8, 8), "4 of 30": (30, 30, 30, 30)}


def step(before: float, after: float, at: float) -> Rate:
    return lambda share: before if share < at else after


def line(before: float, after: float) -> Rate:
    return lambda share: before + (after - before) * min(1.0, max(0.0, share))


CHANGES: dict[str, Rate] = {
    ".8 to .3 midway": step(0.8, 0.3, 0.5),
    ".8 to .3 at a third": step(0.8, 0.3, 1 / 3),
    ".8 to .3 steadily": line(0.8, 0.3),
    ".8 to .3 before the fixed": step(0.8, 0.3, 0.0),
    ".9 to .1 midway": step(0.9, 0.1, 0.5),
    ".9 to .1 steadily": line(0.9, 0.1),
    ".9 to .02 before the fixed": step(0.9, 0.02, 0.0),
    ".5 to .1 midway": step(0.5, 0.1, 0.5),
    ".5 to .1 steadily": line(0.5, 0.1),
    ".5 to .1 before the fixed": step(0.5, 0.1, 0.0),
    ".1 to .5 midway": step(0.1, 0.5, 0.5),
    ".1 to .5 before the fixed": step(0.1, 0.5, 0.0),
}
STEADY: dict[str, Rate] = {f"steady {p:g}": step(p, p, 0.5) for p in (0.05, 0.1, 0.3, 0.5, 0.8, 0.95)}


def planned(sizes: tuple[int, ...], *, edition: int | None, seed: int) -> Plan:
    """A reproduction of one wording at the rated setting, and the fixed trials at all settings."""
    cells = [Cell(key=f"s{i}", setting=f"t{i}", wording="a") for i in range(len(sizes))]
    score = [Fixed(cell=cell, n=n) for cell, n in zip(cells, sizes, strict=True)]
    plan = plan_reproduce(cells=cells[:1], min_successes=3, score=score, rated="s0", seed=seed)
    return replace(plan, edition=edition)


def found(plan: Plan, rate: Rate, seed: int) -> set[str] | None:
    """The checks on the fixed trials that failed; None where nothing was reproduced."""
    random, total = Random(seed), sum(fixed.n for fixed in plan.score)

    def reply(trial: Trial) -> bool:
        share = (trial.index + 0.5) / total if trial.stream is Stream.SCORE else -1.0
        return random.random() < rate(share)

    verdict = drive(plan, reply)
    if verdict.verdict != "reproduced":
        return None
    return {check.name for check in verdict.checks if not check.passed and check.name.endswith("scored")}


def row(name: str, rate: Rate, sizes: tuple[int, ...], *, edition: int | None, runs: int) -> tuple[str, Counter[str]]:
    """One line of the table, and how often each check failed."""
    failed: Counter[str] = Counter()
    reached = any_of = 0
    for seed in range(runs):
        names = found(planned(sizes, edition=edition, seed=seed), rate, seed)
        if names is not None:
            reached += 1
            any_of += bool(names)
            failed.update(names)
    failed["runs"] = reached
    told = ", ".join(f"{key.split(',')[0]} {failed[key] / reached:.3f}" for key in sorted(failed) if key != "runs")
    return f"{any_of / reached:6.3f}  {told}", failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs per line")
    runs = parser.parse_args().runs
    started, missed = time.process_time(), 0
    for grid, sizes in GRIDS.items():
        for name, rate in (STEADY | CHANGES).items():
            for order, edition in (("cell by cell", None), ("mixed", 2)):
                told, failed = row(name, rate, sizes, edition=edition, runs=runs)
                print(f"{grid:12} {order:13} {name:28} {told}", flush=True)
                most = LEVEL * failed["runs"] + 3 * (LEVEL * failed["runs"]) ** 0.5
                missed += name in STEADY and any(n > most for key, n in failed.items() if key != "runs")
    print(f"{time.process_time() - started:.0f} s of processor time; {missed} levels missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
