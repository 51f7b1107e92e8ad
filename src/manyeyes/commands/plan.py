"""`manyeyes plan`: exact error rates, expected and worst-case trials, tokens and money, before anything is spent."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from manyeyes.commands import by_hand, chosen, foreseeing, judge_calls, questions, reaching
from manyeyes.commands.findings import findings_in, naming
from manyeyes.commands.foreseeing import cost
from manyeyes.engine.patched import SURE, arm_ends, foresee_patch
from manyeyes.engine.plan import REPORTED, Plan, Question
from manyeyes.engine.planner import Characteristics, Point, characteristics
from manyeyes.engine.worded import foresee_worded
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules.numerals import many
from manyeyes.rules.words import duration_words, percent
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.estimate import tokens
from manyeyes.runs.prepare import prepare
from manyeyes.runs.wider import prepare_sweep

HELP = "exact error rates and price of a question, before spending"
UNUSABLE = 2
BEFORE = (0.3, 0.5, 0.9)
"""Rates of the version with the flaw at which the forecast of a verification looks."""
USEFUL = (0.95, 0.9)
"""Shares of harmless requests that a fix may answer usefully, at which it looks as well."""
WIDER = (Question.MAP, Question.COMPARE, Question.SWEEP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question and the prices; no target is called."""
    choices = list(questions.QUESTIONS)
    parser.add_argument("--question", choices=choices, default=choices[0], help="what will be asked")
    parser.add_argument(
        "--rates",
        metavar="P,P,…",
        help="success rates to show (default: some around the boundaries; compare: old and new in turn)",
    )
    parser.add_argument(
        "--minutes",
        type=questions.amount,
        metavar="M",
        help="that one trial by hand takes; tells how long a person needs",
    )
    questions.add_question(parser)
    for add in questions.QUESTIONS.values():
        add(parser)
    reaching.add_judge(parser)


def run(args: argparse.Namespace) -> int:
    """0, or 2 for a question that cannot be asked."""
    try:
        questions.other_question(args, args.question)
        if args.question in WIDER:
            data, words = _wider(args)
        else:
            data, words = _sequential(args)
    except (questions.UsageError, ValueError) as error:
        return questions.refuse(args, error, kind="input", code=UNUSABLE)
    if args.minutes:
        data, words = _by_hand(data, words, args.minutes)
    questions.show(args, data, words)
    return 0


def _by_hand(data: dict[str, Any], words: str, minutes: float) -> tuple[dict[str, Any], str]:
    """The same with the time that a person needs who makes every trial by hand."""
    for row in data["points"]:
        row["expected_minutes"] = row["expected_calls"] * minutes
    data |= {"minutes_per_trial": minutes, "worst_minutes": data["worst_calls"] * minutes}
    times = [row["expected_minutes"] for row in data["points"]]
    said = (
        f"by hand, at {minutes:g} minutes a trial: {_time(min(times))} to {_time(max(times))} to expect, "
        f"{_time(data['worst_minutes'])} at worst"
    )
    return data, f"{words}\n{said}"


def _time(minutes: float) -> str:
    return duration_words(timedelta(minutes=round(minutes)))


def _sequential(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Of a reproduction or a verification: the object, and the same in words."""
    reproducer = questions.reproducer_of(args)
    judges = reaching.foreseen(args, [reproducer])
    options = chosen.options_of(args, reproducer)
    asked = TargetInfo(kind=by_hand.ORIGIN) if args.minutes else TargetInfo()
    targets = {"main": asked, **({"positive": asked} if args.question == Question.VERIFY else {})}
    document = prepare(reproducer, args.question, targets=targets | judges, options=options)
    found = characteristics(document.plan, rates_of(args.rates, document.plan, reproducer))
    data = forecast(document, found)
    return data, told(data)


def _wider(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Of a map, a comparison or a sweep: the object, and the same in words."""
    if args.question == Question.SWEEP:
        read = findings_in(Path(args.file))
        found = {key: reproducer for key, (_, reproducer) in read.items()}
        targets = {"main": TargetInfo(), **reaching.foreseen(args, found.values())}
        with naming({key: path for key, (path, _) in read.items()}):
            document = prepare_sweep(found, targets=targets, options=chosen.options_of(args))
    else:
        reproducer = questions.reproducer_of(args)
        judges = reaching.foreseen(args, [reproducer])
        options = chosen.options_of(args, reproducer)
        targets = {"main": TargetInfo(), **({"old": TargetInfo()} if args.question == Question.COMPARE else {})}
        document = prepare(reproducer, args.question, targets=targets | judges, options=options)
    data = foreseeing.foreseen(document, **_pairs(args))
    return data, foreseeing.told(data)


def _pairs(args: argparse.Namespace) -> dict[str, Any]:
    """The rates of two versions that were asked for."""
    if not args.rates:
        return {}
    if args.question != Question.COMPARE:
        raise questions.UsageError(f"--rates: a {args.question} is foreseen for fixed assumptions; leave it out")
    rates = _numbers(args.rates)
    if len(rates) % 2:
        raise questions.UsageError("--rates: give the old and the new rate in turn, for example .05,.3")
    return {"pairs": list(zip(rates[::2], rates[1::2], strict=True))}


def rates_of(text: str | None, plan: Plan, reproducer: Reproducer) -> list[float]:
    """The success rates to look at: those asked for, else some around the plan's boundaries and the claimed one."""
    if text:
        return _numbers(text)
    if plan.question is Question.VERIFY:
        some = {0.0, plan.tau / 10, plan.tau, 2 * plan.tau, min(1.0, 10 * plan.tau), 0.5}
    else:
        some = {0.0, plan.p0, plan.p_min, 0.1, 0.2, 0.5}
        if reproducer.claim:
            some.add(reproducer.claim.successes / reproducer.claim.trials)
    return sorted(some)


def _numbers(text: str) -> list[float]:
    try:
        rates = [float(part) for part in text.split(",")]
        if all(0 <= rate <= 1 for rate in rates):
            return rates
        raise ValueError
    except ValueError:
        raise questions.UsageError(
            f"--rates: give numbers from 0 to 1 with commas, for example 0,.05,.2, not {text!r}"
        ) from None


def forecast(document: PlanDocument, found: Characteristics) -> dict[str, Any]:
    """What the plan will do, as the one JSON object."""
    plan = document.plan
    harmless = plan.benign.n if plan.benign else 0
    trials = found.most * _arms(plan) + found.side + found.score + found.attribute
    worst = trials * document.calls_per_trial[1]
    tokens_in, tokens_out = tokens(document)
    judges = judge_calls.bill(document, exploit=trials - harmless, benign=harmless)
    return {
        "question": str(plan.question),
        "title": document.title,
        "plan_hash": document.hash,
        "alpha": plan.alpha,
        "beta": plan.beta,
        "p0": plan.p0,
        "p_min": plan.p_min,
        "tau": plan.tau,
        "retry_budget": plan.retry_budget,
        "min_successes": plan.min_successes,
        "cap": plan.cap,
        "cells": [cell.key for cell in plan.cells],
        "exact": found.exact,
        "type_one": found.type_one,
        "type_two": found.type_two,
        "at_zero": found.at_zero,
        "constant_answers": found.constant_answers,
        "wordings": found.wordings,
        "constant_end": found.constant_end,
        "side": found.side,
        "score": found.score,
        "attribute": found.attribute,
        "worst_calls": worst + round(judges.calls),
        "tokens_per_call": {"in": tokens_in, "out": tokens_out},
        "worst_tokens": round(worst * (tokens_in + tokens_out) + judges.tokens),
        "worst_cost": cost(document, worst, tokens_in, tokens_out, judges),
        **foreseeing.judged(document, judges),
        "currency": document.price.currency if document.price else None,
        "points": [_point(document, found, point, tokens_in, tokens_out) for point in found.points],
        **(
            {"patched": _patched(plan), "worded": _worded(plan), "useful": _useful(plan)}
            if plan.question is Question.VERIFY
            else {}
        ),
    }


def _patched(plan: Plan) -> list[dict[str, float]]:
    """How often a patch that blocks the reported wording alone is told as one; nothing without other wordings."""
    if {cell.part for cell in plan.cells} <= {REPORTED}:
        return []
    rates = BEFORE if plan.before is None else (plan.before[0] / plan.before[1],)
    return [asdict(foresee_patch(plan, rate)) for rate in rates]


def _worded(plan: Plan) -> list[dict[str, float]]:
    """How a fix fares that words its refusals in so many ways; fewer runs of a long plan, which take longer."""
    runs = max(2, min(20, 20_000 // plan.cap))
    return [asdict(foresee_worded(plan, texts, runs=runs)) for texts in (2, 4, 8, 16, 32)]


def _useful(plan: Plan) -> dict[str, Any]:
    """How surely a fix passes the harmless requests that answers this share of them usefully."""
    arm = plan.benign
    if arm is None or arm.need is None:
        return {}
    passes = [{"rate": rate, "chance": sum(chance for _, chance in arm_ends(arm, rate))} for rate in USEFUL]
    return {"need": arm.need, "n": arm.n, "passes": passes}


def _arms(plan: Plan) -> int:
    return 2 if plan.control else 1


def _point(document: PlanDocument, found: Characteristics, point: Point, into: float, out: float) -> dict[str, Any]:
    plan = document.plan
    # The fixed trials and the harmless requests follow a reproduction only.
    after = 1.0 if plan.question is Question.VERIFY else point.verdicts.get("reproduced", 0.0)
    harmless = after * (plan.benign.n if plan.benign else 0)
    fixed = found.side_least + (0 if plan.question is Question.VERIFY else found.score)
    trials = point.expected * _arms(plan) + after * fixed
    calls = trials * document.calls_per_trial[0]
    twice = judge_calls.looked_twice(document, point.p)
    judges = judge_calls.bill(document, exploit=trials - harmless, benign=harmless, second=twice)
    claim = "holds" if plan.question is Question.VERIFY else "reproduced"
    return {
        "p": point.p,
        "expected_trials": point.expected,
        "standard_error": point.standard_error,
        "median": point.median,
        "ninety": point.ninety,
        "claim": point.verdicts.get(claim, 0.0),
        "verdicts": dict(point.verdicts),
        "expected_calls": calls + judges.calls,
        "expected_tokens": round(calls * (into + out) + judges.tokens),
        "expected_cost": cost(document, calls, into, out, judges),
    }


def _fixed_texts(data: dict[str, Any], claim: str) -> str:
    """What a filter or a cache means for the plan, and what to do about it."""
    mend = "name more --families, or raise --per-family or --tau" if claim == "holds" else "add wordings to the file"
    needed = f"it then takes {many(data['constant_answers'], 'wording')} to say {claim!r}"
    return (
        "a target that answers each wording with one fixed text, as a filter or a cache does, counts once per wording: "
        f"{needed}, and this plan has {data['wordings']} ({mend}); it would end undecided after {data['constant_end']}"
    )


def _few_texts(data: dict[str, Any]) -> list[str]:
    """From how many texts on a real fix is shown to hold, where that takes more than two."""
    short = [row for row in data.get("worded", ()) if row["holds"] < SURE]
    if not short or data["at_zero"] is None:
        return []
    enough = [row for row in data["worded"] if row["texts"] > short[-1]["texts"]]
    ends = f"with {short[-1]['texts']} texts it ends after about {short[-1]['trials']:.0f} trials, and holds in "
    ends += percent(short[-1]["holds"])
    if enough:
        ends += f"; with {enough[0]['texts']} it holds after about {enough[0]['trials']:.0f}"
    return [f"a fix that refuses all wordings in few texts, drawn afresh: each counts once per wording; {ends}"]


def _gate(row: dict[str, Any]) -> str:
    told = "; ".join(
        f"a fix that answers {percent(one['rate'])} of them so passes in {percent(one['chance'])} of runs"
        for one in row["passes"]
    )
    return (
        f"harmless requests: {row['need']} of {row['n']} must be answered usefully; {told}; more --benign-trials help"
    )


def told(data: dict[str, Any]) -> str:
    """The forecast for people."""
    verify = data["question"] == "verify"
    claim, contrary = ("holds", "fails") if verify else ("reproduced", "not reproduced")
    kind = "exact" if data["exact"] else "simulated"
    edge = f"tau = {percent(data['tau'], fine=True)}" if verify else f"p0 = {percent(data['p0'], fine=True)}"
    other = f"tau = {percent(data['tau'], fine=True)}" if verify else f"p-min = {percent(data['p_min'], fine=True)}"
    lines = [
        f"{data['title']}: {data['question']}, plan {data['plan_hash'][:12]}",
        f"chance to say {claim!r} wrongly, at {edge}: {data['type_one']:.4f} ({kind})",
        f"chance to say {contrary!r} wrongly, at {other}: {data['type_two']:.4f} ({kind})",
        "",
        f"true rate   says {claim:<11} trials expected   9 in 10 end by   calls   tokens"
        + ("   cost" if data["currency"] else ""),
    ]
    for row in data["points"]:
        cost = f"   {row['expected_cost']:.4f}" if data["currency"] else ""
        lines.append(
            f"{percent(row['p'], fine=True):>9}   {row['claim']:>16.4f} {row['expected_trials']:>15.1f}"
            f" {row['ninety']:>16} {row['expected_calls']:>7.0f} {row['expected_tokens']:>8}{cost}"
        )
    money = f", {data['worst_cost']:.4f} {data['currency']}" if data["currency"] else ""
    tokens = many(data["worst_tokens"], "token")
    lines.append(f"\nat worst {many(data['worst_calls'], 'call')}, {tokens}{money} (tokens are estimates)")
    lines += foreseeing.judge_words(data)
    if data["constant_answers"] and data["constant_end"]:
        lines.append(_fixed_texts(data, claim))
    lines += _few_texts(data)
    if data.get("useful"):
        lines.append(_gate(data["useful"]))
    if data.get("patched"):
        shares = ", ".join(f"{percent(row['told'])} where it was {percent(row['before'])}" for row in data["patched"])
        lines.append(f"a patch of the reported wording alone is told as one, by the rate before it: {shares}")
    if data["at_zero"] is not None:
        lines.append(f"if no trial ever succeeds it ends after {data['at_zero']}")
    elif verify:
        lines.append("this cap is too low for the fix ever to be shown to hold: raise --cap or --tau")
    return "\n".join(lines)
