"""An account ends: name, address, keys, tokens and ways to sign in are destroyed; an empty row keeps the acts apart."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from manyeyes import events
from manyeyes.accounts import ownkey, profiles, sessions, working
from manyeyes.accounts.models import ApiToken, Person, Receipt, SignIn
from manyeyes.rules import clock
from manyeyes.vault import postkeys

FORMER = "Former researcher"


@transaction.atomic
def end_account(person: Person) -> None:
    """Empty the row of a person and destroy their own key. What they reported stays; who they were is gone from it.

    Raises Refused under a legal hold.
    """
    profiles.shred(person)
    postkeys.drop(f"person:{person.pk}")
    EmailAddress.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    ApiToken.objects.filter(person=person).delete()
    end_receipt(person)
    events.forget_account_mail(person.pk)
    working.forget(person)
    ownkey.shred(person)
    row = Person.objects.select_for_update().get(pk=person.pk)
    row.email, row.handle, row.display_name = None, f"left-{secrets.token_hex(6)}", FORMER
    row.language, row.zone, row.wants_mail, row.is_active = "", "", False, False
    row.set_unusable_password()
    row.save()


def end_receipt(person: Any) -> None:
    """Let the digits of a receipt open nothing any more, and sign its bearer out everywhere."""
    Receipt.objects.filter(person=person).delete()
    ApiToken.objects.filter(person=person, revoked_at=None).update(revoked_at=clock.now())
    sessions.end_others(person, None)
    SignIn.objects.filter(person=person).delete()
