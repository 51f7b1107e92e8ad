"""`manyeyes rejudge`: judge the stored answers of a run again, by another rule or another judge."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from manyeyes.commands import questions, reaching
from manyeyes.commands.calibrating import errs_words, keep_calibration
from manyeyes.commands.questions import UsageError
from manyeyes.plugins.detection import roles
from manyeyes.plugins.protocols import Target
from manyeyes.reproducer.detection import Rule
from manyeyes.reproducer.load import load_file
from manyeyes.reproducer.parse import ReproducerError
from manyeyes.rules.numerals import many
from manyeyes.runs.calibration import calibrate_again
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.judges import MACHINES
from manyeyes.runs.reach import open_target
from manyeyes.runs.rejudge import Rejudged, keep, rejudge
from manyeyes.runs.store import FileStore, Stored, StoreError
from manyeyes.runs.throttling import TargetUnreachable

HELP = "judge the stored answers of a run again, by another rule or another judge"
UNUSABLE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, the rule, and the judge that it asks."""
    parser.add_argument("directory", metavar="DIR", help="where the run is kept, as --out named it")
    parser.add_argument(
        "--rule", metavar="RULE", help="a reproducer file, or a rule itself, for example '{contains: \"9\"}'"
    )
    parser.add_argument("--fresh", action="store_true", help="ask the judge again where its answer is on record")
    parser.add_argument(
        "--calibrate", type=questions.whole(1), nargs="?", const=0, metavar="N",
        help="count how the judge errs, by the labels of people (N and --seed as given to label --calibrate)",
    )  # fmt: skip
    parser.add_argument("--seed", type=questions.whole(0), default=0, help="of the draw that was labelled (default 0)")
    parser.add_argument("--class", dest="vuln_class", default="", metavar="CODE", help="kind of flaw of a calibration")
    parser.add_argument("--max-calls", type=questions.whole(1), metavar="N", help="most calls of the judge")
    parser.add_argument("--concurrency", type=questions.whole(1), default=4, metavar="N", help="at once (default 4)")
    parser.add_argument("--timeout", type=questions.amount, default=120.0, metavar="S", help="seconds to wait")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    reaching.add_judge(parser)


def run(args: argparse.Namespace) -> int:
    """0 judged again (whatever came of it), 2 unusable."""
    directory = Path(args.directory)
    try:
        stored = _stored(directory)
        rule = rule_of(args.rule, stored)
        infos = _infos(args, stored)
        found = asyncio.run(_again(args, stored, rule, infos))
        place = keep(directory, found)
        errs = _calibrated(args, stored, found, infos, directory)
    except (UsageError, StoreError, ValueError, TargetUnreachable, OSError) as error:
        return questions.refuse(args, error, kind="input", code=UNUSABLE)
    before = (stored.result or {}).get("verdict")
    data = {**found.to_json(), "file": str(place), "verdict_before": before, "calibration": errs}
    questions.show(args, data, told(found, before, place) + (f"\n{errs_words(errs)}" if errs else ""))
    return 0


def _calibrated(
    args: argparse.Namespace, stored: Stored, found: Rejudged, infos: Mapping[str, TargetInfo], directory: Path
) -> dict[str, Any] | None:
    """How the judge errs, kept beside the run; None where nobody asked."""
    if args.calibrate is None:
        return None
    n = args.calibrate or None
    made = calibrate_again(stored, found, infos, vuln_class=args.vuln_class, n=n, seed=args.seed)
    return keep_calibration(made, directory)


def _stored(directory: Path) -> Stored:
    if not (directory / "plan.json").is_file():
        raise UsageError(f"{directory} holds no run: there is no plan.json. Give the directory that --out named.")
    store = FileStore(directory)
    try:
        return store.load()
    finally:
        store.close()


def rule_of(named: str | None, stored: Stored) -> dict[str, Any]:
    """The rule that was named: of a reproducer, or written out; else the run's own. Raises UsageError."""
    if named is None:
        assert stored.document is not None
        return dict(stored.document.detectors["success"])
    try:
        if Path(named).is_file():
            return load_file(named).success.to_json()
        return Rule.model_validate(yaml.safe_load(named)).to_json()
    except ReproducerError as error:
        raise UsageError(f"--rule: {error}", error.problems) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"--rule: {place + ': ' if place else ''}{first['msg']}") from None
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        where = f" at character {at.column + 1}" if at is not None else ""
        raise UsageError(
            f"--rule: {named[:80]!r} is neither a file nor a rule: it cannot be read{where}; "
            "close every bracket and quote"
        ) from None
    except (OSError, RecursionError) as error:
        raise UsageError(f"--rule: {named[:80]!r} is neither a file nor a rule: {str(error)[:200]}") from None


def _infos(args: argparse.Namespace, stored: Stored) -> dict[str, TargetInfo]:
    """Where each judge is asked: as the run says, unless it is named here."""
    assert stored.document is not None
    infos = {role: info for role, info in stored.document.targets.items() if role in MACHINES}
    if args.judge:
        infos["judge"] = TargetInfo(url=args.judge, model=args.judge_model, label="judge")
    if args.confirm_url or args.confirm_model:
        infos["confirm"] = TargetInfo(url=args.confirm_url or args.judge, model=args.confirm_model)
    return infos


async def _again(
    args: argparse.Namespace, stored: Stored, rule: dict[str, Any], infos: Mapping[str, TargetInfo]
) -> Rejudged:
    targets: dict[str, Target] = {}
    variables = {"judge": args.judge_key_env, "confirm": args.confirm_key_env}
    try:
        for role in sorted(roles(rule) & MACHINES & set(infos)):
            key = reaching.key_from(variables[role], f"--{role}-key-env")
            targets[role] = open_target(infos[role], key=key, connections=args.concurrency, timeout=args.timeout)
        return await rejudge(
            stored, rule, targets=targets, fresh=args.fresh, concurrency=args.concurrency, max_calls=args.max_calls
        )
    finally:
        for target in targets.values():
            await target.close()


def told(found: Rejudged, before: str | None, place: Path) -> str:
    """What changed, for people."""
    open_rows = sum(one.new is None for one in found.rows)
    lines = [
        f"{many(len(found.rows), 'answer')} judged again, {many(found.calls, 'call')} of the judge.",
        f"{found.gained} became a success, {found.lost} {'is' if found.lost == 1 else 'are'} none any more "
        f"(p = {found.p_value:.3f} if it were chance).",
    ]
    if open_rows:
        stay = "stays" if open_rows == 1 else "stay"
        lines.append(f"{open_rows} {stay} open: a person must say, or the calls were used up.")
    after = "none: the plan would need trials that were not made" if found.verdict is None else found.verdict.verdict
    lines.append(f"verdict on record: {before or 'none'}; with the new rule: {after}")
    flipped = [one for one in found.rows if one.flipped]
    lines += [f"  {one.stream} {one.index}: {one.old} -> {one.new}" for one in flipped[:20]]
    lines += [f"  and {len(flipped) - 20} more" for _ in flipped[20:21]]
    return "\n".join([*lines, f"Kept in {place}. What is on record stays as it is."])
