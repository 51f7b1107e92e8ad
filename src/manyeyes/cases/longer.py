"""A replay that ended without an answer goes on up to a larger cap: what that would take, who may, and the request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from manyeyes.cases import facts, people, proposals, replayed
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.proposals import ASKERS, MANUAL
from manyeyes.cases.reproduction import REPLAYED_IN
from manyeyes.engine import characteristics
from manyeyes.replays import longer
from manyeyes.replays.ready import needs_environment
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, IllegalMove
from manyeyes.rules.lifecycle import Status
from manyeyes.runs.document import PlanDocument

LARGEST = 100_000
"""The most scored trials that a plan of the desk may have."""


@dataclass(frozen=True, kw_only=True)
class Going:
    """What going on would take. `calls` may be needed on top of those made, `most_calls` at the very most; with
    `problems` it cannot start, and they say why."""

    link: Reproduction
    document: PlanDocument
    calls: int
    most_calls: int
    problems: tuple[str, ...]


def may_go_on(link: Reproduction) -> bool:
    """Whether its case still asks this question, and a larger cap could answer it."""
    return link.concluded_at is not None and not _past(link, link.case) and longer.may_go_on(link.replay)


def propose(link: Reproduction, *, cap: int | None = None, max_calls: int | None = None) -> Going:
    """What going on up to `cap` trials (default: twice as many) would take; nothing is spent by asking.

    Raises Conflict where the replay has nothing to go on with, Invalid for a cap that is not larger.
    """
    replay, case = link.replay, link.case
    wanted = min(LARGEST, 2 * PlanDocument.from_json(replay.document).plan.cap) if cap is None else cap
    document = longer.document_of(replay, cap=wanted, max_calls=max_calls)
    # A simulated plan (with a control) costs time; few runs are enough to say about how long it takes.
    least, most = proposals.calls_of(document, characteristics(document.plan, (0.0,), runs=60))
    calls, most = max(0, least - replay.calls), max(0, most - replay.calls)
    past = _past(link, case)
    problems = [past] if past else []
    if not longer.may_go_on(replay):
        problems.append(longer.GOES_ON)
    if replay.mode != MANUAL:
        problems += proposals.forbidden(
            case, effects=document.effects, hazard=document.hazard, calls=calls,
            environment=needs_environment(document),
        )  # fmt: skip
    return Going(link=link, document=document, calls=calls, most_calls=most, problems=tuple(problems))


def request(
    link: Reproduction, *, by: Any, cap: int, max_calls: int | None = None, request_id: uuid.UUID | None = None
) -> Reproduction:
    """Queue the longer replay with every trial on record, as a further one of the same kind.

    Both error rates stay what they were: the rule may be looked at after every trial, however many there are. The same
    `request_id` again gives the replay that was asked for already.
    """
    wanted, case = request_id or uuid.uuid4(), link.case
    before = Reproduction.objects.filter(replay_id=wanted, case=case).first()
    if before is not None:
        return before
    going = propose(link, cap=cap, max_calls=max_calls)
    if going.problems:
        proposals.refuse(case, going.problems, by=by)
        raise IllegalMove(f"Go on: {' '.join(going.problems)}", missing=list(going.problems))
    with acting(
        case, "replay.longer", by=by, allowed=ASKERS, tell=people.reporter(case), public=True,
        replay=str(wanted), purpose=link.purpose, mode=link.replay.mode, goes_on_from=str(link.replay_id), cap=cap,
        said=going.document.hash,
    ) as row:  # fmt: skip
        if Reproduction.objects.filter(replay_id=wanted).exists():
            raise Conflict("This replay was requested a moment ago. Reload the page.")
        if past := _past(link, row):
            raise Conflict(past)
        replay = longer.go_on(link.replay, going.document, by=by, replay_id=wanted)
        made = Reproduction.objects.create(
            case=row, replay=replay, purpose=link.purpose, remediation=link.remediation, asked_by=by,
            asked_at=clock.now(),
        )  # fmt: skip
    if replay.verdict:  # by hand, what was ticked beyond the old end may decide at once
        replayed.conclude(replay)
        made.refresh_from_db()
    return made


def _past(link: Reproduction, case: Case) -> str:
    """Why the case asks this question no longer; empty while it does."""
    status = Status(case.status)
    if link.purpose == Reproduction.Purpose.REPRODUCTION:
        return "" if status in REPLAYED_IN else f"The case is {status.replace('_', ' ')}; no replay goes on."
    fix = facts.newest_fix(case)
    if fix is None or fix.pk != link.remediation_id:
        return "Another fix was recorded after this one. Verify that one."
    if status != Status.RETESTING:
        return f"The case is {status.replace('_', ' ')}; no verification of its fix goes on."
    under_way = facts.running_verification(case, fix)
    return "" if under_way is None else "A verification of this fix is running already."
