"""The ways to make a plan that asks about more than one rate; every argument is checked by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from manyeyes.engine.make import check_arm, check_cells, check_count, check_rate
from manyeyes.engine.plan import EDITION, Arm, Cell, CompareRule, Plan, Question, SweepItem, SweepRule, WorstRule

CERTIFICATES = ("practical", "rigorous")
RIGOROUS = 100
"""Trials per setting at which a search for a proven certificate gives up."""


def plan_map(
    *,
    cells: Sequence[Cell],
    epsilon: float = 0.1,
    delta: float = 0.05,
    certificate: str = "practical",
    budget: int = 12,
    cap: int | None = None,
    round: int = 16,
    score_n: int = 30,
    cold_n: int | None = None,
    benign: Arm | None = None,
    positive: Arm | None = None,
    retry_budget: int = 1,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan that asks which cell is worst: one that no other beats by `epsilon` or more, wrong at most `delta`.

    "practical" is the budget mode: `budget` trials per cell on average, ended early by a rule that is not proven; the
    word is `budget`. "rigorous" goes on to a proven bound (`found`) or to `cap` (100 trials per cell if not given;
    `inconclusive`). A cell with one answer only is tried `cold_n` times (once if not given), and like any other where
    these differ. `score_n` fresh trials at the leader follow. ValueError names the field.

    >>> plan_map(cells=[Cell(key="hot"), Cell(key="cold", deterministic=True)], cold_n=2).cap
    14
    """
    check_cells("cells", cells)
    if len(cells) < 2:
        raise ValueError("cells: give at least two; with one there is no worst to look for")
    rule = WorstRule(epsilon=epsilon, delta=delta, certificate=certificate, budget=budget, round=round, score_n=score_n)
    _check_search(rule)
    each = budget if certificate == "practical" else RIGOROUS
    if cold_n is not None:
        check_count("cold_n", cold_n)
    most = sum((cold_n or 1) if cell.deterministic else each for cell in cells) if cap is None else cap
    check_count("cap", most, least=sum((cold_n or 1) if cell.deterministic else 1 for cell in cells))
    sides = _sides(benign, positive, retry_budget, seed, notes)
    sides |= {"worst": rule, "cold_n": cold_n, "edition": EDITION}
    return Plan(question=Question.MAP, alpha=delta, cap=most, cells=tuple(cells), **sides)


def _sides(
    benign: Arm | None, positive: Arm | None, retry_budget: int, seed: int, notes: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the plans of all these questions have beside their rule, checked."""
    check_count("retry_budget", retry_budget)
    return {
        "benign": check_arm("benign", benign),
        "positive": check_arm("positive", positive),
        "retry_budget": retry_budget,
        "seed": seed,
        "notes": dict(notes or {}),
    }


def _check_search(rule: WorstRule) -> None:
    check_rate("epsilon", rule.epsilon)
    check_rate("delta", rule.delta)
    if rule.certificate not in CERTIFICATES:
        raise ValueError(f"certificate: choose one of {', '.join(CERTIFICATES)}, got {rule.certificate!r}")
    check_count("budget", rule.budget)
    check_count("round", rule.round)
    check_count("score_n", rule.score_n, least=0)


def plan_compare(
    *,
    cells: Sequence[Cell] = (Cell(key="all"),),
    paired: bool = True,
    margin: float = 0.0,
    alpha: float = 0.05,
    cap: int = 400,
    ends_stuck: bool = False,
    benign: Arm | None = None,
    positive: Arm | None = None,
    retry_budget: int = 1,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan that asks whether a new version (stream `main`) is worse or better than an old one (stream `old`).

    Paired: trial i of both has the same cell and seed. Otherwise blocks of one independent trial each, which alone can
    ask for a `margin` (0 <= margin < 1). `alpha` is shared by both directions; `cap` counts pairs. `ends_stuck` ends a
    run in which no request ever gets a second answer. ValueError names the field.

    >>> plan_compare(margin=0.1)
    Traceback (most recent call last):
    ValueError: margin: pairs have none; give paired=False, or margin 0
    """
    check_cells("cells", cells)
    check_rate("alpha", alpha)
    check_count("cap", cap)
    if not (isfinite(margin) and 0 <= margin < 1):
        raise ValueError(f"margin: give a number from 0 up to below 1, got {margin}")
    if paired and margin:
        raise ValueError("margin: pairs have none; give paired=False, or margin 0")
    return Plan(
        question=Question.COMPARE,
        alpha=alpha,
        beta=alpha,
        cap=cap,
        cells=tuple(cells),
        compare=CompareRule(paired=paired, margin=margin),
        ends_stuck=ends_stuck or None,
        **_sides(benign, positive, retry_budget, seed, notes),
    )


def plan_sweep(
    *,
    items: Sequence[SweepItem],
    cells: Sequence[Cell] | None = None,
    q: float = 0.05,
    beta: float = 0.1,
    p_reg: float = 0.2,
    cap: int = 60,
    round: int = 1,
    benign: Arm | None = None,
    positive: Arm | None = None,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan that asks which closed exploits came back: rates above each item's tau, false flags at most `q` of all.

    Each cell belongs to the item that its `part` names (None: one cell per item, of the item's own key). An item is
    cleared when it is shown to be below `p_reg` (at `beta`), and open after `cap` trials. tau is below p_reg.
    ValueError names the field.

    >>> plan_sweep(items=[SweepItem(key="a"), SweepItem(key="b", tau=0.3)])
    Traceback (most recent call last):
    ValueError: items: tau of b must be below p_reg = 0.2, got 0.3
    """
    for name, value in (("q", q), ("beta", beta), ("p_reg", p_reg)):
        check_rate(name, value)
    check_count("cap", cap)
    check_count("round", round)
    rows = [Cell(key=item.key, part=item.key) for item in items] if cells is None else list(cells)
    _check_items(items, rows, p_reg)
    return Plan(
        question=Question.SWEEP,
        alpha=q,
        beta=beta,
        cap=cap * len(items),
        cells=tuple(rows),
        sweep=SweepRule(items=tuple(items), q=q, beta=beta, p_reg=p_reg, cap=cap, round=round),
        **_sides(benign, positive, 1, seed, notes),
    )


def _check_items(items: Sequence[SweepItem], cells: Sequence[Cell], p_reg: float) -> None:
    if not items:
        raise ValueError("items: give at least one closed exploit to sweep")
    double = sorted(key for key, count in Counter(item.key for item in items).items() if count > 1)
    if double:
        raise ValueError(f"items: each needs its own key, given twice: {', '.join(double)}")
    for item in items:
        check_rate(f"items: tau of {item.key}", item.tau)
        if item.tau >= p_reg:
            raise ValueError(f"items: tau of {item.key} must be below p_reg = {p_reg:g}, got {item.tau:g}")
    check_cells("cells", cells)
    keys, parts = {item.key for item in items}, {cell.part for cell in cells}
    if parts != keys:
        odd = ", ".join(sorted(parts ^ keys))
        raise ValueError(f"cells: every cell's part names an item, and every item has a cell; see {odd}")
