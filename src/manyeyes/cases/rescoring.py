"""New evidence would change a score: the platform proposes, a person accepts or declines with a reason."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_rating
from manyeyes.cases.judged import Rating, Rescoring
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.severity import REASON_LONGEST, at_the_rated, store
from manyeyes.rules import clock
from manyeyes.rules import severity as scale
from manyeyes.rules.errors import Conflict, NotFound
from manyeyes.rules.lifecycle import TRIAGERS


def propose(link: Reproduction) -> Rescoring | None:
    """After a reproduction: if it counted otherwise than the standing rating says, propose the score it gives.

    Nothing changes by it. Once for each rating and replay.
    """
    case, rating = link.case, newest_rating(link.case)
    counts = link.purpose == Reproduction.Purpose.REPRODUCTION and link.verdict == "reproduced"
    found = at_the_rated(link) if counts else None
    if rating is None or found is None or rating.replay_id == link.replay_id or rating.parsed.observed == found:
        return None
    if Rescoring.objects.filter(rating=rating, replay_id=link.replay_id).exists():
        return None
    was = rating.parsed
    vector = scale.build(was.letters, observed=found, retry_budget=was.retry_budget, rubric=was.rubric)
    row = Rescoring(rating=rating, replay_id=link.replay_id, vector=str(vector), at=clock.now())
    with acting(
        case, "rescoring.proposed", by=None, allowed=None, tell=people.triagers(case), rescoring=str(row.pk),
        rating=str(rating.pk), vector=row.vector,
    ) as locked:  # fmt: skip
        row.case, row.key = locked, locked.key
        row.save()
    return row


def waiting(case: Case) -> list[Rescoring]:
    """The proposals about the standing rating that nobody has decided, oldest first."""
    rating = newest_rating(case)
    if rating is None:
        return []
    return list(case.rescorings.filter(rating=rating, accepted__isnull=True).order_by("at"))


def one(case: Case, rescoring_id: uuid.UUID) -> Rescoring:
    """A proposal of this case. Raises NotFound."""
    row = case.rescorings.filter(pk=rescoring_id).first()
    if row is None:
        raise NotFound
    return row


@transaction.atomic
def decide(row: Rescoring, *, by: Any, accept: bool, why: str) -> Rating | None:
    """Accept the new score (a rating in the decider's name, under the rubric of the old one) or decline; with a reason.

    Raises Conflict where it was decided, or another rating stands by now.
    """
    case, said = row.case, checked("why", why, longest=REASON_LONGEST)
    with acting(
        case, "rescoring.decided", by=by, allowed=TRIAGERS, tell=people.triagers(case), rescoring=str(row.pk),
        accepted=accept, said=said,
    ) as locked:  # fmt: skip
        fresh = Rescoring.objects.select_for_update().get(pk=row.pk)
        standing = newest_rating(locked)
        if fresh.accepted is not None:
            raise Conflict(_("This was decided meanwhile. Look at the case again."))
        if standing is None or standing.pk != fresh.rating_id:
            raise Conflict(_("The case was rated anew meanwhile. Look at the new rating first."))
        fresh.accepted, fresh.why, fresh.decided_by, fresh.decided_at = accept, said, by, clock.now()
        fresh.save()
    row.refresh_from_db()
    return _accepted(case, row, standing, by=by, why=said) if accept else None


def _accepted(case: Case, row: Rescoring, was: Rating, *, by: Any, why: str) -> Rating:
    new = Rating(
        reasons=dict(was.reasons), method=was.method, budget_source=was.budget_source, cvss=was.cvss,
        replay_id=row.replay_id,
    )  # fmt: skip
    vector = scale.parse(row.vector, was.rubric)
    return store(case, new, vector, was.rubric_version, by=by, why=why)
