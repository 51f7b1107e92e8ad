"""`manyeyes verify-bundle`: check an evidence bundle and score it again, offline."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from manyeyes.commands import questions
from manyeyes.plugins.builtin.targets.saying import printable
from manyeyes.rules.numerals import many
from manyeyes.runs.bundle import BundleError
from manyeyes.runs.rescore import BundleReport, verify_bundle

HELP = "check an evidence bundle and score it again, offline"
DIFFERS, UNCHECKED = 1, 3


class TooLongError(BundleError):
    """The plan in the bundle makes more work than it was given time for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bundle, and who should have signed it."""
    parser.add_argument("file", metavar="FILE", help="the evidence bundle")
    parser.add_argument("--signer", metavar="FPR", help="fingerprint of the key that must have signed it")
    parser.add_argument(
        "--seconds", type=questions.whole(1), default=600, metavar="N", help="of computing at most (default 600)"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def run(args: argparse.Namespace) -> int:
    """0 intact and identical, 1 not so, 3 nothing in it could be checked by machine, 2 no bundle."""
    try:
        with _within(args.seconds):
            report = verify_bundle(Path(args.file), signer=args.signer)
    except (BundleError, ValueError) as error:
        named = f"--signer: {error}" if isinstance(error, ValueError) else printable(str(error))
        return questions.refuse(args, questions.UsageError(named), kind="input", code=2)
    questions.show(args, report.to_json(), told(report, expected=args.signer is not None))
    if not report.ok:
        return DIFFERS
    return 0 if report.by_machine else UNCHECKED


@contextlib.contextmanager
def _within(seconds: int) -> Iterator[None]:
    """Raises TooLongError after so much computing: how much there is to compute was chosen by a stranger."""

    def enough(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"scoring it again takes more than {seconds} s of computing; allow more with --seconds")

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread of a process can be told
        return
    before = signal.signal(signal.SIGVTALRM, enough)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def told(report: BundleReport, *, expected: bool = False) -> str:
    """What was looked at and what came of it, for people. Everything from the bundle is made fit for a terminal."""
    lines = [] if report.by_machine else [f"NOTHING CHECKED BY MACHINE: {_unchecked(report)}"]
    lines += [f"{'INTACT' if report.intact else 'NOT INTACT'}: {_chain(report, expected)}"]
    lines += [f"  {printable(problem)}" for problem in report.problems]
    again = f"{many(report.trials, 'outcome')} scored again give {report.rescored or 'no verdict'!r}"
    word = "IDENTICAL" if report.identical else "DIFFERENT"
    lines.append(f"{word}: the record says {printable(report.verdict)!r}; {again}.")
    for one in report.differences:
        on_record, found = printable(one.on_record), printable(one.found)
        lines.append(f"  {printable(one.what)}: on record {on_record}; found {found}")
    if report.differing > len(report.differences):
        lines.append(f"  and {report.differing - len(report.differences)} more")
    if report.command:
        lines.append(f"The maker says to have typed: {printable(report.command)}")
    lines.append(f"{_texts(report)} Plan {report.plan_hash[:12]}: {printable(report.title)}")
    return "\n".join(lines)


def _unchecked(report: BundleReport) -> str:
    """Why no answer and no request could be looked at."""
    if report.by_hand:
        why = "every trial was ticked by hand"
    elif not report.with_text:
        why = "the texts were left out"
    else:
        why = "its trials are of kinds that cannot be built or judged again"
    return f"{why}. The counts were added up again; whether anything of it happened is the word of the signer alone."


def _chain(report: BundleReport, expected: bool) -> str:
    if not report.intact:
        return "do not rely on this bundle."
    who = "as expected" if expected else "a key that nobody vouched for: compare it with what the sender told you"
    return f"nothing was changed since it was signed by {report.signer} ({who})."


def _texts(report: BundleReport) -> str:
    if not report.with_text:
        return (
            "No texts are in it: the outcomes on record were counted, no answer was judged again, and what was sent "
            "was not looked at. For these the word of the signer stands."
        )
    are = many(report.with_text, "answer is", "answers are")
    said = f"{are} in it, {many(report.judged_again, 'was', 'were')} judged again by the success rule."
    if report.sent_checked:
        said += f" Of {report.sent_checked} what was sent is held against the plan."
    if report.sent_unchecked:
        said += f" Of {report.sent_unchecked} what was sent was not checked: this kind of trial cannot be built again."
    if report.asked_checked:
        said += f" Of {many(report.asked_checked, 'question')} to judges the words are held against the rule."
    if report.asked_unchecked:
        said += f" Of {report.asked_unchecked} they were not checked: this kind of judge cannot be built again."
    return said
