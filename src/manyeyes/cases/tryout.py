"""What trying a report on arrival would be: the short plan, what it may take at most, and what was taken today."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet, Sum

from manyeyes.cases.arrived import Preflight
from manyeyes.cases.models import Case, ReproducerFile
from manyeyes.engine.plan import Question
from manyeyes.plugins.detection import roles
from manyeyes.programs.models import Target, TargetVersion
from manyeyes.programs.permitted import PreflightRules
from manyeyes.programs.targets import permit_of, price_of, since_midnight
from manyeyes.replays.models import Replay
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules.permits import Permit
from manyeyes.rules.preflight import Kind, NotTried, Runnable, Spending
from manyeyes.runs.document import Caps, PlanDocument, TargetInfo
from manyeyes.runs.estimate import tokens
from manyeyes.runs.prepare import Options, PrepareError, prepare

UNLIMITED_ANSWER = 1_000
"""Tokens set aside for an answer whose length the reproducer does not limit."""
AT_ONCE = 2
"""Calls under way at a time: nobody waits for it, and what a crash cuts off has to be sent again."""
SPARE = 2 * AT_ONCE
"""Calls set aside for those that failed or were cut off; without any left the try stops, and says so."""
LETTERS = 3
"""Letters set aside as one token: a plan may take less than is set aside for it, never more."""
NOTHING = Spending()
midnight = since_midnight


@dataclass(frozen=True, kw_only=True)
class Tryout:
    """A report on the point of being tried. Without a `document` it cannot be; `problems` then say why."""

    runnable: Runnable | None
    permit: Permit | None
    version: TargetVersion | None = None
    document: PlanDocument | None = None
    asked: Spending = NOTHING
    problems: tuple[NotTried, ...] = ()


def planned(case: Case, file: ReproducerFile | None, rules: PreflightRules) -> Tryout:
    """The short plan of a report against the version in service: one setting, a fixed number of trials, no control."""
    reproducer, permit, version = read(file), permit_of(case.target), case.target.current
    runnable = runnable_of(reproducer, hazard=case.hazard)
    if reproducer is None or runnable is None:
        return Tryout(runnable=runnable, permit=permit)
    unreachable = _unreachable(case.target, version)
    if unreachable or version is None:
        return Tryout(runnable=runnable, permit=permit, problems=_not_permitted(unreachable))
    price = price_of(version)
    options = Options(
        rated_n=rules.trials, deterministic_n=2, benign_n=0, use_control=False, price=price, seed=case.pk.int % 2**31
    )
    one = reproducer.model_copy(update={"settings": [reproducer.rated_setting()], "control": None})
    info = TargetInfo(url=version.endpoint_url, model=version.model, label=version.label)
    try:
        document = prepare(one, Question.SCORE, targets={"main": info}, options=options)
    except PrepareError as error:
        return Tryout(runnable=runnable, permit=permit, problems=(NotTried(kind=Kind.NOT_RUNNABLE, words=str(error)),))
    asked = spending_of(document)
    return Tryout(
        runnable=runnable, permit=permit, version=version, document=document.with_caps(_caps(rules, asked)), asked=asked
    )


def runnable_of(reproducer: Reproducer | None, *, hazard: str = "") -> Runnable | None:
    """What a reproducer asks of whoever tries it; `hazard` is the class that people gave its report."""
    if reproducer is None:
        return None
    return Runnable(
        effects=reproducer.effects,
        hazard=reproducer.hazard or hazard,
        by_hand=reproducer.turns == "human",
        images=bool(reproducer.attachments),
        environment=reproducer.environment is not None,
        asks=roles(reproducer.to_json()["success"]),
    )


def spending_of(document: PlanDocument) -> Spending:
    """What a plan may take at most: every trial with all its calls, some of them again, every answer at its longest."""
    calls = document.plan.cap * document.calls_per_trial[1] + SPARE
    into, out = tokens(document)
    limited = all("max_tokens" in document.requests[cell.key].params for cell in document.plan.cells)
    in_all, out_all = math.ceil(calls * into * 4 / LETTERS), math.ceil(calls * (out if limited else UNLIMITED_ANSWER))
    money = document.price.cost(in_all, out_all) if document.price else None
    return Spending(calls=calls, tokens=in_all + out_all, money=money)


def sum_of(rows: QuerySet[Preflight]) -> Spending:
    """What these tries took, or may still take while they run."""
    found: dict[str, Any] = rows.aggregate(calls=Sum("calls"), tokens=Sum("tokens"), money=Sum("money"))
    return Spending(calls=found["calls"] or 0, tokens=found["tokens"] or 0, money=found["money"] or 0.0)


def tokens_of(replay: Replay) -> tuple[int, int]:
    """Tokens in and out of the trials on record."""
    found = replay.trials.aggregate(into=Sum("tokens_in"), out=Sum("tokens_out"))
    return found["into"] or 0, found["out"] or 0


def read(file: ReproducerFile | None) -> Reproducer | None:
    """What a stored reproducer says; None without one, or where it cannot be read any more."""
    if file is None:
        return None
    try:
        return load_text(file.text, file.name or "reproducer")
    except ReproducerError:
        return None


def _unreachable(target: Target, version: TargetVersion | None) -> str:
    if target.access != Target.Access.API:
        return f"{target.name} has no API that a machine could try it through."
    if version is None or not version.endpoint_url:
        return f"No version of {target.name} is registered with an address."
    return ""


def _not_permitted(words: str) -> tuple[NotTried, ...]:
    return (NotTried(kind=Kind.NOT_PERMITTED, words=words),)


def _caps(rules: PreflightRules, asked: Spending) -> Caps:
    """No call beyond what was set aside; tokens and money too where the program counts them."""
    counts_money = rules.money_per_day is not None or rules.money_per_reporter is not None
    counts_tokens = counts_money or rules.tokens_per_day is not None or rules.tokens_per_reporter is not None
    caps = Caps(max_calls=asked.calls, max_tokens=asked.tokens if counts_tokens else None)
    return replace(caps, max_cost=asked.money) if counts_money and asked.money is not None else caps
