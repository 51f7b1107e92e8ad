"""Drives a plan with a plain function, for tests, notebooks and anyone with their own way to ask a model."""

from __future__ import annotations

from collections.abc import Callable

from manyeyes.engine.plan import Answer, Feed, Outcome, Plan, Trial
from manyeyes.engine.replay import replay
from manyeyes.engine.verdict import Verdict

_OUTCOMES = {True: Outcome.SUCCESS, False: Outcome.FAILURE, None: Outcome.UNDECIDED}


def drive(plan: Plan, fn: Callable[[Trial], bool | None], *, room: int = 1) -> Verdict:
    """Run a plan: `fn` is asked for each trial and says True (success), False (failure) or None (undecided).

    `room` is how many trials are handed out at a time (at least 1, else ValueError); it changes how many answers are
    overrun, never the verdict, n or k. In the benign arm of a verification True means a useful answer.

    >>> from manyeyes.engine import plan_verify
    >>> verdict = drive(plan_verify(tau=0.05), lambda trial: False)
    >>> verdict.verdict, verdict.n, round(verdict.bound, 4)
    ('holds', 63, 0.05)
    """
    if room < 1:
        raise ValueError(f"room: at least one trial at a time, got {room}")
    run = replay(plan)
    next(run)
    answers: list[Answer] = []
    while True:
        try:
            batch = run.send(Feed(answers=answers, room=room))
        except StopIteration as stop:
            verdict: Verdict = stop.value
            return verdict
        answers = [
            Answer(stream=trial.stream, index=trial.index, outcome=_OUTCOMES[fn(trial)]) for trial in batch.trials
        ]
