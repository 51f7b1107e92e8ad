"""Who is to be told about a case: its researcher, the people working on it, or those who could."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases.access import sees_inside
from manyeyes.cases.models import Case, CoReporter
from manyeyes.programs.access import disciplines_in
from manyeyes.programs.models import Membership
from manyeyes.rules.lifecycle import Role

FIRST_RESPONDERS = frozenset({Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.PROGRAM_MANAGER})


def reporter(case: Case) -> list[Any]:
    """The researcher of the case, and those who report it with them."""
    further = CoReporter.objects.filter(case=case, accepted_at__isnull=False, ended_at__isnull=True)
    return [case.reporter, *(row.person for row in further.select_related("person"))]


def holding(case: Case, roles: Iterable[Role]) -> list[Any]:
    """The members of the program who hold one of these roles, oldest member first."""
    wanted = {str(role) for role in roles}
    rows = Membership.objects.filter(program_id=case.program_id).select_related("person").order_by("created_at")
    return [row.person for row in rows if wanted & set(row.roles)]


def team(case: Case) -> list[Any]:
    """The people at work on the case (lead, seats, owner); while nobody is, everybody who could be first to answer."""
    seats = [seat.person for seat in case.seats.select_related("person") if seat.person_id is not None]
    at_work = [person for person in (case.assignee, *seats, case.owner) if person is not None]
    return at_work or holding(case, FIRST_RESPONDERS)


def of_discipline(program_id: Any, discipline: str) -> list[Any]:
    """The members who may sign off for a discipline, oldest member first."""
    rows = Membership.objects.filter(program_id=program_id).select_related("person").order_by("created_at")
    return [row.person for row in rows if discipline in disciplines_in(row)]


def triagers(case: Case) -> list[Any]:
    """Everybody who may sign off."""
    return holding(case, (Role.SECURITY_TRIAGER, Role.ML_TRIAGER))


def everybody(case: Case) -> list[Any]:
    """Both sides."""
    return [*reporter(case), *team(case)]


def following(case: Case) -> list[Any]:
    """The people of the team who asked for mail about this case and may still see it."""
    asked = events.followers(case.ref)
    return [person for person in Person.objects.filter(pk__in=asked) if sees_inside(person, case)] if asked else []
