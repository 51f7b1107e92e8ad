"""Who somebody is to a program, and which programs they may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from manyeyes.programs.invited import Guest
from manyeyes.programs.models import Membership, Program
from manyeyes.rules.errors import NotFound
from manyeyes.rules.lifecycle import Role

OPEN = (Program.State.PUBLIC, Program.State.PAUSED)
"""States in which everybody may look at a program."""

DISCIPLINE_OF: dict[Role, str] = {Role.SECURITY_TRIAGER: "security", Role.ML_TRIAGER: "ml"}


def roles_of(person: Any, program: Program) -> frozenset[Role]:
    """The roles that `person` holds in `program`; none for strangers and for people who are not signed in."""
    membership = _membership(person, program)
    return frozenset(Role(role) for role in membership.roles) if membership else frozenset()


def disciplines_of(person: Any, program: Program) -> frozenset[str]:
    """The disciplines ("security", "ml") a person may sign off for: those of their roles and those given by name."""
    membership = _membership(person, program)
    return disciplines_in(membership) if membership is not None else frozenset()


def disciplines_in(membership: Membership) -> frozenset[str]:
    """The disciplines that a membership lets somebody sign off for."""
    by_role = {DISCIPLINE_OF[Role(role)] for role in membership.roles if Role(role) in DISCIPLINE_OF}
    return frozenset(by_role | set(membership.disciplines))


def programs_of(person: Any) -> QuerySet[Program]:
    """The programs in which a person holds any role."""
    if getattr(person, "pk", None) is None:
        return Program.objects.none()
    return Program.objects.filter(memberships__person_id=person.pk).exclude(memberships__roles=[]).distinct()


def visible_to(person: Any) -> QuerySet[Program]:
    """The programs a person may look at: those open to the public, those they work in or were invited to."""
    mine = Q(pk__in=programs_of(person).values("pk"))
    invited = Q(pk__in=_invited_to(person)) & ~Q(state=Program.State.DRAFT)
    return Program.objects.filter(Q(state__in=OPEN) | mine | invited)


def sees(person: Any, program: Program) -> bool:
    """Whether a person may look at this program."""
    return program.state in OPEN or visible_to(person).filter(pk=program.pk).exists()


def program_for(person: Any, slug: str) -> Program:
    """The program of this slug. Raises NotFound when there is none or `person` may not know of it."""
    program = visible_to(person).filter(slug=slug).first()
    if program is None:
        raise NotFound("There is no such program.")
    return program


def members_with(program: Program, role: Role) -> list[Any]:
    """The people who hold `role` in `program`, oldest member first."""
    rows = Membership.objects.filter(program=program).select_related("person").order_by("created_at")
    return [row.person for row in rows if str(role) in row.roles]


def _invited_to(person: Any) -> list[Any]:
    # Read beforehand and not as part of the query: what is hidden and what is absent must take the same time.
    if getattr(person, "pk", None) is None:
        return []
    standing = Guest.objects.filter(person_id=person.pk, accepted_at__isnull=False, ended_at__isnull=True)
    return list(standing.values_list("program_id", flat=True))


def _membership(person: Any, program: Program) -> Membership | None:
    if getattr(person, "pk", None) is None:
        return None
    return Membership.objects.filter(program=program, person_id=person.pk).first()
