"""`manyeyes label`: say what answers were that no rule decided, or check a judge against people."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manyeyes.charts.inert import counted, escaped
from manyeyes.commands import by_hand, questions
from manyeyes.commands.calibrating import errs_words, keep_calibration
from manyeyes.commands.questions import UsageError
from manyeyes.rules.numerals import many
from manyeyes.runs.calibration import CalibrationError, calibrate, check_negatives
from manyeyes.runs.labelling import ToLabel, drawn, keep, label, negatives, waiting
from manyeyes.runs.labels import LabelError, labels_from
from manyeyes.runs.store import FileStore, Stored, StoreError

HELP = "say what answers were that no rule decided, or check a judge against people"
UNUSABLE, OPEN, INTERRUPTED = 2, 3, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, who labels, and which answers."""
    parser.add_argument("directory", metavar="DIR", help="where the run is kept, as --out named it")
    parser.add_argument("--by", default="", metavar="NAME", help="who labels; needed, since labels may be asked about")
    parser.add_argument("--file", metavar="FILE", help="take labels from a file: one JSON object a line")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--calibrate", type=questions.whole(1), metavar="N", help="label N judged answers, to know how the judge errs"
    )
    which.add_argument("--failures", action="store_true", help="check what a judge called failures after a fix")
    parser.add_argument("--seed", type=questions.whole(0), default=0, help="draws the answers (default 0)")
    parser.add_argument("--class", dest="vuln_class", default="", metavar="CODE", help="kind of flaw of a calibration")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def run(args: argparse.Namespace) -> int:
    """0 all is labelled, 3 some answers still wait, 2 unusable, 130 stopped in between."""
    directory = Path(args.directory)
    try:
        if not (directory / "plan.json").is_file():
            raise UsageError(f"{directory} holds no run: there is no plan.json. Give the directory that --out named.")
        if not args.file and not args.by.strip():
            raise UsageError("--by: say who labels, for example --by 'Theo L.'")
        store = FileStore(directory)
        try:
            done, stopped = _labelled(args, store)
            data = _outcome(args, store.load(), directory) | {"labelled": done}
        finally:
            store.close()
    except (UsageError, LabelError, CalibrationError, StoreError, OSError) as error:
        return questions.refuse(args, error, kind="input", code=UNUSABLE)
    questions.show(args, data, told(data, directory))
    return INTERRUPTED if stopped else OPEN if data["waiting"] else 0


def _labelled(args: argparse.Namespace, store: FileStore) -> tuple[int, bool]:
    """How many labels were taken, and whether the person stopped before the end."""
    if args.file:
        return keep(store, labels_from(Path(args.file).read_text(encoding="utf-8"), name=args.file)), False
    rows = _chosen(args, store.load())
    for number, row in enumerate(rows):
        by_hand.say(f"\n{'-' * 72}\nAnswer {number + 1} of {len(rows)}\n{shown(row)}")
        try:
            outcome = by_hand.tick()
        except (EOFError, KeyboardInterrupt):
            return number, True
        label(store, row.stream, row.index, outcome, by=args.by)
    return len(rows), False


def _chosen(args: argparse.Namespace, stored: Stored) -> Sequence[ToLabel]:
    if args.calibrate:
        return drawn(stored, n=args.calibrate, seed=args.seed)
    return negatives(stored, seed=args.seed) if args.failures else waiting(stored)


def shown(row: ToLabel) -> str:
    """One answer for a person; its texts are written so that they cannot act on the terminal."""
    parts = [
        f"   [{message['role']}]\n{by_hand.indented(_text(message.get('content', '')))}" for message in row.messages
    ]
    hidden = counted(row.answer)
    parts.append(
        f"   [answer{f', holds {hidden}' if hidden else ''}]\n{by_hand.indented(escaped(row.answer) or '(empty)')}"
    )
    return "\n".join([*parts, escaped(row.question)])


def _text(content: Any) -> str:
    return escaped(content if isinstance(content, str) else json.dumps(content))


def _outcome(args: argparse.Namespace, stored: Stored, directory: Path) -> dict[str, Any]:
    """What is left, and what the labels say of the judge. A calibration is kept beside the run."""
    data: dict[str, Any] = {"waiting": len(waiting(stored)), "calibration": None, "failures": None}
    if args.calibrate and not drawn(stored, n=args.calibrate, seed=args.seed):
        found = calibrate([stored], vuln_class=args.vuln_class, n=args.calibrate, seed=args.seed)
        data["calibration"] = keep_calibration(found, directory)
    if args.failures:
        data["failures"] = check_negatives(stored, seed=args.seed).said
    return data


def told(data: dict[str, Any], directory: Path) -> str:
    """What was labelled and what is next, for people."""
    lines = [f"{many(data['labelled'], 'answer')} labelled."]
    if found := data["calibration"]:
        lines.append(errs_words(found))
    if data["failures"]:
        lines.append(f"{data['failures'][:1].upper()}{data['failures'][1:]}.")
    if data["waiting"]:
        wait = many(data["waiting"], "answer still waits", "answers still wait")
        lines.append(f"{wait} for a word: manyeyes label {directory}")
    elif not data["calibration"] and not data["failures"]:
        lines.append(f"None waits. Run the replay again with --out {directory} to go on.")
    return "\n".join(lines)
