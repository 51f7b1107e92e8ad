"""Which replay runs next and who holds it: every change is one compare-and-set, so two workers never share a replay."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum

from manyeyes.programs.models import Target, TargetVersion
from manyeyes.programs.targets import since_midnight
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict
from manyeyes.runs.document import Caps, PlanDocument
from manyeyes.vault.models import DataKey

State = Replay.State


class LeaseLost(Exception):  # noqa: N818 -- an answer about who owns the row, not a fault
    """The replay is held by somebody else by now, or was cancelled: stop, and write nothing more."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to drive one replay: `attempt` fences off whoever held it before."""

    replay_id: uuid.UUID
    owner: str
    attempt: int

    def rows(self) -> Any:
        """The replay's row while this lease still holds it, else no row."""
        return Replay.objects.filter(
            pk=self.replay_id, lease_owner=self.owner, attempts=self.attempt, state=State.RUNNING
        )


def lease_time() -> timedelta:
    """How long a silent worker keeps its replay."""
    return timedelta(seconds=settings.MANYEYES_LEASE_SECONDS)


def enqueue(
    document: PlanDocument,
    key: DataKey,
    *,
    mode: str = Replay.Mode.RUNNER,
    main_version: TargetVersion | None = None,
    positive_version: TargetVersion | None = None,
    judge_version: TargetVersion | None = None,
    requested_by: Any = None,
    concurrency: int | None = None,
    replay_id: uuid.UUID | None = None,
) -> Replay:
    """Freeze the plan as a row for the worker, or for a person (`mode` manual).

    Give `replay_id` to make the request repeatable: the same id and plan give the replay that exists already, the same
    id with another plan raises Conflict.
    """
    values = {
        "key": key,
        "document": document.to_json(),
        "plan_hash": document.hash,
        "question": str(document.plan.question),
        "mode": mode,
        "main_version": main_version,
        "positive_version": positive_version,
        "judge_version": judge_version,
        "requested_by": requested_by,
        "concurrency": concurrency or settings.MANYEYES_REPLAY_CONCURRENCY,
    }
    if replay_id is None:
        return Replay.objects.create(**values)
    replay, made = Replay.objects.get_or_create(pk=replay_id, defaults=values)
    if not made and replay.plan_hash != document.hash:
        raise Conflict("Another replay was already requested from this page. Reload it and look again.")
    return replay


def claim(owner: str) -> Lease | None:
    """Take the oldest replay that waits or whose worker fell silent; never two at a time on one target.

    Its permit allows so many calls a day, and each run starts from what is left of them.

    What a person asked for comes before what the platform tries by itself.
    """
    now = clock.now()
    silent = Q(state=State.RUNNING, lease_until__lt=now)
    busy = Replay.objects.filter(state=State.RUNNING, lease_until__gte=now, main_version__isnull=False)
    waiting = (
        Replay.objects.filter(Q(state=State.QUEUED) | silent, mode=Replay.Mode.RUNNER)
        .exclude(main_version__target__in=busy.values("main_version__target"))
        .annotate(unasked=Q(requested_by__isnull=True))
        .order_by("unasked", "created_at")
        .values_list("pk", "state", "attempts", "started_at")[:10]
    )
    for pk, state, attempts, started in waiting:
        taken = Replay.objects.filter(pk=pk, state=state, attempts=attempts).update(
            state=State.RUNNING,
            attempts=attempts + 1,
            lease_owner=owner,
            lease_until=now + lease_time(),
            heartbeat_at=now,
            started_at=started or now,
            pause_code="",
        )
        if taken:
            return Lease(replay_id=pk, owner=owner, attempt=attempts + 1)
    return None


def heartbeat(lease: Lease) -> str:
    """Keep the lease; answers what people wish of the run meanwhile ("pause", "cancel" or ""). Raises LeaseLost."""
    now = clock.now()
    if not lease.rows().update(heartbeat_at=now, lease_until=now + lease_time()):
        raise LeaseLost(str(lease.replay_id))
    return str(Replay.objects.values_list("wish", flat=True).get(pk=lease.replay_id))


def release(lease: Lease) -> None:
    """Give the replay back unfinished, for any worker to go on at once."""
    lease.rows().update(state=State.QUEUED, lease_owner="", lease_until=None)


def park(lease: Lease, *, code: str, reason: str, state: str = State.PAUSED) -> None:
    """Stop the run with its trials kept; a person reads the reason and resumes. Raises LeaseLost."""
    with transaction.atomic():
        replay = lease.rows().select_for_update().first()
        if replay is None:
            raise LeaseLost(str(lease.replay_id))
        _let_go(replay, state, code, reason)


def finish(lease: Lease, verdict: dict[str, Any]) -> Replay:
    """Write the verdict, once. Raises LeaseLost when this worker no longer holds the replay."""
    with transaction.atomic():
        replay: Replay | None = lease.rows().select_for_update().first()
        if replay is None:
            raise LeaseLost(str(lease.replay_id))
        return conclude(replay, verdict)


def conclude(replay: Replay, verdict: dict[str, Any]) -> Replay:
    """Store the verdict on a row that the caller has locked."""
    replay.verdict = verdict
    replay.verdict_word = str(verdict["verdict"])
    replay.n, replay.k = verdict["n"], verdict["k"]
    replay.state, replay.finished_at = State.DONE, clock.now()
    replay.lease_owner, replay.lease_until, replay.wish = "", None, ""
    replay.pause_code, replay.pause_reason = "", None
    replay.save()
    return replay


def pause(replay: Replay) -> None:
    """Ask for a stop that keeps everything: at once when nobody drives it, else after the trials in flight."""
    _wish(replay, "pause", (State.QUEUED,))


def cancel(replay: Replay) -> None:
    """Ask for an end without a verdict; the trials made so far stay on record."""
    _wish(replay, "cancel", (State.QUEUED, State.PAUSED, State.AWAITING_LABEL))


def resume(replay: Replay, *, caps: Caps | None = None) -> None:
    """Let a paused replay go on from its recorded trials, under other limits on spending if `caps` are given.

    Limits are no part of the plan: they can stop a run but never change its verdict. Raises Conflict if not paused.
    """
    with transaction.atomic():
        row = Replay.objects.select_for_update().get(pk=replay.pk)
        if row.state not in (State.PAUSED, State.AWAITING_LABEL):
            raise Conflict("This replay is not paused.")
        if caps is not None:
            row.document = PlanDocument.from_json(row.document).with_caps(caps).to_json()
        row.state, row.wish, row.pause_code, row.pause_reason = State.QUEUED, "", "", None
        row.lease_owner, row.lease_until = "", None
        row.save()
    replay.refresh_from_db()


def grant(lease: Lease, wish: str) -> None:
    """Do what people wished of a run, now that its trials in flight are stored."""
    if wish == "cancel":
        park(lease, code="", reason="", state=State.CANCELLED)
    else:
        park(lease, code="asked", reason="Somebody of the team paused it.")


def to_conclude() -> list[Replay]:
    """Finished replays whose result the rooms above have not taken up yet (a crash may fall between the two)."""
    done = Replay.objects.filter(state=State.DONE, concluded_at__isnull=True)
    return list(done.order_by("finished_at")[:20])


def concluded(replay: Replay) -> None:
    """Note that the rooms above have taken the verdict up."""
    Replay.objects.filter(pk=replay.pk, concluded_at__isnull=True).update(concluded_at=clock.now())


def calls_today(target: Target) -> int:
    """Model calls made to a target by replays that ran on this UTC day; the permit's limit counts against it."""
    ran = Replay.objects.filter(main_version__target=target, heartbeat_at__gte=since_midnight())
    return int(ran.aggregate(calls=Sum(F("calls") - F("calls_before")))["calls"] or 0)


def _wish(replay: Replay, wish: str, at_once: tuple[str, ...]) -> None:
    with transaction.atomic():
        row = Replay.objects.select_for_update().get(pk=replay.pk)
        silent = row.lease_until is None or row.lease_until < clock.now()
        if row.state in at_once or (row.state == State.RUNNING and silent):
            if wish == "cancel":
                _let_go(row, State.CANCELLED, "", "")
            else:
                _let_go(row, State.PAUSED, "asked", "Somebody of the team paused it.")
        elif row.state == State.RUNNING:
            Replay.objects.filter(pk=row.pk).update(wish=wish)
        else:
            raise Conflict(f"This replay is {row.get_state_display().lower()}; there is nothing to {wish}.")
    replay.refresh_from_db()


def _let_go(row: Replay, state: str, code: str, reason: str) -> None:
    row.state, row.pause_code, row.pause_reason = state, code, reason or None
    row.lease_owner, row.lease_until, row.wish = "", None, ""
    # Whoever still drives it holds an older attempt number from now on and can write nothing more.
    row.attempts = row.attempts + 1
    if state == State.CANCELLED:
        row.finished_at = clock.now()
    row.save()
