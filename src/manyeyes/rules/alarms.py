"""When somebody hears that a promise is about to be broken, or is: four steps for each run of a clock, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from manyeyes.rules.deadlines import Clock

LONGEST_STEP = timedelta(days=1)
"""So long at most the next step waits after a promise was broken: a quarter of 90 days would be no alarm."""
STEPS = 4
"""Before the end: whoever is at work on it. At the end: who stands in. Then the managers, then the admins as well."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A step that is due: 0 before the promise ends, 1 to 3 after it."""

    clock: Clock
    step: int


def moments(clock: Clock) -> tuple[datetime, ...]:
    """When each step of a clock is due, if nobody acts: at three quarters, at the end, and twice after it."""
    wait = min(clock.promised / 4, LONGEST_STEP)
    return clock.warn_at, clock.due, clock.due + wait, clock.due + 2 * wait


def run_of(clock: Clock) -> str:
    """What tells one run of a clock from the next: its name and when it began."""
    return f"{clock.name}@{clock.started_at:%Y-%m-%dT%H:%M:%S.%f}"


def due(found: Sequence[Clock], taken: Mapping[str, int], at: datetime) -> list[Alarm]:
    """The steps to take now; `taken` maps runs to the highest step taken. Steps that were missed are not caught up."""
    alarms = []
    for clock in found:
        passed = [step for step, moment in enumerate(moments(clock)) if moment <= at]
        if clock.running and passed and passed[-1] > taken.get(run_of(clock), -1):
            alarms.append(Alarm(clock=clock, step=passed[-1]))
    return alarms


def next_at(found: Sequence[Clock], taken: Mapping[str, int]) -> datetime | None:
    """When the next step is due if nobody acts; None while no clock runs, or every step was taken."""
    coming = [
        moment
        for clock in found
        if clock.running
        for step, moment in enumerate(moments(clock))
        if step > taken.get(run_of(clock), -1)
    ]
    return min(coming, default=None)
