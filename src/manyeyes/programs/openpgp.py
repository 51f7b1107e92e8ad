"""The program's own OpenPGP key: signs security.txt and the mails, and people encrypt to it what they send by mail."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from manyeyes import events
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.rules.errors import NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import openpgp, postkeys
from manyeyes.vault.models import OpenPGPKey

MANAGERS = frozenset({Role.PROGRAM_MANAGER, Role.ADMIN})


def subject(program: Program) -> str:
    """The name under which events, keys and mails know the program."""
    return f"program:{program.pk}"


def key_of(program: Program) -> OpenPGPKey | None:
    """The key in use."""
    return postkeys.of(subject(program))


def public_key(program: Program) -> str:
    """Its public part, as it stands at a plain address. Raises NotFound while there is none."""
    row = key_of(program)
    if row is None:
        raise NotFound("This program has no OpenPGP key.")
    return str(row.certificate)


@transaction.atomic
def make_key(program: Program, *, by: Any) -> OpenPGPKey:
    """Make a key pair and take it into use; the private part lies under the program's key in the vault."""
    _require_manager(program, by)
    name = "".join(sign for sign in program.name if sign.isprintable() and sign not in "<>")
    user_id = f"{name} <{program.contact_email}>" if program.contact_email else name
    return _take(program, openpgp.generate(user_id), by=by, kind="openpgp.made")


def import_key(program: Program, *, by: Any, text: str, password: str = "") -> OpenPGPKey:
    """Take a private key of the organisation's into use. Raises Invalid, in words, for one that does not do."""
    _require_manager(program, by)
    found = openpgp.inspect_secret(text, password=password)
    with transaction.atomic():
        return _take(program, found, by=by, kind="openpgp.imported", password=password)


def export_key(program: Program, *, by: Any) -> str:
    """The private part, for the mail program of whoever reads the contact address; that it left is on record."""
    _require_manager(program, by)
    row = key_of(program)
    if row is None or row.secret is None:
        raise NotFound("This program has no OpenPGP key.")
    events.record(subject(program), "openpgp.exported", actor=by.actor, human=True, fingerprint=row.fingerprint)
    return str(row.secret)


@transaction.atomic
def drop_key(program: Program, *, by: Any) -> None:
    """Take the key out of use: nothing is signed with it any more. It is kept, to read what was encrypted to it."""
    _require_manager(program, by)
    row = key_of(program)
    if row is None:
        raise NotFound("This program has no OpenPGP key.")
    postkeys.drop(subject(program))
    events.record(subject(program), "openpgp.dropped", actor=by.actor, human=True, fingerprint=row.fingerprint)


def _take(program: Program, found: openpgp.Found, *, by: Any, kind: str, password: str = "") -> OpenPGPKey:
    row = postkeys.keep(subject(program), found, key=program.key, password=password)
    events.record(subject(program), kind, actor=by.actor, human=True, fingerprint=found.fingerprint)
    return row


def _require_manager(program: Program, by: Any) -> None:
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed("The program's key belongs to its manager or an admin.")
