"""What needs a person today, in groups, and one mail a morning that says no more: only when something does."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases import lists
from manyeyes.cases.access import desk_of
from manyeyes.cases.models import Case
from manyeyes.cases.people import FIRST_RESPONDERS
from manyeyes.cases.seats import Seat
from manyeyes.programs.models import Membership
from manyeyes.rules import clock
from manyeyes.rules.calendars import known_zone

log = logging.getLogger("manyeyes.digests")
SENT = "digest.sent"
PATH = "/desk/today/"
HOURS = range(7, 10)
"""The hours of the reader's own morning in which the mail goes out; later it would only repeat the alarms."""
SATURDAY = 5
SHOWN = 20
"""So many cases of each group are named; the list behind it holds them all."""
GROUPS: dict[str, Any] = {
    "late": _("A promise is broken"),
    "today": _("A promise ends within a day"),
    "sign": _("Waits for your discipline's word"),
    "look": _("A replay is done and waits for a look"),
}


@dataclass(frozen=True, kw_only=True)
class Group:
    """One reason, the cases it holds by their next clock, and the view of the queue that shows the rest."""

    name: str
    label: Any
    cases: Sequence[Case]
    view: str


def today(person: Any) -> list[Group]:
    """What needs this person now; a case stands once, under the gravest reason."""
    now = clock.now()
    mine = desk_of(person).filter(_with(person))
    found = {
        "late": (mine.filter(due_at__lt=now).order_by("due_at", "pk"), "late"),
        "today": (mine.filter(due_at__gte=now, due_at__lte=now + timedelta(days=1)).order_by("due_at", "pk"), "mine"),
        "sign": (lists.cases(person, view="needs_me"), "needs_me"),
        "look": (lists.cases(person, view="replay_finished").filter(_with(person)), "replay_finished"),
    }
    groups, seen = [], set()
    for name, (rows, view) in found.items():
        fresh = [case for case in rows[: SHOWN * 2] if case.pk not in seen][:SHOWN]
        seen |= {case.pk for case in fresh}
        if fresh:
            groups.append(Group(name=name, label=GROUPS[name], cases=fresh, view=view))
    return groups


def send() -> int:
    """Queue the mail of this morning for everybody whom something needs and who has not had it; how many."""
    sent = 0
    for person in Person.objects.filter(is_active=True, wants_mail=True, memberships__isnull=False).distinct():
        try:
            sent += bool(person.email) and _send(person)
        except Exception:
            log.exception("a digest failed")  # one person must not silence the others
    return sent


def _send(person: Any) -> bool:
    here = clock.now().astimezone(ZoneInfo(person.zone if known_zone(person.zone) else "UTC"))
    if here.hour not in HOURS or _of_day(_newest(person), here):
        return False
    groups = today(person)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)  # two workers at once: the second sees the first's event
        before = _newest(person)
        if _of_day(before, here) or not _worth_it(groups, before, here):
            return False
        events.record(person.actor, SENT, actor="system", day=f"{here:%Y-%m-%d}", held=_marks(groups))
        events.queue_digest(person.pk, PATH)
    return True


def _worth_it(groups: Sequence[Group], before: Any, here: datetime) -> bool:
    """Whether it says something that is urgent, or on a working day something that the one before did not."""
    if any(group.name in ("late", "today") for group in groups):
        return True
    known = set(before.data["held"]) if before is not None else set()
    return here.weekday() < SATURDAY and not set(_marks(groups)) <= known


def _newest(person: Any) -> Any:
    return events.log(person.actor).filter(kind=SENT).last()


def _of_day(event: Any, here: datetime) -> bool:
    return event is not None and event.data["day"] == f"{here:%Y-%m-%d}"


def _marks(groups: Iterable[Group]) -> list[str]:
    """What a digest held, so that the next one can tell what is new: a few signs of each, which name nothing."""
    held = [f"{group.name}:{case.pk}" for group in groups for case in group.cases]
    return sorted(hashlib.sha256(one.encode()).hexdigest()[:8] for one in held)[:40]


def _with(person: Any) -> Q:
    """With this person, or with nobody where they could be first to answer."""
    wanted = {str(role) for role in FIRST_RESPONDERS}
    first = [row.program_id for row in Membership.objects.filter(person=person) if wanted & set(row.roles)]
    seats = Seat.objects.filter(Q(person=person) | Q(backup=person)).values("case")
    return Q(assignee=person) | Q(owner=person) | Q(pk__in=seats) | Q(program__in=first, assignee=None)
