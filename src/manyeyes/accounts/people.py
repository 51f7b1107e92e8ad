"""Making accounts that are ready to sign in, for `init`, invitations and the demo, and what people change of theirs."""

from __future__ import annotations

import re

from allauth.account.models import EmailAddress
from django.db import transaction

from manyeyes.accounts import mailable
from manyeyes.accounts.models import Person, make_handle
from manyeyes.rules import names
from manyeyes.rules.errors import Invalid


def create_account(
    *, email: str, display_name: str = "", handle: str = "", password: str | None = None, verified: bool = True
) -> Person:
    """An account whose address counts as confirmed. Raises Invalid naming the field."""
    email = email.strip().lower()
    handle = handle.strip() or make_handle()
    problems: dict[str, str] = {}
    if not mailable.can_be_mailed(email):
        problems["email"] = "is not a mail address; write it like name@example.org."
    problems |= _name_problems(handle, display_name)
    if not problems and Person.objects.filter(email=email).exists():
        problems["email"] = "belongs to another account."
    if not problems and Person.objects.filter(handle__iexact=handle).exists():
        problems["handle"] = "is taken; choose another."
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        person = Person.objects.create_person(
            email=email, password=password, handle=handle, display_name=display_name.strip()
        )
        EmailAddress.objects.create(user=person, email=email, verified=verified, primary=True)
    return person


def team_handle(slug: str) -> str:
    """A free handle for somebody of a team who has not chosen one: of the program, since they are no researcher."""
    stem = f"{slug[:30].strip('-')}-team"
    taken = {
        handle.lower() for handle in Person.objects.filter(handle__istartswith=stem).values_list("handle", flat=True)
    }
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(handle for handle in (stem, *numbered) if handle.lower() not in taken)


def change_settings(person: Person, *, handle: str, display_name: str, wants_mail: bool) -> Person:
    """What somebody says about themselves. Raises Invalid naming the field; a receipt's bearer has no handle to set."""
    handle, display_name = handle.strip(), display_name.strip()
    problems = _name_problems(handle, display_name)
    if not problems and Person.objects.filter(handle__iexact=handle).exclude(pk=person.pk).exists():
        problems["handle"] = "is taken; choose another."
    if not problems and (handle, display_name) != (person.handle, person.display_name):
        problems |= _taken_from_a_team(person, handle, display_name)
    if problems:
        raise Invalid(problems)
    person.handle, person.display_name, person.wants_mail = handle, display_name, wants_mail
    person.save(update_fields=["handle", "display_name", "wants_mail"])
    return person


def _taken_from_a_team(person: Person, handle: str, display_name: str) -> dict[str, str]:
    """Nobody outside of the teams goes by the name of somebody on one: their words would pass for the program's."""
    team = Person.objects.filter(memberships__isnull=False)
    if team.filter(pk=person.pk).exists():
        return {}
    shown, field = (display_name, "display_name") if display_name else (handle, "handle")
    if any(names.alike(shown, member.name) for member in team.distinct()):
        return {field: "is the name of somebody on a team here; choose another, so that nobody takes you for them."}
    return {}


def _name_problems(handle: str, display_name: str) -> dict[str, str]:
    problems = {}
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{1,39}", handle):
        problems["handle"] = "takes 2 to 40 letters, digits, dots, dashes or underscores."
    if len(display_name) > 80:
        problems["display_name"] = "is longer than 80 characters; shorten it."
    elif names.hidden(display_name):
        problems["display_name"] = "holds a character that cannot be seen; leave it out."
    return problems
