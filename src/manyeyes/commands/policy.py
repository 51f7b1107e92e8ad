"""`manyeyes policy lint` and `manyeyes policy render`: is a policy clear and does it protect; write one out."""

from __future__ import annotations

import argparse
import html
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manyeyes.plugins.builtin.targets.saying import printable
from manyeyes.rules.policy_clauses import CLAUSES
from manyeyes.rules.policy_difference import HEADINGS
from manyeyes.rules.policy_document import Document
from manyeyes.rules.policy_findings import Finding
from manyeyes.rules.policy_lint import LEAST_FLESCH, MOST_GRADE, MOST_MEAN, MOST_WORDS, Lint, lint
from manyeyes.rules.policy_markdown import read

HELP = "lint a policy (clear? complete? frightening?), or write a program's policy out"
LONGEST = 1_000_000
FORMATS = ("md", "html", "json")


class _UnusableError(Exception):
    """What was asked for cannot be read."""


@dataclass(frozen=True, kw_only=True)
class _Given:
    """A policy to lint, and what its reader should know about how it was read."""

    source: str
    texts: Mapping[str, str]
    terms: Mapping[str, Any] | None = None
    systems: int | None = None
    published: str = ""
    unmatched: tuple[str, ...] = field(default=())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which policy."""
    parser.add_argument("action", choices=("lint", "render"), help="lint: look it over; render: write it out")
    parser.add_argument("file", metavar="FILE", nargs="?", help="lint: a policy in Markdown (- for standard input)")
    parser.add_argument("--program", metavar="SLUG", help="the policy of this program, in place of a file")
    parser.add_argument("--version", metavar="N", type=int, help="this published version (default: the one in force)")
    parser.add_argument("--draft", action="store_true", help="the draft that is being edited")
    parser.add_argument("--format", choices=FORMATS, default="md", help="render: md, html or json (default: md)")
    parser.add_argument("--json", action="store_true", help="lint: print exactly one JSON object")


def run(args: argparse.Namespace) -> int:
    """Lint: 0 clean or warnings only, 1 errors. Render: 0. Both: 2 for what cannot be read."""
    try:
        _check(args)
        if args.action == "render":
            print(_rendered(_document(args), args.format), end="")
            return 0
        return _lint(args)
    except _UnusableError as error:
        print(f"manyeyes policy: {error}", file=sys.stderr)
        if args.json:
            print(json.dumps({"verdict": None, "error": {"kind": "input", "message": str(error), "problems": []}}))
        return 2


def _check(args: argparse.Namespace) -> None:
    if args.action == "render" and (args.file or not args.program):
        raise _UnusableError("render writes out the policy of a program: give --program SLUG and no file.")
    if args.action == "lint" and bool(args.file) == bool(args.program):
        raise _UnusableError("Give either a FILE or --program SLUG.")
    if args.file and (args.version is not None or args.draft):
        raise _UnusableError("--version and --draft belong to --program.")
    if args.version is not None and args.draft:
        raise _UnusableError("Give either --version or --draft.")


def _lint(args: argparse.Namespace) -> int:
    given = _of_program(args) if args.program else _of_file(args.file)
    found = lint(given.texts, terms=given.terms, systems=given.systems, published=given.published)
    if args.json:
        data = {"question": "policy", "verdict": "ok" if found.ok else "errors", "source": given.source}
        print(json.dumps({**data, **found.to_json(), "unmatched": list(given.unmatched)}, allow_nan=False))
    else:
        print(printed(found, given.unmatched))
    return 0 if found.ok else 1


def _of_file(name: str) -> _Given:
    try:
        raw = sys.stdin.buffer.read(LONGEST + 1) if name == "-" else _bytes(Path(name))
    except OSError as error:
        raise _UnusableError(f"{name}: {error.strerror or 'cannot be read'}.") from None
    if len(raw) > LONGEST:
        raise _UnusableError(f"{name}: longer than {LONGEST:,} bytes is no policy.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _UnusableError(f"{name}: not UTF-8 text. Save it as Markdown or plain text.") from None
    found = read(text)
    return _Given(source=name, texts=found.sections, published=text, unmatched=found.unmatched)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST + 1)


def _of_program(args: argparse.Namespace) -> _Given:
    document = _document(args)
    systems = None if document.scope is None else sum(line.in_scope for line in document.scope)
    return _Given(
        source=args.program, texts=document.texts, terms=document.terms or None, systems=systems,
        published=document.markdown(),
    )  # fmt: skip


def _document(args: argparse.Namespace) -> Document:
    """The version that was asked for. Raises _UnusableError."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    from manyeyes.rules.errors import Refused

    try:
        django.setup()
        return _stored(args)
    except (ImproperlyConfigured, Refused) as error:
        raise _UnusableError(str(error)) from None
    except DatabaseError:
        raise _UnusableError("The database cannot be read; run `manyeyes init` first.") from None


def _stored(args: argparse.Namespace) -> Document:
    from manyeyes.programs import policy
    from manyeyes.programs.models import Program
    from manyeyes.rules.errors import NotFound

    program = Program.objects.filter(slug=args.program).first()
    if program is None:
        raise NotFound(f"There is no program {printable(args.program)}.")
    if args.draft:
        return policy.document(policy.next_version(program, policy.editing(program)))
    if args.version is not None:
        return policy.document(policy.published_version(program, args.version))
    if program.policy is None:
        raise NotFound("No policy is published yet; look at the draft with --draft.")
    return policy.document(program.policy)


def _rendered(document: Document, form: str) -> str:
    if form == "json":
        return json.dumps(document.to_json(), ensure_ascii=False, indent=2) + "\n"
    text = document.markdown()
    if form == "md":
        return text
    from manyeyes.templatetags.prose import prose

    title = html.escape(f"Disclosure policy of {document.organisation}, version {document.number}")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{prose(text)}</body></html>\n'


def printed(found: Lint, unmatched: tuple[str, ...] = ()) -> str:
    """What was found, for people; everything from the file is made fit for a terminal."""
    lines = [_measured(found), _maturity(found)]
    for level, word in (("error", "ERROR  "), ("warning", "WARNING"), ("note", "NOTE   ")):
        lines += [f"{word} {_told(one)}" for one in found.findings if one.level == level]
    lines += [f"NOTE    The heading “{printable(one)}” is none we know; read with the part above." for one in unmatched]
    said = sum(bool(place) for place in found.clauses.values())
    lines.append(f"{said} of {len(CLAUSES)} clauses are there. {'No errors.' if found.ok else 'There are errors.'}")
    return "\n".join(lines)


def _told(one: Finding) -> str:
    place = f"{HEADINGS.get(one.section, one.section)}: " if one.section else ""
    return f"{place}{printable(one.message)} {one.mend}"


def _measured(found: Lint) -> str:
    seen = found.measured
    if seen.flesch is None or seen.grade is None:
        return "0 words."
    return (
        f"{seen.words} words (at most {MOST_WORDS}), {seen.minutes:.1f} minutes. Flesch {seen.flesch:.0f} (at least "
        f"{LEAST_FLESCH:.0f}), grade {seen.grade:.1f} (at most {MOST_GRADE:.0f}), {seen.mean_sentence:.1f} words a "
        f"sentence (at most {MOST_MEAN:.0f})."
    )


def _maturity(found: Lint) -> str:
    needs = ", ".join(clause.title for clause in found.next_needs)
    more = f" Level {found.maturity + 1} needs: {needs}." if needs else ""
    return f"Maturity {found.maturity} of 5 (disclose.io).{more}"
