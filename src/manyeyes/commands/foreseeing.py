"""What `plan` tells of maps, comparisons and sweeps, and what calls cost: a table of assumptions, each foreseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from manyeyes.commands.judge_calls import Bill, bill, roles_asked
from manyeyes.engine.foresight import Foresight, constant_pairs, foresee_compare, foresee_map, foresee_sweep, type_one
from manyeyes.engine.plan import Plan, Question
from manyeyes.rules.numerals import many, percent
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.estimate import tokens

RUNS = 200_000
"""Trials that are simulated for one assumption at most, so that a plan is told within seconds."""
NOTHING = "none came back"
VERSIONS = ((0.05, 0.3), (0.2, 0.4), (0.2, 0.2), (0.3, 0.05))
"""Rates of the old and the new version that are looked at where none are named."""


def foreseen(document: PlanDocument, pairs: Sequence[tuple[float, float]] = VERSIONS) -> dict[str, Any]:
    """What the plan of a wider question will do, as the one JSON object. `pairs` are rates of (old, new) versions."""
    plan = document.plan
    rows = {Question.MAP: _map, Question.SWEEP: _sweep}.get(plan.question, lambda one: _compare(one, pairs))(plan)
    each = {Question.MAP: 1, Question.COMPARE: 2}.get(plan.question, len(plan.sweep.items) if plan.sweep else 1)
    side = sum(arm.n for arm in (plan.benign, plan.positive) if arm is not None)
    fresh = plan.worst.score_n if plan.worst else 0
    into, out = tokens(document)
    trials = rows[0][1].most * each + side + fresh
    most = trials * document.calls_per_trial[1]
    judges = _judges(document, trials)
    paired = plan.compare is not None and plan.compare.paired
    return {
        "question": str(plan.question),
        "title": document.title,
        "plan_hash": document.hash,
        "alpha": plan.alpha,
        "cap": plan.cap,
        "cells": [cell.key for cell in plan.cells],
        "exact": all(seen.exact for _, seen in rows),
        "type_one": type_one(plan) if paired else max(seen.error for _, seen in rows),
        "side": side,
        "score": fresh,
        "unit": {Question.COMPARE: "pairs", Question.SWEEP: "trials per finding"}.get(plan.question, "trials"),
        "worst_calls": most + round(judges.calls),
        "tokens_per_call": {"in": into, "out": out},
        "worst_tokens": round(most * (into + out) + judges.tokens),
        "worst_cost": cost(document, most, into, out, judges),
        **judged(document, judges),
        "currency": document.price.currency if document.price else None,
        "points": [_point(document, name, seen, each, side + fresh) for name, seen in rows],
        **({"constant": asdict(constant_pairs(plan))} if plan.compare is not None else {}),
    }


def _point(document: PlanDocument, assumed: str, seen: Foresight, each: int, more: int) -> dict[str, Any]:
    into, out = tokens(document)
    calls = (seen.expected * each + more) * document.calls_per_trial[0]
    judges = _judges(document, seen.expected * each + more)
    return {
        "assumed": assumed,
        "expected_trials": seen.expected,
        "standard_error": seen.standard_error,
        "median": seen.median,
        "ninety": seen.ninety,
        "error": seen.error,
        "power": None if assumed == NOTHING else seen.power,
        "verdicts": dict(seen.words),
        "runs": seen.runs,
        "expected_calls": calls + judges.calls,
        "expected_tokens": round(calls * (into + out) + judges.tokens),
        "expected_cost": cost(document, calls, into, out, judges),
    }


def _map(plan: Plan) -> list[tuple[str, Foresight]]:
    runs = max(10, min(40, RUNS // (plan.cap * 4)))
    some = [
        ("one setting at 50\u202f%, the others at 5\u202f%", 0.5, 0.05),
        ("one setting at 30\u202f%, the others at 0\u202f%", 0.3, 0.0),
        ("all settings at 20\u202f%", 0.2, 0.2),
    ]
    return [(name, foresee_map(plan, _landscape(plan, hot, rest), runs=runs)) for name, hot, rest in some]


def _landscape(plan: Plan, hot: float, rest: float) -> dict[str, float]:
    """A rate for every cell, the first that can vary being the hot one; a setting with one answer never gives way."""
    first = next((cell.key for cell in plan.cells if not cell.deterministic), "")
    return {cell.key: hot if cell.key == first else 0.0 if cell.deterministic else rest for cell in plan.cells}


def _compare(plan: Plan, pairs: Sequence[tuple[float, float]]) -> list[tuple[str, Foresight]]:
    return [
        (f"old at {percent(old)}, new at {percent(new)}", foresee_compare(plan, old, new, runs=100))
        for old, new in pairs
    ]


def _sweep(plan: Plan) -> list[tuple[str, Foresight]]:
    assert plan.sweep is not None
    keys = [item.key for item in plan.sweep.items]
    few = max(1, len(keys) // 20)
    runs = max(1, min(10, RUNS // (len(keys) * 20)))

    def rates(risen: float) -> Mapping[str, float]:
        return {key: risen if place < few else 0.0 for place, key in enumerate(keys)}

    some: list[tuple[str, Mapping[str, float]]] = [(NOTHING, dict.fromkeys(keys, 0.0))]
    some += [(f"{few} of {len(keys)} back at {percent(risen)}", rates(risen)) for risen in (0.2, 0.5, 0.9)]
    return [(name, foresee_sweep(plan, one, runs=runs)) for name, one in some]


def told(data: Mapping[str, Any]) -> str:
    """The forecast for people."""
    meant: dict[str, Callable[[], str]] = {
        "map": lambda: "chance to name a setting that another one beats by the margin that matters",
        "compare": lambda: "chance to call one of two equal versions worse or better",
        "sweep": lambda: "share of false alarms among the flagged",
    }
    kind = "exact" if data["exact"] else f"simulated, {data['points'][0]['runs']} runs each"
    right = {"map": "shown", "compare": "right", "sweep": "found"}[data["question"]]
    lines = [
        f"{data['title']}: {data['question']}, plan {data['plan_hash'][:12]}",
        f"{meant[data['question']]()}: at most {data['type_one']:.4f} here ({kind})",
        "",
        f"{'if':<46} {right}   wrong   {data['unit']} expected   9 in 10 by   calls   tokens",
    ]
    wide = len(data["unit"]) + 9
    for row in data["points"]:
        money = f"   {row['expected_cost']:.4f}" if data["currency"] else ""
        power = "    –" if row["power"] is None else f"{row['power']:.3f}"
        lines.append(
            f"{row['assumed']:<46} {power}   {row['error']:.3f}   {row['expected_trials']:>{wide}.1f}"
            f" {row['ninety']:>12.0f} {row['expected_calls']:>7.0f} {row['expected_tokens']:>8}{money}"
        )
    money = f", {data['worst_cost']:.4f} {data['currency']}" if data["currency"] else ""
    tokens = many(data["worst_tokens"], "token")
    lines.append(f"\nat worst {many(data['worst_calls'], 'call')}, {tokens}{money} (tokens are estimates)")
    lines += judge_words(data)
    if (row := data.get("constant")) and row["needed"] and row["end"]:
        lines.append(
            "two versions that answer each wording with one fixed text, as a filter or a cache does, count once per "
            f"wording: it then takes {many(row['needed'], 'wording')} to say 'worse', and this plan has "
            f"{row['wordings']} (add wordings to the file); it would end undecided after {many(row['end'], 'pair')}"
        )
    return "\n".join(lines)


def _judges(document: PlanDocument, trials: float) -> Bill:
    """What the judges are asked of so many trials; the second looks are counted for all, since the rates differ."""
    harmless = min(trials, document.plan.benign.n if document.plan.benign else 0)
    return bill(document, exploit=trials - harmless, benign=harmless)


def judged(document: PlanDocument, most: Bill) -> dict[str, Any]:
    """The part of the judges in the worst case; nothing where no rule asks a model."""
    if not most.calls:
        return {}
    each = {"in": round(most.tokens_in / most.calls, 1), "out": round(most.tokens_out / most.calls, 1)}
    row = {"roles": roles_asked(document), "worst_calls": round(most.calls), "tokens_per_call": each}
    return {"judges": {**row, "worst_cost": most.cost}}


def judge_words(data: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    if not (row := data.get("judges")):
        return []
    each, money = row["tokens_per_call"], ""
    if row["worst_cost"] is not None:
        money = f", {row['worst_cost']:.4f} {data['currency']}"
    return [
        f"of these, calls of judges ({', '.join(row['roles'])}): at worst {row['worst_calls']}, about "
        f"{each['in']:.0f} tokens in and {each['out']:.0f} out each{money}"
    ]


def cost(document: PlanDocument, calls: float, into: float, out: float, judges: Bill) -> float | None:
    """Money for so many calls of so many tokens each, and for the judges; None where no price is known."""
    if document.price is None:
        return None
    return document.price.cost(round(calls * into), round(calls * out)) + (judges.cost or 0.0)
