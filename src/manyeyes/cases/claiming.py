"""A report that was sent with a receipt is taken into an account by whoever knows its digits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import leaving
from manyeyes.accounts.models import Person
from manyeyes.cases import coreporters, holds, people, senders
from manyeyes.cases.models import Case, CoReporter
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, NotAllowed
from manyeyes.vault import tokens


@transaction.atomic
def claim(bearer: Person, *, by: Any, end_receipt: bool) -> list[Case]:
    """Make the account `by` the reporter of everything that `bearer`, proved by the digits, reported.

    The bearer stays a further reporter, so that what they said before is still the reporter's word; with
    `end_receipt` the digits open nothing any more.
    """
    if by.kind != Person.Kind.ACCOUNT:
        raise NotAllowed(_("A report is taken into an account. Sign in with yours, then claim it."))
    if bearer.kind != Person.Kind.RECEIPT:
        raise Conflict(_("These digits lead to no receipt."))
    cases = list(Case.objects.filter(reporter=bearer).select_related("key", "program"))
    for case in cases:
        _hand_over(case, bearer, by)
        holds.follow([bearer, by])
    for row in CoReporter.objects.filter(person=bearer, accepted_at__isnull=False, ended_at__isnull=True):
        if row.case not in cases:
            _join(row.case, by, invited_by=row.invited_by)
    if end_receipt:
        leaving.end_receipt(bearer)
    return cases


def bearers(case: Case, person: Any) -> set[UUID]:
    """Whose receipts led to this case before `person` claimed it: the same human, under an earlier id."""
    rows = CoReporter.objects.filter(case=case, invited_by=person, person__kind=Person.Kind.RECEIPT)
    return {row.person_id for row in rows if row.person_id and row.locator == _claimed(case, row.person_id)}


def beside(case: Case) -> list[CoReporter]:
    """Who else was named as a reporter, accepted or not; a receipt that the reporter claimed is nobody else."""
    same = bearers(case, case.reporter)
    return [row for row in coreporters.standing(case) if row.person_id not in same]


def _claimed(case: Case, person_id: UUID) -> str:
    return tokens.keyed("co-reporter", f"claimed:{case.pk}:{person_id}")


def _hand_over(case: Case, bearer: Person, by: Any) -> None:
    with acting(
        case, "receipt.claimed", by=bearer, allowed=None, public=True, side="reporter", tell=people.team(case),
        to=by.actor,
    ) as row:  # fmt: skip
        if row.reporter_id != bearer.pk:
            raise Conflict(_("This report was claimed a moment ago."))
        CoReporter.objects.filter(case=row, person=by, ended_at__isnull=True).update(ended_at=clock.now())
        _join(row, bearer, invited_by=by)
        row.reporter = by
        senders.hand_over(row, by)


def _join(case: Case, person: Any, *, invited_by: Any) -> None:
    moment = clock.now()
    standing = CoReporter.objects.filter(case=case, person=person, accepted_at__isnull=False, ended_at__isnull=True)
    if not standing.exists():
        CoReporter(
            case=case, key=case.key, person=person, invited_by=invited_by, invited_at=moment, accepted_at=moment,
            locator=_claimed(case, person.pk),
        ).save()  # fmt: skip
