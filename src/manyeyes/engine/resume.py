"""Goes on with a replay that ended without an answer: the same plan and the same trials, with a larger cap."""

from __future__ import annotations

from dataclasses import replace

from manyeyes.engine.make import check_count
from manyeyes.engine.plan import Plan, Question
from manyeyes.engine.verdict import Verdict


def resumable(verdict: Verdict) -> bool:
    """Whether a larger cap could still bring an answer: the run ended at its cap, or because it looked hopeless.

    What ended before its main stream (no sensitive assay) has nothing to go on with.

    >>> from manyeyes.engine import drive, plan_verify
    >>> resumable(drive(plan_verify(), lambda trial: False))
    False
    >>> resumable(drive(plan_verify(tau=0.05), lambda trial: trial.index % 12 == 5))
    True
    """
    return open_at(verdict.question, verdict.verdict, verdict.n)


def open_at(question: str, word: str, n: int) -> bool:
    """`resumable` of a verdict that is known by its question, its word and its n alone."""
    if question not in (Question.REPRODUCE, Question.VERIFY):
        return False
    return word in ("not_shown", "reduced") or (word == "inconclusive" and n > 0)


def resumed(plan: Plan, *, cap: int) -> Plan:
    """The plan that goes on from `plan` up to a larger cap, with the answers on record fed to it first.

    It asks the same trials in the same order, so its answers begin with those on record, and it is not ended by
    futility (`not_shown`, or a judge that cannot tell). No error rate is touched: what says `holds`, `reproduced` or
    their contrary is an e-process, whose chance of ever reaching its boundary wrongly is alpha (beta) however long it
    runs, and futility only ever ended it early. ValueError for another question, or for a cap below the plan's.

    >>> from manyeyes.engine import plan_verify
    >>> plan = plan_verify(tau=0.05)
    >>> longer = resumed(plan, cap=2000)
    >>> longer.cap, longer.resumes == plan.hash
    (2000, True)
    """
    if plan.question not in (Question.REPRODUCE, Question.VERIFY):
        raise ValueError(f"plan: a {plan.question} has nothing to go on with; give a reproduce or a verify plan")
    check_count("cap", cap)
    if cap < plan.cap:
        raise ValueError(f"cap: cannot be below the {plan.cap} that the replay had, got {cap}")
    return replace(plan, cap=cap, resumes=plan.hash)
