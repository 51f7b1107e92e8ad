"""Goes on with a run that ended without an answer: the plan that it has, up to a larger cap."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from manyeyes.commands.questions import UsageError
from manyeyes.runs.document import DocumentError, PlanDocument
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
    return (lambda: _longer(args, prepared)) if args.resume else (lambda: _as_begun(args, prepared()))


def _as_begun(args: argparse.Namespace, asked: PlanDocument) -> PlanDocument:
    """The plan asked for, or the one in --out where that is the same as an earlier version of this program made it."""
    try:
        kept = PlanDocument.from_json(json.loads((Path(args.out) / "plan.json").read_bytes())) if args.out else None
    except (OSError, ValueError, DocumentError):
        return asked  # what cannot be read there is said when the run is opened
    earlier = _by_the_rules_of(asked, kept) if kept is not None else asked
    return earlier if kept is not None and earlier.hash == kept.hash else asked


def _by_the_rules_of(asked: PlanDocument, kept: PlanDocument) -> PlanDocument:
    """The plan as an earlier edition made it, where the kept one is of that: rules change, runs go on."""
    plan, edition = asked.plan, kept.plan.edition
    if plan.edition is None or edition == plan.edition:
        return asked
    arm = plan.positive
    if edition is None and arm is not None:
        arm = replace(arm, most=None)
    return replace(asked, plan=replace(plan, edition=edition, positive=arm))


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
    asked = _by_the_rules_of(prepared(), kept)
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
