"""What a run hands out beside its verdict: a signed evidence bundle, and a report to read."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from manyeyes.commands.questions import UsageError

if TYPE_CHECKING:
    from manyeyes.runs.bundle import Evidence
    from manyeyes.runs.signing import SigningKey


def add_handouts(parser: argparse.ArgumentParser) -> None:
    """The files to write after the verdict."""
    group = parser.add_argument_group("files to hand out")
    group.add_argument("--html", metavar="FILE", help="write a report to read: one file, nothing to load")
    group.add_argument("--bundle", metavar="FILE", help="write a signed evidence bundle, to be scored again offline")
    add_bundle(group)


def add_bundle(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """How a bundle is made."""
    group.add_argument("--no-texts", action="store_true", help="leave out what the target said; digests stay")
    group.add_argument(
        "--signing-key", metavar="FILE", help="default ~/.config/manyeyes/signing-key.pem, made on first use"
    )


def ready(args: argparse.Namespace) -> SigningKey | None:
    """Looks before anything is spent whether all files can be written. Raises UsageError."""
    for option in ("html", "bundle", "junit", "sarif"):
        if named := getattr(args, option, None):
            writable(f"--{option}", Path(named))
    return signing_key(args) if getattr(args, "bundle", None) else None


def writable(option: str, file: Path) -> None:
    """Raises UsageError where a file could not be written there."""
    if file.is_dir():
        raise UsageError(f"{option}: {file} is a directory; name a file")
    if not file.parent.is_dir():
        raise UsageError(f"{option}: there is no directory {file.parent}; make it first")


def signing_key(args: argparse.Namespace) -> SigningKey:
    """The key that signs; says so when it was made just now. Raises UsageError."""
    # Cryptography takes long to load, and most runs sign nothing.
    from manyeyes.runs.signing import KeyFileError, load_or_make, usual_place

    file = Path(args.signing_key) if args.signing_key else usual_place()
    try:
        key, made = load_or_make(file)
    except KeyFileError as error:
        raise UsageError(f"--signing-key: {error}") from None
    if made:
        print(f"made the signing key {file}; tell others its fingerprint: {key.fingerprint}", file=sys.stderr)
    return key


def hand_out(args: argparse.Namespace, place: Path, key: SigningKey | None) -> dict[str, str]:
    """Writes what was asked for of the finished run in `place`; the names of the files. Raises UsageError."""
    if not args.html and not args.bundle:
        return {}
    # Charts and cryptography take long to load, and most runs hand out nothing.
    from manyeyes.commands.report import write_report
    from manyeyes.runs.bundle import BundleError, evidence_in, write_bundle

    written: dict[str, str] = {}
    try:
        if args.html:
            write_report(evidence_in(place), Path(args.html), texts=not args.no_texts, again=typed_again(args))
            written["html"] = args.html
            print(f"report: {args.html}", file=sys.stderr)
        if args.bundle and key is not None:
            write_bundle(with_command(evidence_in(place), place), key, Path(args.bundle), texts=not args.no_texts)
            written |= {"bundle": args.bundle, "signer": key.fingerprint}
            print(f"evidence bundle: {args.bundle}, signed by {key.fingerprint}", file=sys.stderr)
    except (BundleError, OSError) as error:
        raise UsageError(str(error)) from None
    return written


COMMAND = "command.txt"


def keep_command(args: argparse.Namespace, place: Path) -> None:
    """Keeps what was typed beside the run, without keys, for a bundle that is made of it later."""
    with open(os.open(place / COMMAND, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(f"{typed_again(args)}\n")


def with_command(evidence: Evidence, place: Path) -> Evidence:
    """The evidence with the command that made it, where the run kept one."""
    file = place / COMMAND
    said = file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""
    return replace(evidence, facts={**evidence.facts, "command": said}) if said else evidence


HERE_ONLY = frozenset(
    {"help", "json", "out", "html", "bundle", "no_texts", "signing_key", "junit", "sarif", "record", "resume", "seed"}
)
"""Options that say what becomes of a run here, and nothing of what is asked; the seed comes last by itself."""


def typed_again(args: argparse.Namespace) -> str:
    """The command that makes the same plan again: every option that is not as usual, but for files here and keys."""
    parser: argparse.ArgumentParser = args.parser
    words = parser.prog.split()
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        if action.dest in HERE_ONLY or action.dest.endswith("key_env") or value == action.default:
            continue
        if not action.option_strings:
            words.insert(2, _source(args))
        elif action.nargs == 0:
            words.append(action.option_strings[-1])
        else:
            for one in value if isinstance(value, list) else [value]:
                words += [action.option_strings[-1], _end(str(one))]
    return shlex.join([*words, "--seed", str(args.seed)])


def _end(named: str) -> str:
    """Of a whole path only the end, which others have too; everything else as it is."""
    return Path(named).name if named.startswith("/") else named


def _source(args: argparse.Namespace) -> str:
    """The file or folder that the run read, as it was typed; of a whole path only the end, which others have too."""
    said = vars(args)
    named = Path(str(said.get("file") or said.get("directory") or ""))
    return named.name if named.is_absolute() else str(named)
