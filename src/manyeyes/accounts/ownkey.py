"""The data key of one person: what is theirs is encrypted under it wherever it lies, and goes when it is destroyed."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from manyeyes.accounts.models import Person
from manyeyes.rules import clock
from manyeyes.vault import keyring
from manyeyes.vault.models import DataKey


@transaction.atomic
def of(person: Any) -> DataKey:
    """The person's own key, made when something of theirs is kept for the first time."""
    row = Person.objects.select_for_update(of=("self",)).select_related("own_key").get(pk=person.pk)
    if row.own_key is None:
        row.own_key = keyring.new_key("person")
        row.save(update_fields=["own_key"])
    person.own_key = row.own_key
    return row.own_key


def shred(person: Any) -> None:
    """Destroy it, and with it everything that was kept under it. Raises Refused under a legal hold."""
    key = DataKey.objects.filter(pk__in=Person.objects.filter(pk=person.pk).values("own_key")).first()
    if key is not None:
        keyring.shred(key)


def hold(person: Any, *, held: bool) -> None:
    """Let nothing of the person be destroyed, or let it again."""
    DataKey.objects.filter(pk=of(person).pk).update(held_at=clock.now() if held else None)
