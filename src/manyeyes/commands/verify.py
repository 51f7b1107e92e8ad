"""`manyeyes verify`: ask whether a fix holds below a rate, over the reported wording and families of variants."""

from __future__ import annotations

import argparse
from dataclasses import replace

from manyeyes.commands import by_hand, chosen, handouts, larger_cap, questions, reaching, rewording, running
from manyeyes.engine.plan import Question
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.prepare import prepare

HELP = "ask whether a fix holds, on a live model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, the limits, where the mended model is, and where one with the flaw is."""
    questions.add_question(parser)
    questions.add_verify(parser)
    reaching.add_target(parser)
    reaching.add_judge(parser)
    reaching.add_paraphrase(parser)
    by_hand.add_manual(parser)
    larger_cap.add_resume(parser)
    handouts.add_handouts(parser)
    group = parser.add_argument_group("positive control: a version known to have the flaw")
    group.add_argument(
        "--positive", metavar="URL", help="its address (default: --target, where --positive-model is given)"
    )
    group.add_argument("--positive-model", metavar="NAME", help="its name (default: --model)")
    group.add_argument("--positive-key-env", metavar="VAR", help="environment variable with its key")


def run(args: argparse.Namespace) -> int:
    """0 holds, 1 refuted or not shown, 3 not decided, 2 unusable, 4 limit reached, 130 interrupted."""
    keys: dict[str, str | None] = {}

    def prepared() -> PlanDocument:
        reproducer = questions.reproducer_of(args)
        targets = by_hand.targets_of(args) if args.manual else _targets(args, keys)
        if not args.manual:
            reaching.judged(args, [reproducer], targets, keys)
        made = rewording.paraphrased_for(args, reproducer)
        options = replace(chosen.options_of(args, reproducer), paraphrased=made)
        return prepare(reproducer, Question.VERIFY, targets=targets, options=options)

    goes = larger_cap.going_on(args, prepared)
    return by_hand.carry_out(args, goes) if args.manual else running.carry_out(args, goes, keys)


def _targets(args: argparse.Namespace, keys: dict[str, str | None]) -> dict[str, TargetInfo]:
    """The mended version, and one with the flaw where it was named."""
    keys["main"] = reaching.key_from(args.key_env)
    targets = {"main": reaching.target_of(args)}
    if args.positive or args.positive_model:
        url = args.positive or args.target
        model = args.positive_model or args.model
        targets["positive"] = replace(reaching.target_of(args, url=url, model=model), label="positive control")
        # A key belongs to one address: the main key goes to another one only when it is named for it.
        same = url == args.target
        keys["positive"] = reaching.key_from(
            args.positive_key_env or (args.key_env if same else None), "--positive-key-env"
        )
    return targets
