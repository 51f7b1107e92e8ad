"""The end of a case: resolved by both sides, and the date before which neither publishes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from manyeyes.cases import following, people
from manyeyes.cases.access import is_reporter
from manyeyes.cases.agreed import Embargo
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting, moving
from manyeyes.rules import clock
from manyeyes.rules import embargo as law
from manyeyes.rules.errors import Conflict, IllegalMove
from manyeyes.rules.lifecycle import TRIAGERS, Role

BOTH_SIDES = frozenset(TRIAGERS | {Role.PUBLISHER, Role.REPORTER})


def resolve(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """Mark resolved: the fix was shown to hold, and the researcher agreed or let the window pass."""
    with moving(case, "resolve", by=by, tell=people.everybody(case), expected_version=expected_version) as row:
        row.resolved_at = clock.now()
        following.tell(row, "resolved")
    return case


def propose_embargo(case: Case, *, by: Any, until: datetime) -> Embargo:
    """Propose a date before which neither side publishes; it binds once the other side agrees."""
    law.check_proposal(until)
    side = _side(case, by)
    with acting(
        case, "embargo.proposed", by=by, allowed=BOTH_SIDES, tell=_other_side(case, side), public=True, until=until,
        side=str(side),
    ) as row:  # fmt: skip
        return Embargo.objects.create(
            case=row, until=until, proposed_by=by, proposed_by_reporter=side == law.Side.REPORTER,
            proposed_at=clock.now(),
        )  # fmt: skip


def agree(case: Case, *, by: Any, seen: Embargo | None = None) -> Embargo:
    """Accept the other side's proposal; it takes the place of an earlier date. `seen` is the one that they read."""
    side = _side(case, by)
    with acting(
        case, "embargo.agreed", by=by, allowed=BOTH_SIDES, tell=_other_side(case, side), public=True, side=str(side)
    ) as row:
        rows = list(row.embargoes.all())
        term = law.check_agreement([one.term for one in rows], side)
        proposal = max(rows, key=lambda one: one.proposed_at)
        if seen is not None and seen.pk != proposal.pk:
            raise Conflict("Another date was proposed meanwhile. Look at it first.")
        proposal.agreed_by, proposal.agreed_at = by, clock.now()
        proposal.save()
        row.note(until=term.until)
    return proposal


def proposal_seen(case: Case, named: str) -> Embargo:
    """The proposal that a page showed, by the id it sent along. Raises Conflict for one that is not of this case."""
    try:
        seen = case.embargoes.filter(pk=uuid.UUID(named)).first()
    except ValueError:
        seen = None
    if seen is None:
        raise Conflict("This page does not say which date you accept. Reload it and look at the date first.")
    return seen


def end_embargo(case: Case, *, by: Any) -> Embargo:
    """End the embargo before its date. The team may, because it protects the team; both sides see who did."""
    allowed = {Role.PROGRAM_MANAGER, Role.PUBLISHER}
    with acting(case, "embargo.ended", by=by, allowed=allowed, tell=people.everybody(case), public=True) as row:
        embargo = in_force(row)
        if embargo is None:
            raise IllegalMove("End the embargo. Missing: an embargo in force.", missing=["embargo"])
        embargo.ended_by, embargo.ended_at = by, clock.now()
        embargo.save()
    return embargo


def standing(case: Case, at: datetime | None = None) -> law.Standing:
    """Where the embargo stands, as the rules read it."""
    return law.standing([row.term for row in case.embargoes.all()], at)


def in_force(case: Case, at: datetime | None = None) -> Embargo | None:
    """The embargo that holds at this moment."""
    term = standing(case, at).in_force
    return next((row for row in case.embargoes.all() if term is not None and row.term == term), None)


def open_proposal(case: Case) -> Embargo | None:
    """The proposal that waits for the other side."""
    term = standing(case).proposal
    return next((row for row in case.embargoes.all() if term is not None and row.term == term), None)


def check_publication(case: Case) -> None:
    """Raise EmbargoInForce while an agreed date lies ahead."""
    law.check_publication([row.term for row in case.embargoes.all()])


def _side(case: Case, by: Any) -> law.Side:
    return law.Side.REPORTER if is_reporter(by, case) else law.Side.TEAM


def _other_side(case: Case, side: law.Side) -> list[Any]:
    return people.team(case) if side == law.Side.REPORTER else people.reporter(case)
