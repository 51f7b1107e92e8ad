"""`manyeyes replay`: ask whether a finding can be reproduced on a live model, and at which rates."""

from __future__ import annotations

import argparse

from manyeyes.commands import by_hand, chosen, handouts, larger_cap, questions, reaching, running
from manyeyes.engine.plan import Question
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.prepare import prepare

HELP = "ask whether a finding can be reproduced, on a live model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, the limits, and where the model is."""
    questions.add_question(parser)
    questions.add_reproduce(parser)
    parser.add_argument("--score-only", action="store_true", help="only the fixed trials per setting, no stopping rule")
    reaching.add_target(parser)
    reaching.add_judge(parser)
    by_hand.add_manual(parser)
    larger_cap.add_resume(parser)
    handouts.add_handouts(parser)


def run(args: argparse.Namespace) -> int:
    """0 reproduced, 1 not reproduced, 3 not decided, 2 unusable, 4 limit reached, 130 interrupted."""
    keys: dict[str, str | None] = {}

    def prepared() -> PlanDocument:
        question = Question.SCORE if args.score_only else Question.REPRODUCE
        reproducer = questions.reproducer_of(args)
        if args.manual:
            targets = by_hand.targets_of(args)
        else:
            keys["main"] = reaching.key_from(args.key_env)
            targets = {"main": reaching.target_of(args)}
            reaching.judged(args, [reproducer], targets, keys)
        return prepare(reproducer, question, targets=targets, options=chosen.options_of(args, reproducer))

    made = larger_cap.going_on(args, prepared)
    return by_hand.carry_out(args, made) if args.manual else running.carry_out(args, made, keys)
