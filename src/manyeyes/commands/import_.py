"""`manyeyes import`: read a result file of another tool, say what was understood, and write drafts of reproducers."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manyeyes.charts.inert import THIN, escaped
from manyeyes.commands import questions
from manyeyes.plugins.imported import Finding, Imported, ImportRefused
from manyeyes.reproducer.model import CLASSES
from manyeyes.rules.numerals import many
from manyeyes.rules.readings import UNKNOWN, WORDS
from manyeyes.runs.importing import claims, draft_text, read_file

HELP = "read a result file of another tool: drafts, counts, and what is missing"
UNUSABLE, OPEN = 2, 3
IN_FULL = 10
CLAIMS = "claims.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, what it cannot tell by itself, and where the drafts go."""
    parser.add_argument("file", metavar="FILE", help="a report, log, result file or database of the tool")
    parser.add_argument("--format", metavar="NAME", help="the tool (default: told from the content)")
    parser.add_argument(
        "--out", metavar="DIR", help="where drafts and claims.json go (default: below manyeyes-imports)"
    )
    parser.add_argument(
        "--choose", type=questions.whole(1), metavar="N", help="write only the finding with this number"
    )
    parser.add_argument(
        "--success-means",
        choices=["pass", "fail"],
        metavar="pass|fail",
        help="whether a passed or a failed row is a successful attack (promptfoo, Inspect)",
    )
    parser.add_argument("--class", dest="vuln_class", choices=CLASSES, metavar="CODE", help="the kind of flaw")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def run(args: argparse.Namespace) -> int:
    """0 imported, 3 imported with a question left open, 2 refused."""
    answers = {"success_means": args.success_means} if args.success_means else {}
    try:
        imported = read_file(args.file, format=args.format, answers=answers)
        chosen = _chosen(imported, args.choose)
        written = _write(args, imported, chosen)
    except ImportRefused as error:
        return questions.refuse(args, error, kind="input", code=UNUSABLE, reason=error.kind)
    except (questions.UsageError, OSError) as error:
        return questions.refuse(args, error, kind="input", code=UNUSABLE)
    data = claims(imported) | {"written": [str(path) for path in written.values()]}
    questions.show(args, data, "\n".join(told(imported, chosen, written, classed=bool(args.vuln_class))))
    if imported.questions and not args.json:
        print(f"manyeyes: answer the question with {_flags(imported)} and import again", file=sys.stderr)
    return OPEN if imported.questions else 0


def _flags(imported: Imported) -> str:
    return " and ".join(
        f"--{question.name.replace('_', '-')} {'|'.join(answer for answer, _ in question.choices)}"
        for question in imported.questions
    )


def _chosen(imported: Imported, number: int | None) -> dict[int, Finding]:
    """The findings to write, by number."""
    numbered = dict(enumerate(imported.findings, start=1))
    if number is None:
        return numbered
    if number not in numbered:
        raise questions.UsageError(f"--choose: there is no finding {number}; the file has {len(numbered)}")
    return {number: numbered[number]}


def _write(args: argparse.Namespace, imported: Imported, chosen: dict[int, Finding]) -> dict[int, Path]:
    """Writes drafts and claims, each whole or not at all. Files of another import are never written over."""
    folder = Path(args.out) if args.out else Path("manyeyes-imports") / imported.sha256[:12]
    if folder.exists() and any(folder.iterdir()) and _imported_before(folder) != imported.sha256:
        raise questions.UsageError(f"--out: {folder} is not empty and holds no import of this file; choose another")
    folder.mkdir(parents=True, exist_ok=True)
    places: dict[int, Path] = {}
    for number, finding in chosen.items():
        places[number] = folder / f"{number:03d}-{_slug(finding.title)}.poc.yaml"
        _put(places[number], draft_text(finding, vuln_class=args.vuln_class))
    kept = claims(imported) | {"written": {str(number): path.name for number, path in places.items()}}
    _put(folder / CLAIMS, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return places


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _imported_before(folder: Path) -> str | None:
    try:
        data = json.loads((folder / CLAIMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data.get("sha256") if isinstance(data, dict) else None


def _slug(title: str) -> str:
    """A title as part of a file name.

    >>> _slug("Tell me the secret (now)!")
    'tell-me-the-secret-now'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:40].strip("-") or "finding"


def told(
    imported: Imported, chosen: dict[int, Finding], written: dict[int, Path], *, classed: bool = False
) -> Iterator[str]:
    """What was understood, for people: every reading with its source, and what is missing (`classed`: no class is)."""
    version = f" {imported.version}" if imported.version else ""
    yield _ours(f"{imported.form}{version}: {imported.name}, {imported.size:,} bytes, sha256 {imported.sha256}")
    for reading in imported.readings:
        yield _ours(f"{reading.name}: {reading.value} ({_source(reading.source)}). {reading.note}".rstrip())
    yield from (_ours(note) for note in imported.notes)
    if imported.left_out:
        left = many(imported.left_out, "finding", "findings")
        yield f"{left} with the fewest successes {'is' if imported.left_out == 1 else 'are'} left out."
    for place, (number, finding) in enumerate(chosen.items()):
        yield ""
        yield from _finding(number, finding, written[number], full=place < IN_FULL, classed=classed)
    for question in imported.questions:
        yield ""
        yield f"Question: {question.asks}"
        yield from (
            f"  --{question.name.replace('_', '-')} {answer}: {meaning}" for answer, meaning in question.choices
        )


def _finding(number: int, finding: Finding, path: Path, *, full: bool, classed: bool) -> Iterator[str]:
    counts = ", ".join(f"{_counted(tally.successes)} of {tally.trials}" for tally in finding.tallies)
    many = counts or (f"{finding.hits} hits, no rate" if finding.hits is not None else "not counted")
    yield _ours(f"{number}. {finding.title}: {many}")
    if full:
        width = max((len(reading.name) for reading in finding.readings), default=0)
        before = ""
        for reading in finding.readings:
            note = f"  {reading.note}" if reading.note and reading.note != before else ""
            before = reading.note
            source = "" if reading.source == UNKNOWN else f"  [{_source(reading.source)}]"
            yield _ours(f"   {reading.name:<{width}}  {reading.value}{source}{note}")
    for row in finding.missing if full else ():
        if row.field != "class" or not classed:
            yield _ours(f"   missing: {row.field}. {row.why}")
    yield f"   draft: {path}"


def _counted(successes: int | None) -> str:
    return "?" if successes is None else str(successes)


def _source(source: str) -> str:
    words: Any = WORDS
    return str(words.get(source, source))


def _ours(text: str) -> str:
    """Words of a file with its hidden characters shown; the thin space before a percent sign is our own."""
    return THIN.join(escaped(part) for part in text.split(THIN))
