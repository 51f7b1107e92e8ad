"""The OpenPGP key that somebody gives so that mail to them is encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.rules.errors import NotFound
from manyeyes.vault import openpgp, postkeys
from manyeyes.vault.models import OpenPGPKey


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A person's key as they see it, what is wrong with it in one word, and how many mails wait for another one."""

    key: OpenPGPKey | None
    trouble: str = ""
    held: int = 0

    @property
    def fingerprint(self) -> str:
        """The fingerprint, in groups of four."""
        return openpgp.grouped(self.key.fingerprint) if self.key else ""


def give(person: Person, *, text: str) -> OpenPGPKey:
    """Take a public key into use, in place of the one before; mails that waited for it are sent. Raises Invalid."""
    if person.kind == Person.Kind.RECEIPT:
        raise NotFound
    found = openpgp.inspect(text)
    row = postkeys.keep(person.actor, found)
    events.record(person.actor, "openpgp.given", actor=person.actor, human=True)
    events.send_held(person.pk)
    return row


def remove(person: Person) -> None:
    """Forget the key, and send in the clear from now on; what was held goes too, for it says nothing but a link."""
    if not postkeys.drop(person.actor):
        raise NotFound("There is no key to remove.")
    events.record(person.actor, "openpgp.removed", actor=person.actor, human=True)
    events.send_held(person.pk)


def standing(person: Person) -> Standing:
    """How it is with a person's key."""
    row = postkeys.of(person.actor)
    if row is None:
        return Standing(key=None)
    return Standing(key=row, trouble=postkeys.trouble_of(row), held=events.held_of(person.pk))
