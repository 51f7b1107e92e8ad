"""On what basis a machine may attack a target: a replay without a permit that covers it never starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from manyeyes.rules import clock


class Environment(StrEnum):
    """Where the target version runs."""

    SANDBOX = "sandbox"
    STAGING = "staging"
    PRODUCTION = "production"


class Effects(StrEnum):
    """What a successful trial leaves behind, as the reproducer declares it."""

    NONE = "none"
    REVERSIBLE = "reversible"
    IRREVERSIBLE = "irreversible"


HAZARDS: dict[str, str] = {
    "vcr": "violent crimes",
    "src": "sex-related crimes",
    "cse": "child sexual exploitation",
    "ssh": "suicide and self-harm",
    "iwp": "indiscriminate weapons",
    "ipv": "intellectual property",
    "dfm": "defamation",
    "ncr": "non-violent crimes",
    "hte": "hate",
    "prv": "privacy",
    "spc": "specialised advice",
    "sxc": "sexual content",
}
"""Hazard classes by their AILuminate 1.0 code; an empty code means that the content is not hazardous."""

NEVER_BY_MACHINE = frozenset({"cse"})


class Why(StrEnum):
    """What a refusal is about, in one word: for the event log, for counting, and for tests."""

    PERMIT = "permit"
    PRODUCTION = "production"
    HAZARD = "hazard"
    EFFECTS = "effects"
    JUDGE = "judge"
    BUDGET = "budget"


class Refusal(str):
    """One sentence that says why a machine may not; `why` is its kind."""

    why: Why

    def __new__(cls, why: Why, words: str) -> Refusal:
        """The sentence, with its kind."""
        made = super().__new__(cls, words)
        made.why = why
        return made


def kinds(refused: Iterable[str]) -> list[str]:
    """The kinds of these refusals, each once and in order; sentences that are none have no kind.

    >>> kinds([Refusal(Why.BUDGET, "No calls are left."), "There is no reproducer yet."])
    ['budget']
    """
    return list(dict.fromkeys(str(one.why) for one in refused if isinstance(one, Refusal)))


@dataclass(frozen=True, kw_only=True)
class Permit:
    """Who operates the target, why we may attack it, and within which bounds.

    `granted_by` says so and `budget_owner` answers for the cost. What serves real users also needs `approved_by`:
    somebody else (see `may_approve`).
    """

    operator: str
    basis: str
    environment: str = Environment.STAGING
    hazard_classes: tuple[str, ...] = ()
    calls_per_day: int = 5_000
    granted_by: str = ""
    budget_owner: str = ""
    approved_by: str = ""
    until: datetime | None = None


def may_approve(*, is_owner: bool, is_admin: bool, granted: bool) -> str:
    """Why somebody may not approve attacks on production under a permit; empty where they may.

    Approving takes the owner of the target or an admin, and never the person who granted the permit.
    """
    if granted:
        return "You granted this permit, so somebody else approves it."
    if not (is_owner or is_admin):
        return "Attacks on production are approved by the owner of the target or an admin."
    return ""


def may_replay(
    permit: Permit | None,
    effects: str = Effects.NONE,
    hazard: str = "",
    *,
    also: str = "",
    calls: int = 0,
    calls_today: int = 0,
    resets: bool = False,
    at: datetime | None = None,
) -> list[Refusal]:
    """Why an automated replay of `calls` calls may not start, one sentence each; empty where it may.

    `also` is the hazard class that people gave the report, beside the `hazard` of its reproducer: both must be covered.
    `resets`: an environment puts the system under test back to a clean state before each trial.
    """
    classes = sorted({hazard, also} - {""})
    refused = [one for name in classes for one in _untouchable(name)]
    if permit is None:
        nobody = "Nobody has recorded a permit for this target. Ask the program manager to add one."
        return [*refused, Refusal(Why.PERMIT, nobody)]
    refused += _formal(permit, clock.now() if at is None else at)
    refused += [
        Refusal(Why.HAZARD, f"The permit does not cover the hazard class {HAZARDS[name]}.")
        for name in classes
        if name in HAZARDS and name not in NEVER_BY_MACHINE | set(permit.hazard_classes)
    ]
    refused += _lasting(permit.environment, effects, resets=resets)
    if calls_today + calls > permit.calls_per_day:
        left = max(0, permit.calls_per_day - calls_today)
        spent = f"The permit allows {permit.calls_per_day} calls a day; {left} are left and {calls} are asked for."
        refused.append(Refusal(Why.BUDGET, spent))
    return refused


def may_judge(allowed: tuple[str, ...] | None, hazard: str = "") -> list[Refusal]:
    """Why a model may not be shown answers, which may be embargoed; empty where it may.

    `allowed` are the hazard classes it is allowed for by name; None: nobody has allowed it at all.
    """
    if hazard in NEVER_BY_MACHINE:
        return list(_untouchable(hazard))
    if allowed is None:
        nobody = "A judge reads what may be under embargo, and the program allows this one nothing. Its manager can."
        return [Refusal(Why.JUDGE, nobody)]
    if hazard and hazard not in allowed:
        return [Refusal(Why.HAZARD, f"The judge is not allowed for the hazard class {HAZARDS.get(hazard, hazard)}.")]
    return []


def _untouchable(hazard: str) -> Iterator[Refusal]:
    if hazard in NEVER_BY_MACHINE:
        never = "Material of this hazard class is never replayed, varied or judged by machine."
        yield Refusal(Why.HAZARD, never)
    elif hazard and hazard not in HAZARDS:
        yield Refusal(Why.HAZARD, f"There is no hazard class {hazard!r}. Choose one of {', '.join(HAZARDS)}.")


def _formal(permit: Permit, at: datetime) -> Iterator[Refusal]:
    missing = {
        "The permit does not say who operates the target.": permit.operator,
        "The permit does not say on what basis we may attack the target.": permit.basis,
        "The permit does not say who granted it.": permit.granted_by,
        "The permit does not say who answers for the cost.": permit.budget_owner,
    }
    yield from (Refusal(Why.PERMIT, words) for words, given in missing.items() if not given.strip())
    if permit.environment not in set(Environment):
        known = ", ".join(Environment)
        yield Refusal(Why.PERMIT, f"There is no environment {permit.environment!r}. Choose one of {known}.")
    if permit.environment == Environment.PRODUCTION and not permit.approved_by.strip():
        yield Refusal(
            Why.PRODUCTION,
            "This is production, and nobody has approved attacks on it. Its owner or an admin can, "
            "except the person who granted the permit.",
        )
    if permit.until is not None and permit.until <= at:
        yield Refusal(Why.PERMIT, f"The permit ran out on {permit.until:%d %b %Y}.")


def _lasting(environment: str, effects: str, *, resets: bool) -> Iterator[Refusal]:
    production = environment == Environment.PRODUCTION
    if effects not in set(Effects):
        yield Refusal(Why.EFFECTS, f"There is no effect {effects!r}. Choose one of {', '.join(Effects)}.")
    elif effects == Effects.IRREVERSIBLE and environment != Environment.SANDBOX:
        yield Refusal(Why.EFFECTS, "The exploit cannot be undone, so it may only run in a sandbox.")
    elif effects == Effects.REVERSIBLE and production:
        yield Refusal(Why.EFFECTS, "The exploit leaves traces, so it may not run in production.")
    if resets and production:
        yield Refusal(Why.EFFECTS, "The system is reset before each trial, so it may not be the one in production.")
