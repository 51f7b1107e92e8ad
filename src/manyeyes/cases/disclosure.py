"""The end of a case: resolved by both sides, and the date before which neither publishes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from manyeyes.cases import people
from manyeyes.cases.models import Case, Embargo
from manyeyes.cases.moves import acting, moving
from manyeyes.rules import clock
from manyeyes.rules.errors import IllegalMove, Invalid, NotAllowed
from manyeyes.rules.lifecycle import TRIAGERS, Role

TEAM_SIDE = frozenset(TRIAGERS | {Role.PUBLISHER})


def resolve(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """Mark resolved: the fix was shown to hold, and the researcher agreed or let the window pass."""
    with moving(case, "resolve", by=by, tell=people.everybody(case), expected_version=expected_version) as row:
        row.resolved_at = clock.now()
    return case


def propose_embargo(case: Case, *, by: Any, until: datetime) -> Embargo:
    """Propose a date before which neither side publishes; it binds once the other side agrees."""
    if until.tzinfo is None:
        raise Invalid(until="Give the date with its time zone.")
    if until <= clock.now():
        raise Invalid(until="The date has passed. Choose one that lies ahead.")
    from_reporter = by.pk == case.reporter_id
    tell = people.team(case) if from_reporter else people.reporter(case)
    with acting(
        case, "embargo.proposed", by=by, allowed=TEAM_SIDE | {Role.REPORTER}, tell=tell, public=True,
        until=until.isoformat(), side="reporter" if from_reporter else "team",
    ) as row:  # fmt: skip
        return Embargo.objects.create(
            case=row, until=until, proposed_by=by, proposed_by_reporter=from_reporter, proposed_at=clock.now()
        )


def agree(case: Case, *, by: Any) -> Embargo:
    """Accept the other side's proposal; it takes the place of an earlier date."""
    proposal = open_proposal(case)
    if proposal is None:
        raise IllegalMove("Agree to the date. Missing: a proposal.", missing=["proposal"])
    from_reporter = by.pk == case.reporter_id
    if proposal.proposed_by_reporter == from_reporter:
        raise NotAllowed("The other side accepts a proposal.")
    tell = people.team(case) if from_reporter else people.reporter(case)
    with acting(
        case, "embargo.agreed", by=by, allowed=TEAM_SIDE | {Role.REPORTER}, tell=tell, public=True,
        until=proposal.until.isoformat(), side="reporter" if from_reporter else "team",
    ):  # fmt: skip
        proposal.agreed_by, proposal.agreed_at = by, clock.now()
        proposal.save()
    return proposal


def end_embargo(case: Case, *, by: Any) -> Embargo:
    """End the embargo before its date. The team may, because it protects the team; both sides see who did."""
    embargo = in_force(case)
    if embargo is None:
        raise IllegalMove("End the embargo. Missing: an embargo in force.", missing=["embargo"])
    allowed = {Role.PROGRAM_MANAGER, Role.PUBLISHER}
    with acting(case, "embargo.ended", by=by, allowed=allowed, tell=people.everybody(case), public=True):
        embargo.ended_by, embargo.ended_at = by, clock.now()
        embargo.save()
    return embargo


def in_force(case: Case, at: datetime | None = None) -> Embargo | None:
    """The embargo that holds at this moment: the one agreed last, unless it is over."""
    moment = at or clock.now()
    agreed = max((row for row in case.embargoes.all() if row.agreed_at), key=lambda row: row.agreed_at, default=None)
    if agreed is None or agreed.ended_at is not None or agreed.until <= moment:
        return None
    return agreed


def open_proposal(case: Case) -> Embargo | None:
    """The newest proposal that nobody has accepted yet."""
    newest = max(case.embargoes.all(), key=lambda row: row.proposed_at, default=None)
    return newest if newest is not None and newest.agreed_at is None and newest.ended_at is None else None
