"""Lets a case sleep in one person's lists; it wakes at its hour, and sooner when it is late or something is new."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from manyeyes.cases.access import sees_inside
from manyeyes.cases.asleep import Sleep
from manyeyes.cases.models import Case, Message, Reproduction
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed

LONGEST = timedelta(days=90)
WAKES_AT = time(6)
"""The hour of the program's morning at which a case is there again."""


def sleep(case: Case, *, by: Any, until: date) -> Sleep:
    """Put a case out of one's own sight until the morning of a day. Raises Invalid for a day past or too far ahead."""
    if not sees_inside(by, case):
        raise NotAllowed(_("Only who works on a case has it in a list."))
    moment, zone = clock.now(), ZoneInfo(case.program.zone)
    wakes = datetime.combine(until, WAKES_AT, zone).astimezone(UTC)
    if until <= moment.astimezone(zone).date() or wakes > moment + LONGEST:
        raise Invalid(until=_("Give a day from tomorrow to %(days)d days ahead.") % {"days": LONGEST.days})
    values = {"since": moment, "until": wakes}
    return Sleep.objects.update_or_create(case=case, person=by, defaults=values)[0]


def wake(case: Case, *, by: Any) -> None:
    """Have it back at once."""
    Sleep.objects.filter(case=case, person=by).delete()


def until(case: Case, viewer: Any) -> datetime | None:
    """Until when the case sleeps for this viewer; None while it is awake."""
    row = Sleep.objects.filter(asleep_for(viewer), case=case).first()
    return row.until if row else None


def asleep_for(viewer: Any) -> Q:
    """The sleeps of this viewer that hold now: neither over, nor ended by a late clock or by something new."""
    since = OuterRef("since")
    said = Message.objects.filter(case=OuterRef("case"), at__gt=since).exclude(author=viewer)
    measured = Reproduction.objects.filter(case=OuterRef("case"), concluded_at__gt=since)
    late, moved = Q(case__due_at__lt=clock.now()), Q(case__changed_at__gt=F("since")) & ~Q(case__changed_by=viewer)
    return Q(person=viewer, until__gt=clock.now()) & ~late & ~moved & ~Q(Exists(said)) & ~Q(Exists(measured))
