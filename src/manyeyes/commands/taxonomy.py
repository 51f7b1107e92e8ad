"""`manyeyes taxonomy`: list and search the catalogues at hand, check a file of a new edition, and read it in."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manyeyes.plugins.builtin.targets.saying import printable
from manyeyes.rules import catalogue
from manyeyes.rules.catalogue import Catalogue
from manyeyes.rules.errors import Conflict, Invalid

HELP = "list or search the public catalogues, or read in a new edition of one"
LONGEST = 16_000_000


class _UnusableError(Exception):
    """What was asked for cannot be done; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which file or words."""
    parser.add_argument(
        "action", choices=("list", "search", "check", "update"),
        help="list: the editions at hand; search: codes by number or name; check: look a file over; update: read it in",
    )  # fmt: skip
    parser.add_argument("what", metavar="FILE or WORDS", nargs="*", help="check, update: a file; search: words")
    parser.add_argument("--all", action="store_true", help="search: older editions too")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def run(args: argparse.Namespace) -> int:
    """0 when it was done, 1 for a file with something wrong in it, 2 for what cannot be read or stands otherwise."""
    try:
        found = {"list": _list, "search": _search, "check": _check, "update": _update}[args.action](args)
    except Invalid as error:
        return _refuse(args, " ".join(error.fields.values()), code=1)
    except (_UnusableError, Conflict) as error:
        return _refuse(args, str(error), code=2)
    print(json.dumps(found[0]) if args.json else "\n".join(printable(line) for line in found[1]))
    return 0


def _refuse(args: argparse.Namespace, message: str, *, code: int) -> int:
    if args.json:
        print(json.dumps({"error": {"message": message}}))
    print(printable(f"manyeyes taxonomy: {message}"), file=sys.stderr)
    return code


def _list(args: argparse.Namespace) -> tuple[Any, Sequence[str]]:
    rows = _at_hand()
    lines = [f"{row.words}: {_count(row)}. Licence: {row.licence}. {row.note}".rstrip() for row in rows]
    return {"catalogues": [_described(row) for row in rows]}, lines


def _search(args: argparse.Namespace) -> tuple[Any, Sequence[str]]:
    if not args.what:
        raise _UnusableError("search wants words, or a part of a number.")
    rows = _at_hand()
    found = catalogue.search(" ".join(args.what), rows if args.all else catalogue.newest(rows))
    lines = [f"{row.code}  {row.name}  ({row.catalogue})" for row in found] or ["Nothing found."]
    return {"found": [vars(row) for row in found]}, lines


def _check(args: argparse.Namespace) -> tuple[Any, Sequence[str]]:
    row = catalogue.read_text(_file(args))
    return {"catalogue": _described(row)}, [f"{row.words}: {_count(row)}, nothing wrong."]


def _update(args: argparse.Namespace) -> tuple[Any, Sequence[str]]:
    text = _file(args)
    _start_django()
    from django.db import DatabaseError

    from manyeyes.programs import editions

    try:
        row = editions.load(text)
    except DatabaseError:
        raise _UnusableError("The database cannot be read; run `manyeyes init` first.") from None
    return {"catalogue": _described(row)}, [f"{row.words}: {_count(row)}, at hand from now on."]


def _file(args: argparse.Namespace) -> str:
    if len(args.what) != 1:
        raise _UnusableError(f"{args.action} wants one file.")
    path = Path(args.what[0])
    try:
        if path.stat().st_size > LONGEST:
            raise _UnusableError(f"{path}: the file is larger than {LONGEST // 1_000_000} MB.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _UnusableError(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _UnusableError(f"{path}: this is not UTF-8 text.") from error


def _at_hand() -> tuple[Catalogue, ...]:
    """Every edition; without a database those of the package, which is said."""
    _start_django()
    from django.db import DatabaseError

    from manyeyes.programs import editions

    try:
        return editions.every()
    except DatabaseError:
        print("manyeyes taxonomy: no database yet; these are the editions of the package.", file=sys.stderr)
        return catalogue.shipped()


def _start_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise _UnusableError(str(error)) from error


def _count(row: Catalogue) -> str:
    return f"{len(row.entries)} codes{'' if row.complete else ' (a part)'}"


def _described(row: Catalogue) -> dict[str, Any]:
    data: dict[str, Any] = row.model_dump(exclude={"entries", "manyeyes"})
    return {**data, "codes": len(row.entries)}
