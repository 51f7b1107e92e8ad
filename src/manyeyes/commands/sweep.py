"""`manyeyes sweep`: try all closed findings again on a new version, as a gate before it is released."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manyeyes.commands import chosen, handouts, questions, reaching, running
from manyeyes.commands.findings import findings_in, naming
from manyeyes.commands.gate_files import junit, sarif, write_text
from manyeyes.commands.questions import UsageError
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules import clock
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.wider import prepare_sweep

HELP = "try all closed findings again on a new version, and say which came back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The findings, the limits, where the model is, and what a build server reads."""
    questions.add_question(parser, errors=False, several=True)
    questions.add_sweep(parser)
    reaching.add_target(parser)
    reaching.add_judge(parser)
    handouts.add_handouts(parser)
    group = parser.add_argument_group("for a build server")
    group.add_argument("--junit", metavar="FILE", help="write JUnit XML: one test case a finding")
    group.add_argument("--sarif", metavar="FILE", help="write SARIF 2.1.0: one result a finding")


def run(args: argparse.Namespace) -> int:
    """0 nothing came back, 1 something did, 3 not decided, 2 unusable, 4 limit reached, 130 interrupted."""
    keys: dict[str, str | None] = {}
    files: dict[str, str] = {}

    def prepared() -> PlanDocument:
        if args.confirm or args.calibration:
            raise UsageError("--confirm and --calibration: a sweep takes each finding's own rule; write it there")
        keys["main"] = reaching.key_from(args.key_env)
        targets = {"main": reaching.target_of(args)}
        found = findings_in(Path(args.directory), sandbox=args.sandbox)
        files.update({key: path for key, (path, _) in found.items()})
        args.findings = {path: _images(reproducer) for path, reproducer in found.values()}
        _judged(args, dict(found.values()), targets, keys)
        reproducers = {key: reproducer for key, (_, reproducer) in found.items()}
        with naming(files):
            return prepare_sweep(reproducers, targets=targets, options=chosen.options_of(args))

    def hand_out(result: Mapping[str, Any]) -> dict[str, str]:
        written = {}
        if args.junit:
            write_text(Path(args.junit), junit(result, ended=clock.now().isoformat()))
            written["junit"] = args.junit
        if args.sarif:
            write_text(Path(args.sarif), sarif(result, files))
            written["sarif"] = args.sarif
        return written

    return running.carry_out(args, prepared, keys, hand_out=hand_out)


def _judged(
    args: argparse.Namespace,
    reproducers: Mapping[str, Reproducer],
    targets: dict[str, TargetInfo],
    keys: dict[str, str | None],
) -> None:
    """Adds the judges of all findings. Raises UsageError, which names the file whose rule asks one."""
    asking = []
    for path, reproducer in reproducers.items():
        try:
            asking += [path] if reaching.asked(args, [reproducer]) else []
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
    try:
        reaching.judged(args, reproducers.values(), targets, keys)
    except UsageError as error:
        if not asking:
            raise
        more = f" and {len(asking) - 1} more" if len(asking) > 1 else ""
        raise UsageError(f"{asking[0]}{more}: {error}") from None


def _images(reproducer: Reproducer) -> frozenset[str]:
    """The hashes of the images that its conversations name."""
    return frozenset(one.sha256 for one in (reproducer.attachments or {}).values())
