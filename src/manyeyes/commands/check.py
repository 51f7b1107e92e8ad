"""`manyeyes check`: whether this installation is in order: settings, key, tables, directories, event chains, mails."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HELP = "look whether settings, master key, tables, directories, event chains and mails are in order"
SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is looked at, and how much is said."""
    parser.add_argument("--program", metavar="SLUG", help="look at this program's launch checklist instead")
    parser.add_argument("--quiet", action="store_true", help="print problems only")


def run(args: argparse.Namespace) -> int:
    """0 when everything is in order, 1 when something is not; each problem on one line with its mend."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(f"WRONG settings: {error}", file=sys.stderr)
        return 1
    if args.program:
        from manyeyes.commands.launch_check import report

        try:
            return report(args.program, quiet=args.quiet)
        except DatabaseError:
            print("WRONG tables: this program cannot be read. Run manyeyes init.", file=sys.stderr)
            return 1
    wrong = False
    for name, look in CHECKS:
        try:
            problems = list(look())
        except Exception as error:  # a check that cannot be made is a problem of its own
            problems = [f"{type(error).__name__}: {error}"]
        wrong = wrong or bool(problems)
        if not problems and not args.quiet:
            print(f"ok    {name}")
        for problem in problems[:SHOWN]:
            print(f"WRONG {name}: {problem}", file=sys.stderr)
        if len(problems) > SHOWN:
            print(f"WRONG {name}: and {len(problems) - SHOWN} more", file=sys.stderr)
    return 1 if wrong else 0


def _settings() -> Iterator[str]:
    from django.core import checks

    for message in checks.run_checks():
        if message.is_serious():
            yield f"{message.msg} {message.hint or ''}".strip()


def directories() -> Iterator[str]:
    from django.conf import settings

    data = Path(settings.MANYEYES_DATA_DIR)
    for folder in (data, *(data / name for name in ("files", "mail", "log", "run"))):
        if not folder.is_dir():
            yield f"{folder} is missing. Run manyeyes init."
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield f"{folder} cannot be written. Give it to the user that runs manyeyes."
        elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
            yield f"{folder} is open to other users. chmod 700 {folder}"


def master_key() -> Iterator[str]:
    from manyeyes.vault import keyring, masterkey

    try:
        keyring.require_master()
    except keyring.MasterKeyError as error:
        yield str(error)
        return
    if stat.S_IMODE(masterkey.path().stat().st_mode) & 0o077:
        yield f"{masterkey.path()} is open to other users. chmod 600 {masterkey.path()}"


def _keys() -> Iterator[str]:
    from manyeyes.vault import keyring
    from manyeyes.vault.models import DataKey

    for key_id in DataKey.objects.filter(destroyed_at__isnull=True).values_list("pk", flat=True):
        try:
            keyring.opened(key_id)
        except Exception as error:  # whatever stops one key from opening is what the reader must hear
            yield f"key {key_id}: {error}"


def tables() -> Iterator[str]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield f"{len(plan)} migrations are not applied, first {plan[0][0]}. Run manyeyes init."


def _chains() -> Iterator[str]:
    from manyeyes import events
    from manyeyes.events.models import Event, Head

    subjects = set(Event.objects.order_by().values_list("subject", flat=True).distinct())
    subjects |= set(Head.objects.values_list("subject", flat=True))
    for subject in sorted(subjects):
        place = events.verify_chain(subject)
        if place is not None:
            yield f"{subject}: event {place} was changed, removed or put in. Restore a backup and compare."


def mails() -> Iterator[str]:
    """Mails that could not be encrypted, and keys that do not sign: nobody else would notice."""
    from manyeyes import events
    from manyeyes.programs.models import Program
    from manyeyes.programs.openpgp import key_of
    from manyeyes.vault import postkeys

    for program in Program.objects.order_by("slug"):
        key = key_of(program)
        trouble = postkeys.trouble_of(key) if key is not None else ""
        if trouble:
            place = f"/desk/program/{program.slug}/key/"
            yield f"the key of {program.slug} does not sign ({trouble}). Make or import another at {place}"
    waiting = events.held()
    if waiting:
        refs = ", ".join(sorted({row.case_ref or "about an account" for row in waiting})[:SHOWN])
        yield f"{len(waiting)} not sent, because the reader's key has run out or cannot be used: {refs}"


CHECKS: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
    ("settings", _settings),
    ("directories", directories),
    ("master key", master_key),
    ("tables", tables),
    ("data keys", _keys),
    ("event chains", _chains),
    ("mails", mails),
)
