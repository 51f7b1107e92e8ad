"""What `manyeyes check --program` says: the launch checklist of a program, with what machines find at its address."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from typing import Any

PATIENCE = 10.0
LARGEST = 64_000


def report(slug: str, *, quiet: bool = False) -> int:
    """0 when nothing is missing, 1 when something is, 2 for a program that does not exist."""
    from manyeyes.cases import rehearsal
    from manyeyes.programs import launch
    from manyeyes.programs.models import Program

    program = Program.objects.filter(slug=slug).first()
    if program is None:
        print(f"manyeyes check: there is no program {slug!r}.", file=sys.stderr)
        return 2
    rehearsal.settle(program)
    standing = launch.standing(program)
    unread = _unread(program) if program.state == Program.State.PUBLIC else ""
    for row in standing.lines:
        missing = (unread if row.name == "securitytxt" else "") or row.line.missing
        if missing and row.line.state == "skipped" and not unread:
            print(f"warn  {row.line.item.title}: {missing}{_said(row)}", file=sys.stderr)
        elif missing:
            print(f"WRONG {row.line.item.title}: {missing}", file=sys.stderr)
        elif not quiet:
            print(f"ok    {row.line.item.title}{_said(row)}")
    if not quiet:
        print(f"{program.name} is {program.state}.")
    return 1 if standing.missing or unread else 0


def _said(row: Any) -> str:
    if row.answer is None:
        return ": not applicable, the scope names no rewards" if row.line.state == "skipped" else ""
    when = f"said by {row.answer.by.name}, {row.answer.at:%Y-%m-%d}"
    if not row.answer.applies:
        return f" (accepted, {when})" if row.line.missing else f": not applicable ({when})"
    hours = f", {row.answer.hours} h a week" if row.answer.hours else ""
    return f": {row.answer.person.name}{hours} ({when})"


def _unread(program: Any) -> str:
    """Why security.txt cannot be read where the world looks for it; "" when it can."""
    from django.conf import settings

    where = f"{settings.MANYEYES_BASE_URL}/.well-known/security.txt"
    try:
        with urllib.request.urlopen(where, timeout=PATIENCE) as answer:  # noqa: S310 -- our own address, from settings
            text = answer.read(LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError, urllib.error.URLError) as error:
        return f"{where} cannot be read ({type(error).__name__}). Start the server, or set MANYEYES_BASE_URL."
    return "" if "Contact:" in text else f"{where} is no security.txt of ours. Something else answers there."
