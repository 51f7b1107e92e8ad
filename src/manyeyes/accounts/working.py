"""Saying how one works, and asking it of others: capacity, declined hazards, keys, absences."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.accounts.at_work import Absence, AtWork
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.rules.permits import HAZARDS

MOST = 999
LONGEST_ABSENCE = timedelta(days=366)
MOST_ABSENCES = 50


def of(person: Any) -> AtWork:
    """What somebody said; where they said nothing, a row that is not stored."""
    row = AtWork.objects.filter(person_id=person.pk).select_related("key").first()
    return row if row is not None else AtWork(person_id=person.pk)


def declines(person: Any) -> frozenset[str]:
    """The hazard classes that somebody will not view."""
    return frozenset(of(person).declines or ())


def keys_of(person: Any) -> str:
    """How single keys act for somebody: on, alt or off."""
    if getattr(person, "pk", None) is None:
        return str(AtWork.Keys.ON)
    chosen = AtWork.objects.filter(person_id=person.pk).values_list("keys", flat=True).first()
    return str(chosen or AtWork.Keys.ON)


@transaction.atomic
def say(
    person: Any,
    *,
    most_cases: int | None = None,
    hours_a_week: int | None = None,
    declined: Iterable[str] = (),
    keys: str | None = None,
) -> AtWork:
    """Store how somebody works. `keys` None leaves them as they are. Raises Invalid naming the field."""
    chosen = sorted(set(declined))
    wrong = {
        name: _("Give a whole number from 0 to %(most)s, or nothing.") % {"most": MOST}
        for name, value in (("most_cases", most_cases), ("hours_a_week", hours_a_week))
        if value is not None and not 0 <= value <= MOST
    }
    if not set(chosen) <= set(HAZARDS):
        wrong["declined"] = _("Choose among the kinds of content that are listed.")
    if keys is not None and keys not in AtWork.Keys.values:
        wrong["keys"] = _("Choose how keys act.")
    if wrong:
        raise Invalid(wrong)
    own = ownkey.of(person)
    row = AtWork.objects.filter(person_id=person.pk).first() or AtWork(person_id=person.pk, key=own)
    row.most_cases, row.hours_a_week, row.declines = most_cases, hours_a_week, chosen or None
    row.keys = keys if keys is not None else row.keys
    row.save()
    return row


def away(people: Collection[Any], *, at: datetime | None = None) -> dict[UUID, Absence]:
    """Who of these people is away at a moment (default: now), with the absence that ends last."""
    moment = clock.now() if at is None else at
    near = (moment - timedelta(days=2)).date(), (moment + timedelta(days=2)).date()
    rows = Absence.objects.filter(person__in=people, first_day__lte=near[1], last_day__gte=near[0])
    return {row.person_id: row for row in rows.order_by("last_day") if row.covers(moment)}


def absences(person: Any) -> list[Absence]:
    """Absences that have not ended long ago, the next first."""
    return list(Absence.objects.filter(person_id=person.pk, last_day__gte=(clock.now() - timedelta(days=31)).date()))


def note_absence(person: Any, *, by: Any, first_day: date, last_day: date, zone: str) -> Absence:
    """Say that somebody will be away. Raises Invalid naming the field."""
    wrong: dict[str, str] = {}
    if last_day < first_day:
        wrong["last_day"] = _("The last day comes before the first.")
    elif last_day - first_day > LONGEST_ABSENCE:
        wrong["last_day"] = _("One absence lasts a year at most.")
    elif last_day < clock.now().date() - timedelta(days=1):
        wrong["last_day"] = _("These days are over.")
    if zone not in zoneinfo.available_timezones():
        wrong["zone"] = _("Choose a time zone.")
    if Absence.objects.filter(person_id=person.pk).count() >= MOST_ABSENCES:
        wrong.setdefault("first_day", _("Too many absences are noted. Remove some that are over."))
    if wrong:
        raise Invalid(wrong)
    return Absence.objects.create(person_id=person.pk, first_day=first_day, last_day=last_day, zone=zone, noted_by=by)


def drop_absence(person: Any, absence_id: UUID) -> None:
    """Take an absence back. Raises NotFound."""
    if not Absence.objects.filter(person_id=person.pk, pk=absence_id).delete()[0]:
        raise NotFound


def all_of(person: Any) -> dict[str, Any]:
    """Everything that somebody said about their work, as data that JSON can hold."""
    row, days = of(person), Absence.objects.filter(person_id=person.pk)
    return {
        "most_cases": row.most_cases, "hours_a_week": row.hours_a_week, "keys": row.keys,
        "declines": list(row.declines or []),
        "absences": [{"first_day": one.first_day, "last_day": one.last_day, "zone": one.zone} for one in days],
    }  # fmt: skip


def forget(person: Any) -> None:
    """Remove what somebody said about their work."""
    AtWork.objects.filter(person_id=person.pk).delete()
    Absence.objects.filter(person_id=person.pk).delete()
