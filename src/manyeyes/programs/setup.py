"""Makes a working program in one step; `manyeyes init` and the demo both begin here."""

from __future__ import annotations

import re
import secrets
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.accounts.people import create_account, team_handle
from manyeyes.programs import launch, policy
from manyeyes.programs.access import DISCIPLINE_OF
from manyeyes.programs.models import Membership, Program
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import keyring

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
TEAM_ROLES = tuple(role for role in Role if role not in (Role.REPORTER, Role.SYSTEM))


@transaction.atomic
def create_program(
    *,
    slug: str,
    name: str,
    organisation: str,
    contact_email: str = "",
    summary: str = "",
    zone: str = "UTC",
    languages: str = "en",
    first_response_hours: int = 48,
    members: Mapping[Any, Iterable[Role]] | None = None,
    public: bool = False,
    template: str = "no_bounty",
    sections: Mapping[str, str] | None = None,
) -> Program:
    """A program with its own key, its people, and a policy from a template: published when `public`, else a draft.

    `members` maps a person to roles. Raises Invalid for a field that cannot be used, Conflict for a slug in use.
    """
    _check(slug=slug, name=name, organisation=organisation, contact_email=contact_email, zone=zone)
    if Program.objects.filter(slug=slug).exists():
        raise Conflict(f"There is already a program at /p/{slug}/.")
    program = Program.objects.create(
        key=keyring.new_key("program"),
        slug=slug,
        name=name.strip(),
        organisation=organisation.strip(),
        contact_email=contact_email,
        summary=summary.strip(),
        zone=zone,
        languages=languages,
        first_response_hours=first_response_hours,
        state=Program.State.DRAFT,
    )
    for person, roles in (members or {}).items():
        add_member(program, person, roles)
    policy.draft(program, template, **(sections or {}))
    if public:
        open_program(program, by=next(iter(members or {}), None))
    return program


@transaction.atomic
def open_program(program: Program, *, by: Any = None) -> Program:
    """Open it to the public, with its policy in force: an open draft is published when none was published before.

    Whoever runs the machine may do this without the launch checklist (`programs.launch`); that it was so is on record.
    """
    if program.policy is None:
        policy.publish(policy.draft(program), by=by)
    actor, skipped = by.actor if by is not None else "system", [row.name for row in launch.standing(program).missing]
    events.record(f"program:{program.pk}", launch.PAST, actor=actor, human=by is not None, skipped=skipped)
    Program.objects.filter(pk=program.pk).update(state=Program.State.PUBLIC)
    program.state = Program.State.PUBLIC
    return program


@transaction.atomic
def invite(program: Program, *, email: str, name: str, roles: Iterable[str]) -> tuple[Any, str]:
    """Bring somebody into the team: (person, password to hand over, empty where they had an account already).

    Raises Invalid for an address or a role that cannot be used.
    """
    person = Person.objects.filter(email=email.strip().lower()).first()
    password = ""
    if person is None:
        password = "-".join(secrets.token_hex(2) for _ in range(6))
        handle = team_handle(program.slug)
        person = create_account(email=email, display_name=name, handle=handle, password=password)
    add_member(program, person, [Role(role) for role in roles])
    return person, password


def add_member(program: Program, person: Any, roles: Iterable[Role], disciplines: Iterable[str] = ()) -> Membership:
    """Give `person` these roles, in place of any held before. Raises Invalid for a role that no member can hold."""
    wanted = [Role(role) for role in dict.fromkeys(roles)]
    if not wanted:
        raise Invalid(roles="Choose at least one role.")
    for role in wanted:
        if role not in TEAM_ROLES:
            raise Invalid(roles=f"{role} is not a role of a team; it comes with a report or belongs to the platform.")
    named = sorted({DISCIPLINE_OF[role] for role in wanted if role in DISCIPLINE_OF} | set(disciplines))
    values = {"roles": [str(role) for role in wanted], "disciplines": named}
    return Membership.objects.update_or_create(program=program, person=person, defaults=values)[0]


def _check(*, slug: str, name: str, organisation: str, contact_email: str, zone: str) -> None:
    wrong: dict[str, str] = {}
    if not SLUG.match(slug):
        wrong["slug"] = "Use 1 to 40 lower-case letters, digits and hyphens, for example wicket."
    for field, value in (("name", name), ("organisation", organisation)):
        if not value.strip() or len(value) > 120 or not value.isprintable():
            wrong[field] = "Give 1 to 120 characters on one line."
    if contact_email:
        try:
            validate_email(contact_email)
        except ValidationError:
            wrong["contact_email"] = "This is not an e-mail address."
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        wrong["zone"] = "Use a time zone name such as Europe/Vienna."
    if wrong:
        raise Invalid(wrong)
