"""`manyeyes compare`: ask whether a new version gives way more or less often than an old one."""

from __future__ import annotations

import argparse
from dataclasses import replace

from manyeyes.commands import chosen, handouts, questions, reaching, running
from manyeyes.commands.questions import UsageError
from manyeyes.engine.plan import Question
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.prepare import prepare

HELP = "ask whether a new version is worse or better than an old one, on live models"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, the limits, and where both versions are."""
    questions.add_question(parser)
    questions.add_compare(parser)
    group = parser.add_argument_group("versions: an address (with ://), or the name of a model at --target")
    group.add_argument("--old", required=True, metavar="A", help="the old version")
    group.add_argument("--new", metavar="B", help="the new version (default: --target and --model)")
    group.add_argument("--old-key-env", metavar="VAR", help="environment variable with the key of the old version")
    reaching.add_target(parser)
    reaching.add_judge(parser)
    handouts.add_handouts(parser)


def run(args: argparse.Namespace) -> int:
    """0 better, 1 worse, 3 not decided, 2 unusable, 4 limit reached, 130 interrupted."""
    keys: dict[str, str | None] = {}

    def prepared() -> PlanDocument:
        if args.least and not args.unpaired:
            raise UsageError("--least: pairs have no margin; say --unpaired too, or leave it out")
        new, old = _side(args, args.new, args.label), _side(args, args.old, "old version")
        if replace(new, label="") == replace(old, label=""):
            raise UsageError("--old: is the same as the new version; name another address or model")
        keys["main"] = reaching.key_from(args.key_env)
        same = new.url == old.url  # a key belongs to one address
        keys["old"] = reaching.key_from(args.old_key_env or (args.key_env if same else None), "--old-key-env")
        targets = {"main": new, "old": old}
        reproducer = questions.reproducer_of(args)
        reaching.judged(args, [reproducer], targets, keys)
        return prepare(reproducer, Question.COMPARE, targets=targets, options=chosen.options_of(args, reproducer))

    return running.carry_out(args, prepared, keys)


def _side(args: argparse.Namespace, named: str | None, label: str) -> TargetInfo:
    """One version: what was named is an address, or else a model at the main address."""
    if named is None:
        return reaching.target_of(args)
    url, model = (named, args.model) if "://" in named else (args.target, named)
    return replace(reaching.target_of(args, url=url, model=model), label=label)
