"""Writes where a case stands in the lists of the desk, in the transaction of every act on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from manyeyes.cases import clocks
from manyeyes.cases.facts import newest_rating, reopened_at
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.placed import AGES, FAR, Place
from manyeyes.rules import embargo as law
from manyeyes.rules import severity
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.lifecycle import Status

RULE = 4
"""The edition of what is written here; rows of an older one are made again by `again`."""
AT_A_TIME = 200


def place(case: Case) -> None:
    """Store what the log and the rows of this case say, to find and sort it by."""
    found = clocks.keep(case)
    Place.objects.update_or_create(case=case, defaults={**_standing(case), "queue_at": _queue_at(case, found)})


def again() -> int:
    """Make the rows anew that an older edition wrote, some at a time; how many were made."""
    cases = list(Case.objects.filter(place__rule__lt=RULE, key__destroyed_at=None)[:AT_A_TIME])
    for case in cases:
        place(case)
    return len(cases)


def _standing(case: Case) -> dict[str, Any]:
    rating, status = newest_rating(case), Status(case.status)
    rated = rating is not None and (case.reopened_at is None or rating.at > case.reopened_at)
    signed: set[str] = set()
    # A second word may be owed after confirming, where the program lets it follow; a manager's decision ends that.
    asks = rated and status.is_open and status not in (Status.NEW, Status.NEEDS_INFO)
    if asks:
        signed = {row.discipline for row in case.sign_offs.all() if rating is not None and row.rating_id == rating.pk}
    asks = asks and "manager" not in signed
    ended = not status.is_open
    return {
        "program_id": case.program_id,
        "arrived_at": case.created_at,
        "changed_at": case.changed_at,
        "changed_by": case.changed_by_id,
        "status": case.status,
        "at_work": int(not ended or (case.appealed_at is not None and case.due_at is not None)),
        "unanswered": case.acknowledged_at is None and (not ended or case.due_at is not None),
        "deferred": case.deferred_at is not None and case.acknowledged_at is None and status == Status.NEW,
        "looked_for": _looked_for(case, status),
        "wants_security": asks and "security" not in signed,
        "wants_ml": asks and "ml" not in signed,
        "band": severity.BANDS.index(rating.score.highest_band) if rating is not None else 0,
        "tried": max((round(1000 * row.low) for row in case.preflights.all() if row.k and row.low), default=0),
        "embargo_until": _embargo(case),
        "rule": RULE,
    }


def _queue_at(case: Case, found: Sequence[Clock]) -> datetime:
    """When the next promise ends; long ago where people are in danger: the flaw is used and nothing stands against it,
    or a report says that somebody is harmed and nobody has answered it."""
    due = case.due_at or FAR
    used = case.exploited_at is not None and any(one.name == "mitigation" and one.running for one in found)
    waits = case.acknowledged_at is None and Status(case.status).is_open
    return due - AGES if used or (waits and case.reports.filter(harmed_now=True).exists()) else due


def _looked_for(case: Case, status: Status) -> bool:
    """Whether a replay is done that nobody has looked at, or a verification on which nobody has decided."""
    if status not in (Status.NEW, Status.TRIAGED, Status.RETESTING):
        return False
    done = [row for row in case.reproductions.all() if row.concluded_at is not None]
    if status == Status.RETESTING:
        return any(row.purpose == Reproduction.Purpose.VERIFICATION for row in done)
    since, seen = reopened_at(case), case.first_success_seen_at
    if seen is not None and (since is None or seen > since):
        return False
    first = [row for row in done if row.purpose == Reproduction.Purpose.REPRODUCTION]
    return any(since is None or row.asked_at > since for row in first)


def _embargo(case: Case) -> datetime | None:
    """The date before which neither side publishes; None without one in force."""
    term = law.standing([row.term for row in case.embargoes.all()]).in_force
    return term.until if term is not None else None
