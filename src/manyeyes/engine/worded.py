"""How a verification fares with a mended target that words its refusals in few ways, before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from manyeyes.engine.plan import Outcome, Plan, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.tally import Tally


@dataclass(frozen=True, kw_only=True)
class WordedForesight:
    """What to expect of a target that never succeeds and answers each wording in one of `texts` texts, as often each.

    `holds` is the chance that it is said to hold, and `trials` how many trials of the main stream that takes on
    average, whatever the word is.
    """

    texts: int
    holds: float
    trials: float


def foresee_worded(plan: Plan, texts: int, *, runs: int = 20) -> WordedForesight:
    """A seeded simulation of so many runs of a verification of such a target. ValueError for another question.

    Every text of a wording counts once, so no run can count more than `texts` answers to each wording.

    >>> from manyeyes.engine import Cell, plan_verify
    >>> cells = [Cell(key=str(number), wording=str(number)) for number in range(13)]
    >>> plan = plan_verify(tau=0.05, cells=cells, ends_stuck=True)
    >>> [(texts, foresee_worded(plan, texts).holds) for texts in (4, 8)]
    [(4, 0.0), (8, 1.0)]
    """
    if plan.question is not Question.VERIFY:
        raise ValueError(f"plan: a {plan.question} plan shows no fix to hold; give a verify plan")
    if texts < 1 or runs < 1:
        raise ValueError(f"texts and runs: at least one of each, got {texts} and {runs}")
    layout = Layout(plan)
    made = [_once(plan, layout, texts, Random(f"{plan.seed}:{texts}:{number}")) for number in range(runs)]
    held = sum(word == "holds" for word, _ in made)
    return WordedForesight(texts=texts, holds=held / runs, trials=sum(n for _, n in made) / runs)


def _once(plan: Plan, layout: Layout, texts: int, random: Random) -> tuple[str | None, int]:
    tally, most = Tally(plan), layout.limit(Stream.MAIN)
    while tally.n < most:
        cell = layout.cell(Stream.MAIN, tally.n)
        word = tally.add(cell, Outcome.FAILURE, str(random.randrange(texts)))
        if word is not None or tally.stuck:
            return word, tally.n
    return None, most
