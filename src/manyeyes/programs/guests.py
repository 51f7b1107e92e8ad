"""Researchers from outside who are invited to a program that is not public: by mail, by a link that works once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.accounts import mailable
from manyeyes.accounts.models import Person
from manyeyes.programs.access import roles_of
from manyeyes.programs.invited import Guest
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import tokens

MOST = 200
"""Invitations of one program that stand at a time."""
LASTS = timedelta(days=30)
"""How long a link may wait for its answer."""


def manages(person: Any, program: Program) -> bool:
    """Whether a person may invite to the program: its manager, or an admin."""
    return bool(roles_of(person, program) & {Role.PROGRAM_MANAGER, Role.ADMIN})


def standing(program: Program) -> QuerySet[Guest]:
    """Who is invited or takes part, the first invited first."""
    return program.guests.filter(ended_at__isnull=True).select_related("person", "invited_by", "key")


def overdue(guest: Guest) -> bool:
    """Whether nobody answered in time."""
    return guest.accepted_at is None and guest.invited_at + LASTS <= clock.now()


def invite(program: Program, *, by: Any, email: str) -> Guest:
    """Mail somebody a link to the program. To invite once more who has not answered ends the earlier link.

    Who has an account here is told to nobody. Raises Invalid(email=…), Conflict where everybody may report anyway.
    """
    if not manages(by, program):
        raise NotAllowed(_("The program is changed by its manager or an admin."))
    address = email.strip().lower()
    if not mailable.can_be_mailed(address):
        raise Invalid(email=_("This is not a mail address. Write it like name@example.org."))
    with transaction.atomic():
        row = Program.objects.select_for_update().get(pk=program.pk)
        if row.state != Program.State.PRIVATE or row.policy is None:
            raise Conflict(
                _("Only a private program invites: a draft has no policy yet, and a public one is open to all.")
            )
        if row.memberships.filter(person__email=address).exists():
            raise Invalid(email=_("This person is on the team already."))
        earlier = [one for one in standing(row) if one.email == address]
        if any(one.accepted_at for one in earlier):
            raise Invalid(email=_("Who holds this address takes part already."))
        if not earlier and standing(row).count() >= MOST:
            raise Invalid(
                email=_("At most %(most)s people are invited at a time. End an invitation first.") % {"most": MOST}
            )
        for one in earlier:
            _end(one, by=by)
        secret = secrets.token_urlsafe(24)
        guest = Guest(program=row, key=row.key, email=address, locator=_locator(secret), invited_by=by)
        guest.save()
        _record(guest, "guest.invited", by=by)
        _mail(address, secret)
    return guest


def by_link(secret: str, viewer: Any = None) -> Guest:
    """The invitation of a link: an open one, or the one this viewer accepted. Raises NotFound for any other word."""
    row = Guest.objects.filter(locator=_locator(secret), ended_at=None).select_related("program", "key").first()
    if row is None or overdue(row) or row.program.state == Program.State.DRAFT:
        raise NotFound
    if row.person_id is not None and row.person_id != getattr(viewer, "pk", None):
        raise NotFound
    return row


def accept(guest: Guest, *, by: Person) -> Program:
    """Take part from now on; once more is the same. Raises NotAllowed without an account, Conflict if spent."""
    if by.kind != Person.Kind.ACCOUNT:
        raise NotAllowed(_("Sign in with an account to accept an invitation."))
    with transaction.atomic():
        row = Guest.objects.select_for_update().select_related("program", "key").get(pk=guest.pk)
        if row.ended_at or overdue(row) or (row.person_id and row.person_id != by.pk):
            raise Conflict(_("This invitation was used or taken back. Ask for another."))
        if row.accepted_at:
            return row.program
        if roles_of(by, row.program) or standing(row.program).filter(person=by).exists():
            raise Conflict(_("You see this program already."))
        row.person, row.accepted_at = by, clock.now()
        row.save()
        _record(row, "guest.accepted", by=by)
    return row.program


def end(guest: Guest, *, by: Any) -> None:
    """Take an invitation back, or leave: the program is gone for them. Their reports, and what follows, stay theirs."""
    if by.pk != guest.person_id and not manages(by, guest.program):
        raise NotAllowed(_("The program is changed by its manager or an admin."))
    with transaction.atomic():
        row = Guest.objects.select_for_update().select_related("program", "key").get(pk=guest.pk)
        if row.ended_at is None:
            _end(row, by=by)


def sweep() -> int:
    """End the invitations that nobody answered in time, and erase their addresses; how many ended."""
    ended = 0
    for late in Guest.objects.filter(accepted_at=None, ended_at=None, invited_at__lte=clock.now() - LASTS)[:200]:
        with transaction.atomic():
            row = Guest.objects.select_for_update(of=("self",)).select_related("program", "key").get(pk=late.pk)
            if row.accepted_at is None and row.ended_at is None:
                row.ended_at, row.email = clock.now(), None
                row.save()
                events.record(f"program:{row.program_id}", "guest.expired", actor="system", guest=str(row.pk))
                ended += 1
    return ended


def forget(person: Any) -> None:
    """End everything that somebody was invited to, because they leave."""
    for row in Guest.objects.filter(person=person, ended_at=None).select_related("program", "key"):
        end(row, by=person)


def of(person: Any) -> list[dict[str, Any]]:
    """What somebody was invited to and accepted, as plain data for them."""
    rows = Guest.objects.filter(person=person).select_related("program", "key")
    return [
        {"program": row.program.slug, "invited_at": row.invited_at, "accepted_at": row.accepted_at,
         "ended_at": row.ended_at, "email": row.email}
        for row in rows
    ]  # fmt: skip


def _end(row: Guest, *, by: Any) -> None:
    row.ended_at, row.email = clock.now(), None
    row.save()
    _record(row, "guest.ended", by=by)


def _record(guest: Guest, kind: str, *, by: Any) -> None:
    events.record(f"program:{guest.program_id}", kind, actor=by.actor, human=True, guest=str(guest.pk))


def _locator(secret: str) -> str:
    return tokens.keyed("guest", secret[:100])


def _mail(address: str, secret: str) -> None:
    """The mail names neither the program nor who runs it: that a private program exists is nobody else's to read."""
    confirmed = {"emailaddress__email": address, "emailaddress__verified": True}
    person = Person.objects.filter(email=address, is_active=True, **confirmed).first()
    with translation.override((person.language if person else "") or settings.LANGUAGE_CODE):
        said = _(
            "You are invited to a program that takes reports of flaws in AI systems.\n\n{link}\n\n"
            "The link works once, for {days} days. This mail says no more on purpose: the page tells you who asks.\n"
            "If you expect no such thing, you need not do anything.\n"
        )
        link = f"{settings.MANYEYES_BASE_URL}/invited/{secret}/"
        subject, body = _("You are invited"), said.format(link=link, days=LASTS.days)
    known = person.pk if person else None
    events.mail_account(known, address=address, subject=subject, body=body, reason="guest_invited")
