"""Which bundle is scored next and who holds it: every change is one compare-and-set, as with replays."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from manyeyes.cases import bundles
from manyeyes.cases.models import SentBundle
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.runs.rescoring import FAILED, WALL, Stopped

State = SentBundle.State
LEASE = timedelta(seconds=WALL + 20)
"""Scoring is bounded by `WALL`, so a lease needs no heartbeat: past it whoever held the row is gone."""
MOST_TRIES = 3
"""So often a bundle may take its worker down before it is left alone."""


class LeaseLost(Exception):  # noqa: N818 -- an answer about who owns the row, not a fault
    """The bundle is held by another worker by now: write nothing more."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to score one bundle; `attempt` fences off whoever held it before."""

    bundle_id: uuid.UUID
    owner: str
    attempt: int

    def rows(self) -> Any:
        """The row while this lease still holds it, else no row."""
        return SentBundle.objects.filter(
            pk=self.bundle_id, lease_owner=self.owner, attempts=self.attempt, state=State.SCORING
        )


def claim(owner: str) -> Lease | None:
    """Take the oldest bundle that waits or whose worker fell silent."""
    now = clock.now()
    silent = Q(state=State.SCORING, lease_until__lt=now)
    waiting = SentBundle.objects.filter(Q(state=State.WAITING) | silent, key__destroyed_at__isnull=True)
    for pk, state, attempts in waiting.order_by("at").values_list("pk", "state", "attempts")[:10]:
        taken = SentBundle.objects.filter(pk=pk, state=state, attempts=attempts).update(
            state=State.SCORING, attempts=attempts + 1, lease_owner=owner, lease_until=now + LEASE
        )
        if taken:
            return Lease(bundle_id=pk, owner=owner, attempt=attempts + 1)
    return None


def release(lease: Lease) -> None:
    """Give it back unscored, for any worker to take at once; the try does not count."""
    lease.rows().update(state=State.WAITING, attempts=lease.attempt - 1, lease_owner="", lease_until=None)


def conclude(lease: Lease, found: dict[str, Any], *, scored: bool) -> SentBundle:
    """Write what it came to, once, and put it on record. Raises LeaseLost when this worker no longer holds it."""
    row = SentBundle.objects.select_related("case__key", "case__program").get(pk=lease.bundle_id)
    with acting(row.case, "bundle.scored", by=None, allowed=None, public=True, bundle=str(row.pk), scored=scored):
        held: SentBundle | None = lease.rows().select_for_update().first()
        if held is None:
            raise LeaseLost(str(lease.bundle_id))
        held.found, held.scored, held.state = found, scored, State.DONE
        held.lease_owner, held.lease_until = "", None
        held.save()
    return held


def score_next(owner: str, stop: Callable[[], bool] = lambda: False) -> bool:
    """Score one bundle that waits; whether there was one."""
    lease = claim(owner)
    if lease is None:
        return False
    row = SentBundle.objects.select_related("case__key", "case__program", "attachment__stored").get(pk=lease.bundle_id)
    try:
        if lease.attempt > MOST_TRIES:
            found, scored = {**row.found, "why": FAILED}, False
        else:
            found, scored = bundles.looked_at(row, stop)
        conclude(lease, found, scored=scored)
    except Stopped:
        release(lease)
        return False
    except LeaseLost:
        pass  # somebody else scored it meanwhile, and the two cannot differ
    return True
