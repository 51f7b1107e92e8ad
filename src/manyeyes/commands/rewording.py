"""Has a model paraphrase the reported wording before a plan is frozen, or takes what it made when the run began."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from manyeyes.commands.questions import UsageError
from manyeyes.commands.reaching import key_from
from manyeyes.plugins.protocols import TargetError
from manyeyes.reproducer.model import Reproducer
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.paraphrasing import NOTE, Paraphrased, may_be_paraphrased, paraphrased, read_note
from manyeyes.runs.reach import open_target


def paraphrased_for(args: argparse.Namespace, reproducer: Reproducer) -> Paraphrased | None:
    """The wordings of the model that --paraphrase names; None where nobody is to be asked. Raises UsageError.

    A run that goes on takes the wordings of its plan, whatever the model would say today.
    """
    if not args.paraphrase:
        if args.paraphrase_model or args.paraphrase_key_env:
            raise UsageError("--paraphrase: name the address of the model that is to make other wordings")
        return None
    may_be_paraphrased(reproducer)
    if (note := _on_record(args)) is not None:
        return read_note(note)
    key = key_from(args.paraphrase_key_env, "--paraphrase-key-env")
    info = TargetInfo(url=args.paraphrase, model=args.paraphrase_model, label="paraphrases")
    try:
        found = asyncio.run(_made(args, reproducer, info, key))
    except TargetError as error:
        raise UsageError(f"--paraphrase: {error}") from None
    print(f"paraphrases: {found.told}; {args.paraphrase} was shown the reported wording", file=sys.stderr)
    return found


def _on_record(args: argparse.Namespace) -> str | None:
    """The note of the plan in --out, where a run has begun there."""
    try:
        data = json.loads((Path(args.out) / "plan.json").read_bytes()) if args.out else {}
        note = data["plan"]["notes"].get(NOTE)
        return note if isinstance(note, str) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # the store says what is wrong with it


async def _made(args: argparse.Namespace, reproducer: Reproducer, info: TargetInfo, key: str | None) -> Paraphrased:
    target = open_target(info, key=key, connections=1, timeout=args.timeout)
    try:
        return await paraphrased(reproducer, target, info, wanted=args.paraphrases, seed=args.seed or 0)
    finally:
        await target.close()
