"""Lists that somebody named to find them again: a view with its search, facets and order."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted

MOST = 20
NAME_LONGEST = 40
PARTS = ("view", "q", "kind", "target", "status", "band", "origin", "arrival", "sort")
"""What of an address makes a list; anything else in it is left out."""


class SavedView(Encrypted):
    """A named list of one person, under their own key: the name and the search may say something."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = EncryptedText()
    query = EncryptedText()
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"saved view {self.pk}"


def listed(person: Any) -> list[SavedView]:
    """The person's lists by name; names are encrypted, so they are sorted here."""
    return sorted(SavedView.objects.filter(person=person), key=lambda row: row.name.casefold())


def save(person: Any, *, name: str, query: str) -> SavedView:
    """Keep a list; one of the same name is replaced. Raises Invalid naming the field."""
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_LONGEST:
        raise Invalid(name=_("Give the list a name of up to %(most)d characters.") % {"most": NAME_LONGEST})
    kept = urlencode([(part, value[:100]) for part, value in parse_qsl(query) if part in PARTS and value])
    with transaction.atomic():
        key = ownkey.of(person)  # locks the person: two saves at once do not pass the limit
        rows = listed(person)
        row = next((one for one in rows if one.name.casefold() == clean.casefold()), None)
        if row is None and len(rows) >= MOST:
            raise Invalid(name=_("At most %(most)d lists are kept. Remove one first.") % {"most": MOST})
        row = row or SavedView(person=person, key=key)
        row.name, row.query, row.at = clean, kept, clock.now()
        row.save()
    return row


def remove(person: Any, row_id: Any) -> None:
    """Forget a list. Raises NotFound for one of somebody else as for none."""
    deleted, _counts = SavedView.objects.filter(person=person, pk=row_id).delete()
    if not deleted:
        raise NotFound


__all__ = ["MOST", "NAME_LONGEST", "PARTS", "SavedView", "listed", "remove", "save"]
