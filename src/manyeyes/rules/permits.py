"""On what basis a machine may attack a target: a replay without a permit that covers it never starts."""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True)
class Permit:
    """Who operates the target, why we may attack it, and within which bounds. `granted_by` answers for the budget."""

    operator: str
    basis: str
    environment: str = Environment.STAGING
    hazard_classes: tuple[str, ...] = ()
    calls_per_day: int = 5_000
    granted_by: str = ""
    until: datetime | None = None


def may_replay(
    permit: Permit | None,
    effects: str = Effects.NONE,
    hazard: str = "",
    *,
    calls: int = 0,
    calls_today: int = 0,
    resets: bool = False,
    at: datetime | None = None,
) -> list[str]:
    """Why an automated replay of `calls` calls may not start, one sentence each; empty where it may.

    `resets`: an environment puts the system under test back to a clean state before each trial.
    """
    refused = []
    if hazard in NEVER_BY_MACHINE:
        refused.append("Material of this hazard class is never replayed, varied or judged by machine.")
    elif hazard and hazard not in HAZARDS:
        refused.append(f"There is no hazard class {hazard!r}. Choose one of {', '.join(HAZARDS)}.")
    if permit is None:
        return [*refused, "Nobody has recorded a permit for this target. Ask the program manager to add one."]
    refused += _formal(permit, clock.now() if at is None else at)
    if hazard in HAZARDS and hazard not in NEVER_BY_MACHINE | set(permit.hazard_classes):
        refused.append(f"The permit does not cover the hazard class {HAZARDS[hazard]}.")
    if effects not in set(Effects):
        refused.append(f"There is no effect {effects!r}. Choose one of {', '.join(Effects)}.")
    elif effects == Effects.IRREVERSIBLE and permit.environment != Environment.SANDBOX:
        refused.append("The exploit cannot be undone, so it may only run in a sandbox.")
    elif effects == Effects.REVERSIBLE and permit.environment == Environment.PRODUCTION:
        refused.append("The exploit leaves traces, so it may not run in production.")
    if resets and permit.environment == Environment.PRODUCTION:
        refused.append("The system is reset before each trial, so it may not be the one in production.")
    if calls_today + calls > permit.calls_per_day:
        left = max(0, permit.calls_per_day - calls_today)
        refused.append(
            f"The permit allows {permit.calls_per_day} calls a day; {left} are left and {calls} are asked for."
        )
    return refused


def _formal(permit: Permit, at: datetime) -> list[str]:
    refused = []
    if not permit.operator.strip():
        refused.append("The permit does not say who operates the target.")
    if not permit.basis.strip():
        refused.append("The permit does not say on what basis we may attack the target.")
    if not permit.granted_by.strip():
        refused.append("The permit does not say who granted it and answers for the cost.")
    if permit.environment not in set(Environment):
        refused.append(f"There is no environment {permit.environment!r}. Choose one of {', '.join(Environment)}.")
    if permit.until is not None and permit.until <= at:
        refused.append(f"The permit ran out on {permit.until:%d %b %Y}.")
    return refused
