"""`manyeyes bundle`: make a signed evidence bundle of a finished run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from manyeyes.commands import handouts, questions
from manyeyes.rules.numerals import many
from manyeyes.runs.bundle import BundleError, evidence_in, write_bundle

HELP = "make a signed evidence bundle of a finished run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how it is bundled."""
    parser.add_argument("directory", metavar="DIR", help="where the run is kept, as --out named it")
    parser.add_argument("--bundle", metavar="FILE", help="the file to write (default: evidence.zip in DIR)")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    handouts.add_bundle(parser)


def run(args: argparse.Namespace) -> int:
    """0 written, 2 for a run that is not there or not finished."""
    directory = Path(args.directory)
    file = Path(args.bundle) if args.bundle else directory / "evidence.zip"
    try:
        evidence = handouts.with_command(evidence_in(directory), directory)
        handouts.writable("--bundle", file)
        key = handouts.signing_key(args)
        write_bundle(evidence, key, file, texts=not args.no_texts)
    except (questions.UsageError, BundleError, OSError) as error:
        return questions.refuse(args, error, kind="input", code=2)
    data = {
        "bundle": str(file),
        "signer": key.fingerprint,
        "plan_hash": evidence.document.hash,
        "verdict": evidence.result.get("verdict"),
        "trials": len(evidence.trials),
        "texts": not args.no_texts,
    }
    texts = "without the target's texts" if args.no_texts else "with the target's texts"
    print(f"{file}: {many(len(evidence.trials), 'trial')}, {texts}, signed by {key.fingerprint}", file=sys.stderr)
    questions.show(args, data, f"Check it anywhere: manyeyes verify-bundle {file} --signer {key.fingerprint}")
    return 0
