"""What somebody says about themselves: a credit name and links, encrypted; the language and the clock they read."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.accounts.models import Person, Profile
from manyeyes.rules import names
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.vault import keyring

MOST_LINKS = 5
LINK_LONGEST = 300
NAME_LONGEST = 80


@dataclass(frozen=True, kw_only=True)
class Said:
    """A profile as it reads."""

    credit_name: str = ""
    links: Sequence[str] = ()
    language: str = ""
    zone: str = ""


def languages() -> list[tuple[str, str]]:
    """(code, its own name) of the languages one may say to prefer."""
    rows = {code: str(info["name_local"]) for code, info in LANG_INFO.items() if "name_local" in info}
    return sorted(rows.items(), key=lambda row: row[1].casefold())


def zones() -> list[str]:
    """The names of the time zones, of places only."""
    return sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    )


def zones_by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    """(region, its zones as choices), as a list of some hundred names is read best.

    >>> [place for region, rows in zones_by_region() if region == "Arctic" for place in rows]
    [('Arctic/Longyearbyen', 'Longyearbyen')]
    """
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in zones():
        region, _slash, place = name.partition("/")
        regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return list(regions.items())


def of(person: Any) -> Said:
    """What a person says about themselves."""
    row = Profile.objects.filter(person=person).select_related("key").first()
    name, links = (row.credit_name or "", tuple(row.links or ())) if row else ("", ())
    return Said(credit_name=name, links=links, language=person.language, zone=person.zone)


@transaction.atomic
def say(person: Person, said: Said) -> None:
    """Store a profile. Raises Invalid naming the field; NotFound for a receipt's bearer, of whom nothing is kept."""
    if person.kind != Person.Kind.ACCOUNT:
        raise NotFound
    name, links = " ".join(said.credit_name.split()), [link.strip() for link in said.links if link.strip()]
    wrong = _problems(name, links, said)
    if wrong:
        raise Invalid(wrong)
    row = Profile.objects.select_for_update(of=("self",)).filter(person=person).first()
    if row is None:
        row = Profile(person=person, key=ownkey.of(person))
    row.credit_name, row.links = name or None, links or None
    row.save()
    person.language, person.zone = said.language, said.zone
    person.save(update_fields=["language", "zone"])


def _problems(name: str, links: Sequence[str], said: Said) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if len(name) > NAME_LONGEST or names.hidden(name):
        wrong["credit_name"] = _("Give a name of at most %(most)d letters that can be seen.") % {"most": NAME_LONGEST}
    if len(links) > MOST_LINKS:
        wrong["links"] = _("At most %(most)d links.") % {"most": MOST_LINKS}
    elif any(not _is_link(link) for link in links):
        wrong["links"] = _("Give addresses that begin with https://, one a line.")
    if said.language and said.language not in LANG_INFO:
        wrong["language"] = _("Choose a language of the list.")
    if said.zone and said.zone not in zoneinfo.available_timezones():
        wrong["zone"] = _("Choose a time zone of the list, like Europe/Berlin.")
    return wrong


def _is_link(link: str) -> bool:
    try:
        URLValidator(schemes=["https"])(link)
    except ValidationError:
        return False
    return len(link) <= LINK_LONGEST


def shred(person: Any) -> None:
    """Destroy what a person said about themselves, with its key (older profiles have one that is not the person's)."""
    row = Profile.objects.filter(person=person).select_related("key").first()
    if row is not None:
        key = row.key
        row.delete()
        keyring.shred(key)
