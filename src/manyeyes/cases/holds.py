"""A legal hold: two people keep a case, and what its reporter said about themselves, from being destroyed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.cases import people
from manyeyes.cases.conversation import checked
from manyeyes.cases.guarded import LegalHold
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.vault.models import DataKey

HOLDERS = frozenset({Role.PROGRAM_MANAGER, Role.ADMIN})
READERS = HOLDERS | {Role.AUDITOR}
"""Who reads the reasons; that a hold stands is seen by everybody on the case."""
WHY_LONGEST = 5_000


def standing(case: Case) -> LegalHold | None:
    """The hold that is proposed or in force."""
    return LegalHold.objects.filter(case=case, ended_at=None).select_related("key").first()


def is_held(case: Case) -> bool:
    """Whether nothing of the case may be destroyed now."""
    return DataKey.objects.filter(pk=case.key_id, held_at__isnull=False).exists()


def ended(case: Case) -> list[LegalHold]:
    """The holds that were, the newest first."""
    return list(LegalHold.objects.filter(case=case, ended_at__isnull=False).select_related("key").reverse())


def propose(case: Case, *, by: Any, why: str) -> LegalHold:
    """Ask for a hold; it holds once another person places it. Raises Conflict where one stands already."""
    clean = checked("why", why, longest=WHY_LONGEST)
    try:
        with _acting(case, "hold.proposed", by):
            row = LegalHold(key=case.key, case=case, why=clean, proposed_by=by)
            with transaction.atomic():
                row.save()
    except IntegrityError:
        raise Conflict(_("A hold stands or is proposed already. Look again.")) from None
    return row


def place(hold: LegalHold, *, by: Any) -> None:
    """The second person says yes: from now on nothing is destroyed."""
    with _acting(hold.case, "hold.placed", by):
        row = _waiting(hold, by=by, lift=False)
        row.placed_by, row.placed_at = by, clock.now()
        row.save()
        DataKey.objects.filter(pk=row.case.key_id).update(held_at=row.placed_at)
        follow([row.case.reporter])


def propose_lift(hold: LegalHold, *, by: Any, why: str) -> None:
    """Ask for the end of a hold."""
    clean = checked("why", why, longest=WHY_LONGEST)
    with _acting(hold.case, "hold.lift_proposed", by):
        row = _locked(hold)
        if row.placed_at is None or row.lift_at is not None:
            raise Conflict(_("This was proposed already, or the hold is not in force. Look again."))
        row.lift_by, row.lift_at, row.lift_why = by, clock.now(), clean
        row.save()


def lift(hold: LegalHold, *, by: Any) -> None:
    """The second person says yes: what is under the hold may be destroyed again."""
    with _acting(hold.case, "hold.lifted", by):
        row = _waiting(hold, by=by, lift=True)
        row.ended_by, row.ended_at = by, clock.now()
        row.save()
        DataKey.objects.filter(pk=row.case.key_id).update(held_at=None)
        follow([row.case.reporter])


def refuse(hold: LegalHold, *, by: Any) -> None:
    """Turn a proposal down, or take one's own back: no hold is placed, or the one in force stays."""
    with _acting(hold.case, "hold.refused", by):
        row = _locked(hold)
        if row.asker is None:
            raise Conflict(_("Nothing waits for an answer any more. Look again."))
        if row.placed_at is None:
            row.ended_by, row.ended_at = by, clock.now()
        else:
            row.lift_by = row.lift_at = row.lift_why = None
        row.save()


def follow(persons: Iterable[Any]) -> None:
    """Hold what these people said about themselves for as long as one of their cases is held."""
    for person in persons:
        ownkey.hold(person, held=Case.objects.filter(reporter=person, key__held_at__isnull=False).exists())


def _acting(case: Case, act: str, by: Any) -> Any:
    return acting(case, act, by=by, allowed=HOLDERS, tell=people.holding(case, HOLDERS))


def _locked(hold: LegalHold) -> LegalHold:
    row = LegalHold.objects.select_for_update(of=("self",)).select_related("key", "case").get(pk=hold.pk)
    if row.ended_at is not None:
        raise Conflict(_("This hold has ended. Look again."))
    return row


def _waiting(hold: LegalHold, *, by: Any, lift: bool) -> LegalHold:
    row = _locked(hold)
    if row.asker is None or (row.placed_at is not None) is not lift:
        raise Conflict(_("Nothing waits for an answer any more. Look again."))
    if row.asker == by:
        raise NotAllowed(_("You proposed this, so another person confirms it: a manager or an admin of the program."))
    return row
