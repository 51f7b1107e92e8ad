"""`manyeyes init`: the data directory, the master key, the tables, and a small real program; safe to run again."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from manyeyes.rules.policy_templates import TEMPLATES

HELP = "make a program ready to use: data directory, master key, tables, first person, default policy"
FOLDERS = ("", "files", "mail", "log", "run")
NAMES_NOBODY = re.compile(
    r"(abuse|ai|admin|administrator|contact|hello|help|info|it|mail|me|my|name|noreply|office|postmaster|root|security"
    r"|soc|someone|support|team|test|user|webmaster|you|your)?([^a-z]|$)"
)
"""How the part before @ of an address begins that belongs to a desk, or was copied from an example."""
ALL_ROLES = ("program_manager", "security_triager", "ml_triager", "target_owner", "publisher", "admin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said beforehand; the rest is asked where there is a terminal."""
    parser.add_argument("--organisation", help="who runs the program, for example Larkfield")
    parser.add_argument("--name", help='what the program is called, for example "Larkfield AI reports"')
    parser.add_argument("--slug", help="the program's short name in addresses, for example larkfield")
    parser.add_argument("--target", help="the first system that researchers may test (default: the AI systems)")
    parser.add_argument("--email", help="mail address of the first person, who gets every role")
    parser.add_argument("--person", default="", help="the name others read, for example Ada Example (default: asked)")
    parser.add_argument("--contact", default="", help="address for security.txt (default: the report form only)")
    parser.add_argument("--zone", default="UTC", help="time zone of the team, for example Europe/Vienna")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument(
        "--template", choices=tuple(TEMPLATES), default="no_bounty", help="policy to begin with (default: no_bounty)"
    )
    parser.add_argument("--publish", action="store_true", help="publish the default policy and open the program now")
    parser.add_argument("--no-program", action="store_true", help="only directory, key and tables")


def run(args: argparse.Namespace) -> int:
    """Do what is still missing; 0 when the program is ready, 2 for an answer that cannot be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    from django.core.exceptions import ImproperlyConfigured

    from manyeyes.rules.errors import Refused

    try:
        applied = prepare()
        for line in applied:
            print(line)
        return _program_of(args, changed=bool(applied))
    except (ImproperlyConfigured, OSError, EOFError, Refused) as refused:
        print(f"manyeyes init: {refused or 'no answer was given.'}", file=sys.stderr)
        return 2


def _program_of(args: argparse.Namespace, *, changed: bool) -> int:
    if args.no_program:
        print("Ready: directory, key and tables. No program was made.")
        return 0
    from manyeyes.programs.models import Program
    from manyeyes.programs.setup import open_program

    existing = Program.objects.order_by("created_at").first()
    if existing is not None:
        _known_person(args, existing)
        if args.publish and existing.state in (Program.State.DRAFT, Program.State.PRIVATE):
            open_program(existing)
            print(f"{existing.name} is open now.")
            _skipped(existing)
        else:
            print(f"{existing.name} exists already; {'nothing else' if changed else 'nothing'} was changed.")
        _next_steps(existing, "")
        return 0
    program, password = _program(args)
    if args.publish:
        _skipped(program)
    _next_steps(program, password)
    return 0


def _known_person(args: argparse.Namespace, program: Any) -> None:
    """Refuses an address that nobody here has: init makes the first person only, and would pass over a second one."""
    from manyeyes.accounts.models import Person
    from manyeyes.rules.errors import Invalid

    email = (args.email or "").strip().lower()
    if email and not Person.objects.filter(email=email).exists():
        desk = f"{settings.MANYEYES_BASE_URL}/desk/program/{program.slug}/"
        raise Invalid(
            {"--email": f"{program.name} exists already, and nobody in it has this address. Invite people at {desk}"}
        )


def prepare() -> list[str]:
    """Make what is missing of directory, master key and tables; what was done to tables that were there, in lines.

    Raises MasterKeyError when data lacks its key.
    """
    data = Path(settings.MANYEYES_DATA_DIR)
    fresh = not (data / "db.sqlite3").exists()
    previous = os.umask(0o077)  # the database and its journal are readable by their owner only
    try:
        for name in FOLDERS:
            folder = data / name
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        _master_key(fresh)
        django.setup()
        waiting = _waiting()
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        os.umask(previous)
    _same_key()
    many = f"{len(waiting)} migration{'s' if len(waiting) > 1 else ''}"
    return [f"Brought the tables up to date with {many}:", *(f"  {name}" for name in waiting)] if waiting else []


def _waiting() -> list[str]:
    """The migrations that tables of an earlier version lack; none where there are no tables yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if not executor.loader.applied_migrations:
        return []
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _master_key(fresh: bool) -> None:
    from manyeyes.vault import masterkey

    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if masterkey.path().exists():
        masterkey.masters()
    elif sqlite and not fresh:
        masterkey.masters()  # raises, with the mend: a new key could not open the data that is there
    else:
        masterkey.create()
        print(f"Made the master key {masterkey.path()}. Keep a copy in another place: without it nothing can be read.")


def _same_key() -> None:
    """Open one stored key, so that a wrong master key is found now and not at the first report."""
    from manyeyes.vault import keyring
    from manyeyes.vault.models import DataKey
    from manyeyes.vault.sealing import Tampered

    kept = DataKey.objects.filter(destroyed_at__isnull=True).first()
    try:
        if kept is not None:
            keyring.opened(kept.pk)
    except Tampered as error:
        raise keyring.MasterKeyError(str(error)) from None


def _program(args: argparse.Namespace) -> tuple[Any, str]:
    from django.db import transaction

    from manyeyes.accounts.models import Person
    from manyeyes.accounts.people import create_account, team_handle
    from manyeyes.programs.setup import create_program, open_program
    from manyeyes.rules.lifecycle import Role

    organisation = _answer(args.organisation, "Organisation")
    name = _answer(args.name, "Name of the program", f"{organisation} AI reports")
    slug = _answer(args.slug, "Short name in addresses", _slug(organisation))
    system = _answer(args.target, "First system that researchers may test", f"{organisation} AI systems"[:120])
    email = _answer(args.email, "Your mail address").strip().lower()
    shown_as = _answer(args.person or None, "Your name, as others read it", _public_name(email, organisation))
    password, shown = _password(args)
    with transaction.atomic():
        person = Person.objects.filter(email=email).first()
        if person is None:
            person = create_account(
                email=email, display_name=shown_as, handle=team_handle(_slug(slug)), password=password
            )
        else:
            shown = ""
        program = create_program(
            slug=slug,
            name=name,
            organisation=organisation,
            contact_email=args.contact,
            zone=args.zone,
            members={person: [Role(role) for role in ALL_ROLES]},
            template=args.template,
        )
        _first_target(program, system, person)
        if args.publish:
            open_program(program, by=person)  # last, so that the policy goes into force with its scope
    return program, shown


def _public_name(email: str, organisation: str) -> str:
    """What to call somebody who gave no name: the part before @, unless it names nobody."""
    local = email.split("@")[0]
    return f"Team of {organisation}"[:80] if NAMES_NOBODY.match(local) else local


def _first_target(program: Any, name: str, owner: Any) -> None:
    """Something to report about: a system worked through by hand until somebody connects it."""
    from manyeyes.programs import targets
    from manyeyes.rules import clock

    target = targets.add_target(program, name=name, access="manual", owner=owner, in_scope=name)
    targets.add_version(target, label=f"{clock.now():%Y-%m-%d}")


def _password(args: argparse.Namespace) -> tuple[str, str]:
    """The password, and the same again if nobody has seen it yet."""
    if args.password_stdin:
        given = sys.stdin.readline().rstrip("\n")
        _strong(given)
        return given, ""
    if sys.stdin.isatty():
        given = getpass.getpass("Password (empty: one is made for you): ")
        if given:
            _strong(given)
            return given, ""
    made = "-".join(secrets.token_hex(2) for _ in range(6))
    return made, made


def _strong(password: str) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from manyeyes.rules.errors import Invalid

    try:
        validate_password(password)
    except ValidationError as error:
        raise Invalid(password=" ".join(error.messages)) from None


def _answer(given: str | None, question: str, suggestion: str = "") -> str:
    from manyeyes.rules.errors import Invalid

    if given is not None:
        return given
    if not sys.stdin.isatty():
        if suggestion:
            return suggestion
        option = {"Organisation": "--organisation", "Your mail address": "--email"}[question]
        raise Invalid({option: "is needed where there is no terminal to ask on."})
    typed = input(f"{question}{f' [{suggestion}]' if suggestion else ''}: ").strip()
    return typed or suggestion


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "program"


def _skipped(program: Any) -> None:
    """Says what `--publish` went past: it must not look as if it had been looked at."""
    from manyeyes.programs import launch

    now = launch.standing(program)
    if not now.missing:
        return
    print(f"Opened past the launch checklist: {len(now.missing)} of {len(now.lines)} items were skipped.")
    for row in now.missing:
        print(f"  - {row.line.item.title}: {row.line.missing}")
    print(f"They stand at {settings.MANYEYES_BASE_URL}/desk/program/{program.slug}/launch/ until they are done.")


def _next_steps(program: Any, password: str) -> None:
    base = settings.MANYEYES_BASE_URL
    if password:
        print(f"Your password, shown once: {password}")
    print(f"Program: {program.name} at {base}/p/{program.slug}/ ({program.state})")
    print("Next:")
    print("  1. manyeyes serve")
    print(f"  2. Sign in at {base}/accounts/login/ and add a second factor (passkey or TOTP).")
    desk = f"{base}/desk/program/{program.slug}/"
    if program.state in ("draft", "private"):
        print(f"  3. Read the draft policy at {desk}, make it yours, and publish it.")
        print(f"  4. Go through the launch checklist at {desk}launch/ and open the program there.")
        return
    print(f"  3. Say what is in scope at {desk}, and connect a target there; until then you tick trials by hand.")
