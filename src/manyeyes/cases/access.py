"""The only way to rows of cases for a face: what a viewer may not see does not exist for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from manyeyes.cases.models import Attachment, Case, CoReporter, Reproduction
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Membership, Program
from manyeyes.rules import reference
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.rules.lifecycle import Role

WHOLE_PROGRAM = frozenset(
    {Role.SECURITY_TRIAGER, Role.ML_TRIAGER, Role.PROGRAM_MANAGER, Role.AUDITOR, Role.ADMIN},
)
"""Roles that see every case of their program."""

ABSENT = "There is nothing here."


def visible_to(viewer: Any, program: Program | None = None) -> QuerySet[Case]:
    """The cases this viewer may know of: their own reports, and what their roles in a program open to them."""
    if not _signed_in(viewer):
        return Case.objects.none()
    return _of(program).filter(_reported(viewer) | opened_to(viewer))


def desk_of(viewer: Any, program: Program | None = None, *, by: str = "program_id") -> QuerySet[Case]:
    """The cases the viewer works on: as `visible_to`, without reports of their own that their roles do not open.

    `by` names another column that holds the program, where a list is sorted by columns that stand beside that one.
    """
    return _of(program, by).filter(opened_to(viewer, by)) if _signed_in(viewer) else Case.objects.none()


def reported_by(viewer: Any) -> QuerySet[Case]:
    """The viewer's own reports, newest first."""
    rows = _of(None).filter(_reported(viewer)) if _signed_in(viewer) else Case.objects.none()
    return rows.order_by("-created_at")


def is_reporter(person: Any, case: Case) -> bool:
    """Whether somebody sent the report or is a further reporter of it who accepted."""
    if person is None or person.pk is None:
        return False
    return bool(person.pk == case.reporter_id or _accepted(person).filter(case=case).exists())


def reporter_ids(case: Case) -> frozenset[UUID]:
    """The ids of all reporters of a case."""
    accepted = CoReporter.objects.filter(case=case, accepted_at__isnull=False, ended_at__isnull=True)
    return frozenset({case.reporter_id, *accepted.values_list("person_id", flat=True)})


def _accepted(person: Any) -> QuerySet[CoReporter]:
    return CoReporter.objects.filter(person_id=person.pk, accepted_at__isnull=False, ended_at__isnull=True)


def _reported(viewer: Any) -> Q:
    # Read beforehand and not as part of the query: what is hidden and what is absent must take the same time.
    further = list(_accepted(viewer).values_list("case_id", flat=True))
    return Q(reporter=viewer) | Q(pk__in=further) if further else Q(reporter=viewer)


def _signed_in(viewer: Any) -> bool:
    return viewer is not None and bool(getattr(viewer, "is_authenticated", False))


def _of(program: Program | None, by: str = "program_id") -> QuerySet[Case]:
    # A case whose key was destroyed is not there any more: what is left of it is counted and chained, never shown.
    rows = Case.objects.filter(key__destroyed_at=None)
    return rows if program is None else rows.filter(**{by: program.pk})


def opened_to(viewer: Any, by: str = "program_id", case: str = "") -> Q:
    """What the roles of a signed-in viewer open, as a condition on a table that names the program `by`.

    `case` is the way from that table to the case ("case__"), empty for cases themselves.
    """
    allowed = Q(pk__in=[])
    for membership in Membership.objects.filter(person=viewer):
        allowed |= _opened_by(viewer, membership, by, case)
    return allowed


def _opened_by(viewer: Any, membership: Membership, by: str, case: str) -> Q:
    roles = {Role(name) for name in membership.roles}
    here = Q(**{by: membership.program_id})
    if roles & WHOLE_PROGRAM:
        return here
    opened = Q(pk__in=[])
    if Role.TARGET_OWNER in roles:
        opened |= here & (Q(**{f"{case}target__owner": viewer}) | Q(**{f"{case}owner": viewer}))
    if Role.PUBLISHER in roles:
        opened |= here & Q(**{f"{case}confirmed_at__isnull": False})
    return opened


def case_for(viewer: Any, ref: str) -> Case:
    """The case behind a reference. Raises NotFound, the same for absent and for forbidden, after the same query."""
    rows = visible_to(viewer).select_related("key", "program", "target", "reporter")
    row = rows.filter(ref=_meant(ref)).first()
    if row is None:
        raise NotFound(ABSENT)
    return row


def _meant(ref: str) -> str:
    """The reference in our spelling; what is none becomes one that no case has, so that the work stays the same."""
    try:
        return reference.normalise(ref)
    except Invalid:
        return "ME-0000-0000"


def reproduction_for(viewer: Any, replay_id: UUID) -> Reproduction:
    """The link between a case and a replay. The researcher sees it once it is published to them. Raises NotFound."""
    link = (
        Reproduction.objects.filter(replay_id=replay_id, case__in=visible_to(viewer))
        .select_related("case", "case__key", "case__program", "case__target", "replay")
        .first()
    )
    if link is None or (link.published_at is None and not sees_inside(viewer, link.case)):
        raise NotFound(ABSENT)
    return link


def attachment_for(viewer: Any, attachment_id: UUID) -> Attachment:
    """A file of a case the viewer may see; files of internal messages are the team's. Raises NotFound."""
    row = (
        Attachment.objects.filter(pk=attachment_id, case__in=visible_to(viewer))
        .select_related("case", "stored")
        .first()
    )
    if row is None or (not row.public and not sees_inside(viewer, row.case)):
        raise NotFound(ABSENT)
    return row


def roles_in(person: Any, case: Case) -> frozenset[Role]:
    """What a person is to a case, as a member of its program now; whoever left it is nothing but a reporter here.

    None is the platform itself. Target owners count for their own targets and fixes, publishers once it is confirmed.
    """
    if person is None:
        return frozenset({Role.SYSTEM})
    roles = set(roles_of(person, case.program)) - {Role.REPORTER, Role.SYSTEM}
    if Role.TARGET_OWNER in roles and person.pk not in (case.owner_id, case.target.owner_id):
        roles.discard(Role.TARGET_OWNER)
    if Role.PROGRAM_MANAGER in roles and person.pk == case.owner_id:
        roles.add(Role.TARGET_OWNER)
    if case.confirmed_at is None:
        roles.discard(Role.PUBLISHER)
    if is_reporter(person, case):
        roles.add(Role.REPORTER)
    return frozenset(roles)


def sees_inside(viewer: Any, case: Case) -> bool:
    """Whether the viewer reads what is internal to the team."""
    return _signed_in(viewer) and bool(roles_in(viewer, case) - {Role.REPORTER, Role.FINANCE})
