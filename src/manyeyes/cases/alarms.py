"""Rings people before a promise is broken, and further up where it was; the researcher is sent nothing by a machine."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from manyeyes import events
from manyeyes.accounts import working
from manyeyes.cases import assignment, people
from manyeyes.cases.access import reporter_ids
from manyeyes.cases.clocks import clocks, taken
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.cases.placing import place
from manyeyes.programs import launch
from manyeyes.rules import alarms, clock
from manyeyes.rules.alarms import Alarm
from manyeyes.rules.lifecycle import TRIAGERS, Role

log = logging.getLogger("manyeyes.alarms")
AT_A_TIME = 500
RUNG = "clock.alarm"
"""The event of one step of one run of a clock; while it stands, that step is never taken again."""


class _NothingDue(Exception):  # noqa: N818 -- no fault: another worker, or a person, was first
    """Between the list and the lock somebody acted."""


def ring() -> int:
    """Take every step that is due now; how many were taken. Any number of workers may call this at once."""
    waiting = Case.objects.filter(alarm_at__lte=clock.now(), key__destroyed_at=None)
    told = 0
    for case in waiting.select_related("program", "policy_version").order_by("alarm_at")[:AT_A_TIME]:
        try:
            told += ring_case(case)
        except Exception:
            log.exception("the alarms of a case failed")  # one case must not silence the others
    return told


def ring_case(case: Case) -> int:
    """Take the steps that are due in one case, each in one transaction with its mails; how many were taken."""
    told = 0
    for _ in range(alarms.STEPS * 2):  # as many clocks as can run at once
        try:
            _step(case)
        except _NothingDue:
            break
        told += 1
    else:
        return told
    with transaction.atomic():
        place(Case.objects.select_for_update().get(pk=case.pk))
    return told


def _step(case: Case) -> None:
    with acting(case, RUNG, by=None, allowed=None) as row:
        rows = list(events.log(row.subject))
        due = alarms.due(clocks(row, log=rows), taken(rows), clock.now())
        if not due:
            raise _NothingDue
        alarm = max(due, key=lambda one: (one.step, one.clock.name))
        told = [person for person in who(row, alarm) if person.email]
        for person in told:
            events.queue_alarm(person.pk, row.ref, f"/desk/cases/{row.ref}/", sender=f"program:{row.program_id}")
        row.note(clock=alarm.clock.name, run=alarms.run_of(alarm.clock), step=alarm.step, due=alarm.clock.due,
                 told=len(told))  # fmt: skip


def at_once(case: Case, *, reason: str) -> None:
    """Ring everybody at work on the program: the flaw is used (`exploited`) or people are harmed (`harmed`) now.

    To be called within the act that says so.
    """
    for person in people.holding(case, TRIAGERS | {Role.TARGET_OWNER}):
        if person.email and person.pk not in reporter_ids(case):
            path = f"/desk/cases/{case.ref}/"
            events.queue_alarm(person.pk, case.ref, path, sender=f"program:{case.program_id}", reason=reason)


def who(case: Case, alarm: Alarm) -> list[Any]:
    """Whom a step rings: those of the steps before, and the next ones up who have not heard of it yet."""
    outside = reporter_ids(case)
    found: dict[Any, Any] = {}
    for rank, rung in enumerate((people.team, backups, _managers, _admins)):
        fresh = {person.pk: person for person in rung(case) if person.pk not in outside and person.pk not in found}
        found |= fresh
        if rank >= alarm.step and fresh and not _all_away(found.values()):
            break
    return list(found.values())


def backups(case: Case) -> list[Any]:
    """Who stands in: for the seats of the case; without any whom the launch checklist names, else who is best now."""
    seats = [seat.discipline for seat in case.seats.all() if seat.person_id is not None]
    named = None if seats else launch.newest(case.program).get("backup")
    if named is not None and named.applies and named.person is not None:
        return [named.person]
    found = (assignment.backup_for(case, discipline) for discipline in seats or [""])
    return [person for person in found if person is not None]


def _managers(case: Case) -> list[Any]:
    return people.holding(case, [Role.PROGRAM_MANAGER])


def _admins(case: Case) -> list[Any]:
    return people.holding(case, [Role.ADMIN])


def _all_away(found: Iterable[Any]) -> bool:
    """Whether nobody of them is there now, so that the next ones up must hear of it."""
    asked = [person.pk for person in found]
    return set(asked) <= set(working.away(asked))
