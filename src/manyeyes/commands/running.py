"""Runs a prepared plan in the terminal: live progress on standard error, the verdict on standard output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyeyes.charts.inert import terminal
from manyeyes.commands import handouts
from manyeyes.commands.picture import drawable
from manyeyes.commands.progress import Live
from manyeyes.commands.questions import UsageError, refuse, run_directory, show
from manyeyes.commands.reaching import OPENAI
from manyeyes.commands.telling import told
from manyeyes.plugins.protocols import Target, TargetError
from manyeyes.rules import clock
from manyeyes.runs.blobs import BlobSource, beside
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.driver import AwaitingLabel, BudgetStop, TargetUnreachable, run
from manyeyes.runs.environments import EnvironmentBroken
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.reach import open_target
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import FileStore, StoreError

if TYPE_CHECKING:
    from manyeyes.runs.signing import SigningKey

EXIT = {
    "reproduced": 0,
    "holds": 0,
    "scored": 0,
    "not_reproduced": 1,
    "fails": 1,
    "not_shown": 1,
    "symptom_patched": 1,
    "reduced": 1,
    "inconclusive": 3,
    "found": 0,
    "budget": 0,
    "better": 0,
    "worse": 1,
    "clear": 0,
    "regressed": 1,
}
UNUSABLE, UNDECIDED, BUDGET, INTERRUPTED = 2, 3, 4, 130


def seed_for(args: argparse.Namespace) -> int:
    """The seed that was given, else that of the run in --out, else a fresh one."""
    if args.seed is not None:
        return int(args.seed)
    if args.out and (Path(args.out) / "plan.json").exists():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return int(json.loads((Path(args.out) / "plan.json").read_bytes())["plan"]["seed"])
    return secrets.randbelow(2**31)


HandOut = Callable[[Mapping[str, Any]], dict[str, str]]
"""Writes further files of a result, and names them."""


def carry_out(
    args: argparse.Namespace,
    prepared: Callable[[], PlanDocument],
    keys: Mapping[str, str | None],
    *,
    hand_out: HandOut | None = None,
) -> int:
    """Prepares and runs to the end; gives the exit code. Every way to end says something useful."""
    try:
        key = handouts.ready(args)
        args.seed = seed_for(args)
        document = prepared()
        place = place_for(args, document)
        store = FileStore(place)
    except (UsageError, ValueError) as error:
        return refuse(args, error, kind="input", code=UNUSABLE)
    except OSError as error:
        return refuse(
            args,
            UsageError(f"--out: the folder {args.out} cannot be made or written: {error.strerror}"),
            kind="input",
            code=UNUSABLE,
        )
    known: dict[str, Any] = {"question": str(document.plan.question), "plan_hash": document.hash, "out": str(place)}
    progress = Live(document.plan, terminal=sys.stderr.isatty())
    if not all(info.model for info in document.targets.values() if info.kind == OPENAI):
        print("no --model was given: requests name no model, and the server takes its own", file=sys.stderr)
    print(f"plan {document.hash[:12]}, seed {document.plan.seed}, kept in {place}", file=sys.stderr)
    try:
        result = asyncio.run(_interruptible(_run(args, document, store, keys, progress)))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return refuse(
            args, _KeptError("interrupted", place), kind="interrupted", code=INTERRUPTED, **_calls(store), **known
        )
    except TargetUnreachable as error:
        kept = _KeptError(f"{error}; paused", place)
        return refuse(args, kept, kind="target_unreachable", code=UNUSABLE, **_calls(store), **known)
    except EnvironmentBroken as error:
        kept = _KeptError(f"{error}; paused", place)
        return refuse(args, kept, kind="environment_broken", code=UNUSABLE, **_calls(store), **known)
    except BudgetStop as error:
        kept = _KeptError(f"{error}, with no verdict yet", place)
        return refuse(args, kept, kind="budget", code=BUDGET, **_calls(store), **known)
    except AwaitingLabel as error:
        kept = _KeptError(f"{error}: manyeyes label {place}", place)
        return refuse(args, kept, kind="awaiting_label", code=UNDECIDED, **_calls(store), **known)
    except (StoreError, ValueError, LookupError, TargetError) as error:
        return refuse(args, error, kind="input", code=UNUSABLE, **known)
    except OSError as error:
        kept = _KeptError(f"{place}: {error.strerror or error}", place)
        return refuse(args, kept, kind="store", code=UNUSABLE, **known)
    finally:
        progress.end()
        store.close()
    return conclude(args, result, place, key, hand_out=hand_out)


def place_for(args: argparse.Namespace, document: PlanDocument) -> Path:
    """Where a run is kept: the named directory, else a new one named after time and plan."""
    return run_directory(args, f"{clock.now():%Y%m%dT%H%M%S}-{document.hash[:8]}")


def conclude(
    args: argparse.Namespace,
    result: RunResult,
    place: Path,
    key: SigningKey | None,
    *,
    hand_out: HandOut | None = None,
    origin: str = "",
) -> int:
    """Says the verdict, and writes what is handed out beside it; gives the exit code."""
    known: dict[str, Any] = {**result.to_json(), "out": str(place), **({"origin": origin} if origin else {})}
    words = told(result, blocks=drawable()) + ("\nAll trials were made by hand." if origin == "manual" else "")
    try:
        handouts.keep_command(args, place)
        known |= handouts.hand_out(args, place, key)
        known |= hand_out(result.to_json()) if hand_out else {}
    except (UsageError, OSError) as error:
        show(args, {**known, "error": {"kind": "input", "message": str(error), "problems": []}}, words)
        print(terminal(f"manyeyes: {error}"), file=sys.stderr)
        return UNUSABLE
    show(args, known, words)
    return EXIT[result.verdict.verdict]


class _KeptError(Exception):
    def __init__(self, said: str, place: Path) -> None:
        super().__init__(f"{said}. Nothing is lost: run the same command with --out {place} to go on.")


def _calls(store: FileStore) -> dict[str, int]:
    try:
        return {"calls": store.load().calls}
    except StoreError:
        return {}


def _files_of(args: argparse.Namespace) -> BlobSource:
    """Where images are looked for by their hash: in the folders that belong to the reproducers."""
    if (file := getattr(args, "file", None)) is not None:
        return beside(file)
    needed: Mapping[str, frozenset[str]] = getattr(args, "findings", {})
    folders = {inside: beside(Path(args.directory) / inside) for inside in needed}

    def find(sha256: str) -> bytes:
        for folder in folders.values():
            with contextlib.suppress(LookupError):
                return folder(sha256)
        inside = next(inside for inside, images in needed.items() if sha256 in images)
        raise LookupError(f"{inside} needs it; put it into {folders[inside].place}, under any name")

    return find


async def _interruptible(work: Any) -> RunResult:
    """SIGTERM ends a run as SIGINT does: in order."""
    task = asyncio.ensure_future(work)
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    result: RunResult = await task
    return result


async def _run(
    args: argparse.Namespace,
    document: PlanDocument,
    store: FileStore,
    keys: Mapping[str, str | None],
    progress: Live,
) -> RunResult:
    targets: dict[str, Target] = {}
    try:
        for role, info in document.targets.items():
            targets[role] = open_target(
                info,
                key=keys.get(role),
                connections=args.concurrency,
                timeout=args.timeout,
                record=Path(args.record) if args.record else None,
            )
        return await run(
            document,
            store,
            targets,
            concurrency=args.concurrency,
            on_progress=progress,
            pacing=replace(Pacing(), retries=args.retries),
            blobs=_files_of(args),
        )
    finally:
        for target in targets.values():
            await target.close()
