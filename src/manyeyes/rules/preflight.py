"""The law of trying a report on arrival: what may be tried, how much a day may take, and in words why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from manyeyes.rules.marked import marked as _
from manyeyes.rules.numerals import many
from manyeyes.rules.permits import Effects, Environment, Permit, Refusal, may_replay

TRIALS = 12
"""Trials of one report, at most, where a program says nothing else."""
MOST_TRIALS = 30


class Kind(StrEnum):
    """Why a report was not tried, in one word: a facet of the queue."""

    OFF = "off"
    NOT_RUNNABLE = "not_runnable"
    NOT_PERMITTED = "not_permitted"
    OVER_BUDGET = "over_budget"
    MOOT = "moot"
    FAILED = "failed"


KIND_WORDS: dict[Kind, str] = {
    Kind.OFF: "switched off",
    Kind.NOT_RUNNABLE: "nothing a machine can try",
    Kind.NOT_PERMITTED: "not permitted",
    Kind.OVER_BUDGET: "over the budget of the day",
    Kind.MOOT: "decided before its turn came",
    Kind.FAILED: "a fault of ours",
}


@dataclass(frozen=True, kw_only=True)
class Runnable:
    """What a reproducer asks of whoever tries it. `asks` are those its success rule has to ask: a person, models."""

    effects: str = Effects.NONE
    hazard: str = ""
    by_hand: bool = False
    images: bool = False
    environment: bool = False
    asks: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Spending:
    """Calls and tokens, and money where a price is known (else None)."""

    calls: int = 0
    tokens: int = 0
    money: float | None = 0.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one UTC day may take at most; None is no limit."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of somebody for a day, with what is taken of them already; `whose` ends "The budget of …"."""

    whose: str
    limits: Limits
    taken: Spending


@dataclass(frozen=True, kw_only=True)
class NotTried:
    """One reason why a report was not tried: its kind, and a sentence for the team."""

    kind: Kind
    words: str


def unfit(found: Runnable | None) -> list[str]:
    """What keeps a machine from trying a reproducer, whatever it may attack; the sender may read these sentences."""
    if found is None:
        return [_("There is no reproducer that a machine could try.")]
    said = {
        _("Its steps are for a person to follow."): found.by_hand,
        _("It needs images, and only text is tried on arrival."): found.images,
        _("It plays in an environment around the model, and only plain conversations are tried on arrival."):
            found.environment,
        _("A person has to say whether an answer is a success."): "human" in found.asks,
        _("Its success rule asks another model, and none is shown answers on arrival."): bool(found.asks - {"human"}),
        _("It holds hazardous content, which is never tried without a person."): bool(found.hazard),
        _("It may leave something behind that cannot be undone."): found.effects == Effects.IRREVERSIBLE,
    }  # fmt: skip
    return [words for words, true in said.items() if true]


def may_try(
    found: Runnable | None,
    permit: Permit | None,
    *,
    asked: Spending,
    calls_today: int = 0,
    budgets: tuple[Budget, ...] = (),
) -> list[NotTried]:
    """Why a report may not be tried on arrival; empty where it may. The first kind decides what it counts under."""
    refused = [NotTried(kind=Kind.NOT_RUNNABLE, words=words) for words in unfit(found)]
    if found is None:
        return refused
    refused += [_of_permit(one) for one in _permitted(found, permit, asked=asked, calls_today=calls_today)]
    for budget in budgets:
        refused += [NotTried(kind=Kind.OVER_BUDGET, words=words) for words in _over(budget, asked)]
    return refused


def _permitted(found: Runnable, permit: Permit | None, *, asked: Spending, calls_today: int) -> Iterator[Refusal | str]:
    yield from may_replay(permit, found.effects, found.hazard, calls=asked.calls, calls_today=calls_today)
    if permit is not None and permit.environment != Environment.SANDBOX:
        yield f"Reports are tried on arrival in a sandbox only; the permit is for {permit.environment}."


def _of_permit(one: Refusal | str) -> NotTried:
    over = isinstance(one, Refusal) and one.why == "budget"
    return NotTried(kind=Kind.OVER_BUDGET if over else Kind.NOT_PERMITTED, words=str(one))


def _over(budget: Budget, asked: Spending) -> Iterator[str]:
    """Where what is asked for does not fit into what is left of the day."""
    limits, taken = budget.limits, budget.taken
    counts: Mapping[str, tuple[int | None, int, int]] = {
        "call": (limits.calls, taken.calls, asked.calls),
        "token": (limits.tokens, taken.tokens, asked.tokens),
    }
    for name, (limit, spent, wanted) in counts.items():
        if limit is not None and spent + wanted > limit:
            left = max(0, limit - spent)
            a_day = f"The budget of {budget.whose} is {many(limit, name)} a day"
            yield f"{a_day}; {left} are left, and this may take {wanted}."
    if limits.money is None:
        return
    if asked.money is None:
        yield f"The budget of {budget.whose} is in money, and the price of this version is not known."
    elif (taken.money or 0.0) + asked.money > limits.money:
        left_over = max(0.0, limits.money - (taken.money or 0.0))
        yield (
            f"The budget of {budget.whose} is {limits.money:.2f} a day; {left_over:.2f} are left, "
            f"and this may take {asked.money:.2f}."
        )
