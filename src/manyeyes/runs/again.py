"""The command that makes a replay again on one's own machine: the same plan, with the same order and the same seeds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from manyeyes.engine.plan import Plan, Question
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.options import Options

OWN_ADDRESS = "YOUR-URL"
"""Stands for the address where whoever repeats it may not know ours."""
USUAL = Options()


def command_words(document: PlanDocument, *, file: str, addresses: bool) -> list[str]:
    """The words of the command for the reproducer in `file`; empty where no one command says the same.

    Without `addresses` the places that were called are left for the reader to fill in. Keys are never part of it.
    """
    plan = document.plan
    main = document.targets.get("main")
    if main is None or main.kind != "openai_chat" or plan.resumes is not None:
        return []
    made = {Question.REPRODUCE: _reproduce, Question.VERIFY: _verify}.get(plan.question)
    if made is None or plan.judge is not None:
        return []
    question = {Question.REPRODUCE: "replay", Question.VERIFY: "verify"}[plan.question]
    words = ["manyeyes", question, file, *_at(main, addresses), *made(document, addresses), *_shared(plan)]
    return [*words, *_price(document)]


def command(document: PlanDocument, *, file: str, addresses: bool) -> str:
    """The same as one line for a shell."""
    return shlex.join(command_words(document, file=file, addresses=addresses))


def _at(info: TargetInfo, addresses: bool) -> Iterator[str]:
    yield from ("--target", info.url if addresses else OWN_ADDRESS)
    if info.model:
        yield from ("--model", info.model)
    if info.label:
        yield from ("--label", info.label)


def _shared(plan: Plan) -> Iterator[str]:
    yield from ("--seed", str(plan.seed), "--cap", str(plan.cap), "--retry-budget", str(plan.retry_budget))
    for name, value, usual in (("--alpha", plan.alpha, USUAL.alpha), ("--beta", plan.beta, USUAL.beta)):
        if value != usual:
            yield from (name, repr(value))


def _reproduce(document: PlanDocument, addresses: bool) -> Iterator[str]:
    plan = document.plan
    yield from ("--p0", repr(plan.p0), "--p-min", repr(plan.p_min), "--min-successes", str(plan.min_successes))
    yield from ("--margin", repr(plan.margin))
    if not plan.control:
        yield "--no-control"
    if not plan.score:
        yield "--no-score"
        return
    counts = {fixed.n for fixed in plan.score if fixed.cell.key != plan.rated and not fixed.cell.deterministic}
    rated = next(fixed for fixed in plan.score if fixed.cell.key == plan.rated)
    if not rated.cell.deterministic and rated.n != USUAL.rated_n:
        yield from ("--rated-trials", str(rated.n))
    if counts and counts != {USUAL.setting_n}:
        yield from ("--setting-trials", str(max(counts)))


def _verify(document: PlanDocument, addresses: bool) -> Iterator[str]:
    plan = document.plan
    yield from ("--tau", repr(plan.tau))
    if plan.before is not None:
        yield from ("--before", f"{plan.before[0]}/{plan.before[1]}")
    flawed = document.targets.get("positive")
    if flawed is not None:
        yield from ("--positive", flawed.url if addresses else f"{OWN_ADDRESS}-WITH-THE-FLAW")
        if flawed.model:
            yield from ("--positive-model", flawed.model)


def _price(document: PlanDocument) -> Iterator[str]:
    if document.price is not None:
        yield from ("--price-in", repr(document.price.per_million_in), "--price-out",
                    repr(document.price.per_million_out), "--currency", document.price.currency)  # fmt: skip
