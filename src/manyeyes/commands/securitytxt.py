"""`manyeyes securitytxt`: a program's security.txt, signed where it has a key, as it stands on the site."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

HELP = "write a program's security.txt, signed where the program has a key"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which program, and where to."""
    parser.add_argument("--program", required=True, metavar="SLUG", help="the program's short name in addresses")
    parser.add_argument("--out", metavar="FILE", help="write it here instead of to standard output")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--dns", action="store_true", help="the DNS TXT records instead, in zone file form")
    form.add_argument("--disclose-io", action="store_true", help="the entry for the disclose.io list instead, as JSON")
    parser.add_argument("--unsigned", action="store_true", help="leave the signature away")


def run(args: argparse.Namespace) -> int:
    """0 when it was written, 2 for a program that does not exist, and where no data is kept."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    import django

    django.setup()
    from django.db import DatabaseError

    from manyeyes.programs.models import Program

    try:
        program = Program.objects.filter(slug=args.program).first()
    except DatabaseError:
        print("manyeyes securitytxt: the database cannot be read; run `manyeyes init` first.", file=sys.stderr)
        return 2
    if program is None:
        print(f"manyeyes securitytxt: there is no program {args.program!r}.", file=sys.stderr)
        return 2
    text = _text(args, program)
    if args.out:
        try:
            Path(args.out).write_bytes(text.encode())
        except OSError as error:
            print(f"manyeyes securitytxt: --out: {args.out}: {error.strerror}.", file=sys.stderr)
            return 2
    else:
        sys.stdout.write(text.replace("\r\n", "\n"))
    return 0


def _text(args: argparse.Namespace, program: Any) -> str:
    import json

    from django.conf import settings

    from manyeyes.programs import securitytxt
    from manyeyes.rules import clock

    base = settings.MANYEYES_BASE_URL
    if base.startswith("http://localhost"):
        said = f"the addresses in it begin with {base}, which only this machine can open; set MANYEYES_BASE_URL"
        print(f"manyeyes securitytxt: {said}.", file=sys.stderr)
    if args.dns:
        return securitytxt.dns_text(program, base)
    if args.disclose_io:
        return json.dumps(securitytxt.disclose_io(program, base), indent=2) + "\n"
    make = securitytxt.render if args.unsigned else securitytxt.signed
    return make(program, base, clock.now())
