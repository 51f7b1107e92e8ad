"""Goes on with a run that ended without an answer: the plan that it has, up to a larger cap."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from manyeyes.commands.questions import UsageError
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.store import FileStore, StoreError


def add_resume(parser: argparse.ArgumentParser) -> None:
    """The switch; the new cap is --cap."""
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --out that ended without an answer, up to the larger --cap given now",
    )


def going_on(args: argparse.Namespace, prepared: Callable[[], PlanDocument]) -> Callable[[], PlanDocument]:
    """What prepares the plan: as it is, or with --resume the one in --out with a larger cap. Raises UsageError then."""
    return (lambda: _longer(args, prepared)) if args.resume else prepared


def _longer(args: argparse.Namespace, prepared: Callable[[], PlanDocument]) -> PlanDocument:
    if not args.out or args.cap is None:
        raise UsageError("--resume: name the run with --out DIR, and say how far to go on with --cap N")
    if not (Path(args.out) / "plan.json").is_file():
        raise UsageError(f"--resume: {args.out} holds no run: there is no plan.json. Leave --resume out to begin one.")
    try:
        stored = FileStore(args.out).ended()
    except StoreError as error:
        raise UsageError(str(error)) from None
    kept = stored.document
    assert kept is not None
    wanted, args.cap = args.cap, kept.plan.cap
    asked = prepared()
    # Asked anew, the plan must be the kept one to the letter: nothing but the cap may change once answers are known.
    same = replace(asked, plan=replace(asked.plan, resumes=kept.plan.resumes))
    if same.hash != kept.hash:
        raise UsageError(f"--resume: {args.out} holds another plan; give the words it was begun with, and --cap anew")
    if stored.result is None and kept.plan.resumes and wanted == kept.plan.cap:
        return same  # it was interrupted on its way to this very cap
    try:
        return same.gone_on(stored.result, cap=wanted)
    except ValueError as error:
        raise UsageError(f"--resume: {error}") from None
