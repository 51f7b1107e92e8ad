"""`manyeyes map`: find the worst setting of a finding, spending trials where they tell most."""

from __future__ import annotations

import argparse

from manyeyes.commands import chosen, handouts, questions, reaching, running
from manyeyes.engine.plan import Question
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.prepare import prepare

HELP = "find the setting at which a finding is worst, on a live model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, the limits, and where the model is."""
    questions.add_question(parser, errors=False)
    questions.add_map(parser)
    reaching.add_target(parser)
    reaching.add_judge(parser)
    handouts.add_handouts(parser)


def run(args: argparse.Namespace) -> int:
    """0 a worst setting is named, 3 not decided, 2 unusable, 4 limit reached, 130 interrupted."""
    keys: dict[str, str | None] = {}

    def prepared() -> PlanDocument:
        keys["main"] = reaching.key_from(args.key_env)
        targets = {"main": reaching.target_of(args)}
        reproducer = questions.reproducer_of(args)
        reaching.judged(args, [reproducer], targets, keys)
        return prepare(reproducer, Question.MAP, targets=targets, options=chosen.options_of(args, reproducer))

    return running.carry_out(args, prepared, keys)
