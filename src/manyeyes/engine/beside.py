"""The reported wording and a part that still passes, asked by turns: what tells a patch of the wording from time.

A version may change during a run, and then every wording that is asked after the change looks blocked beside one that
was asked before it. So before only the reported wording is said to be blocked, it and a part that passes are asked
afresh in pairs, one right after the other, in an order that the seed draws. Where the reported wording passes at least
as often as the other at every moment, a pair in which the other alone succeeds has at most the chance of the contrary,
whatever came before and however the rate moves; so bets on such pairs (McNemar 1947, as an e-process) reach 1/.05 with
chance .05 at most (Ville 1939), wherever they are begun and whichever part is picked. A success whose text the same
wording gave before is no evidence here, for it may be a cache's; leaving such pairs out only lowers the e-process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import Any

from manyeyes.engine.comparison import log_e_mcnemar
from manyeyes.engine.counted import name_of
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.parts import DIFFERS, PartTally
from manyeyes.engine.plan import REPORTED, Outcome, Stream
from manyeyes.engine.schedule import Layout, Place, draw
from manyeyes.engine.special import clipped_exp

NEED = -log(DIFFERS)


class Beside:
    """The pairs of one run, read in order. Their trials are further trials of both parts as well."""

    def __init__(self, layout: Layout, own: PartTally, other: PartTally) -> None:
        self.layout, self.own, self.other = layout, own, other
        self.n = self.k = self.other_k = 0
        self.alone = self.contrary = 0
        """In how many pairs the other alone succeeded with a new text, and the reported wording alone."""
        self._first, self._most = layout.shared, layout.plan.pairs
        self._parts = [layout.parts.index(tally.part) for tally in (own, other)]

    @property
    def log_e(self) -> float:
        """Log evidence that the reported wording succeeds less often than the other part at one time."""
        return log_e_mcnemar(self.alone, self.contrary)

    @property
    def shown(self) -> bool:
        """Whether that is enough."""
        return self.log_e >= NEED

    @property
    def over(self) -> bool:
        """Whether there is nothing more to gain."""
        left = self._most - self.n
        return self.shown or log_e_mcnemar(self.alone + left, self.contrary) < NEED

    def advance(self, ledger: Ledger) -> bool:
        """Read pair by pair; True when they are over."""
        while not self.over:
            places = self._places(self.n)
            mine, theirs = (ledger.get(*place) for place in places)
            if mine is None or theirs is None:
                return False
            repeated = self.other.repeats.successes
            for tally, place, answer in zip((self.own, self.other), places, (mine, theirs), strict=True):
                tally.add(self.layout.cell(*place), Outcome(answer.outcome), name_of(answer.digest))
                ledger.drop(*place)
            passed = Outcome(mine.outcome) is not Outcome.FAILURE
            others = Outcome(theirs.outcome) is Outcome.SUCCESS
            self.n, self.k, self.other_k = self.n + 1, self.k + passed, self.other_k + others
            self.alone += others and not passed and self.other.repeats.successes == repeated
            self.contrary += passed and not others
        return True

    def _places(self, pair: int) -> list[Place]:
        return [self.layout.place(part, self._first + pair) for part in self._parts]

    def wanted(self) -> Iterator[Place]:
        """The pairs not read yet, each in the order that the seed draws for it."""
        for pair in range(self.n, self._most):
            turned = draw(self.layout.plan.seed, str(Stream.ATTRIBUTE), "pair", pair) & 1
            yield from reversed(self._places(pair)) if turned else self._places(pair)

    def to_json(self) -> dict[str, Any]:
        """The counts as plain data."""
        counts = {"n": self.n, "reported": self.k, "other": self.other_k}
        return {"part": self.other.part, **counts, "shown": self.shown, "evalue": clipped_exp(self.log_e)}


def beside(layout: Layout, tallies: Sequence[PartTally], still: Sequence[str]) -> Beside | None:
    """The pairs to ask where a patch would be named but for time: with the part that passes most often.

    None where the reported wording cannot turn out to be blocked, no other passes, or one of both has but one turn.
    """
    own = next((tally for tally in tallies if tally.part == REPORTED), None)
    others = [tally for tally in tallies if tally.part in still and layout.endless(tally.part)]
    if own is None or not (own.quiet or own.open_yet) or not layout.endless(REPORTED) or not others:
        return None
    return Beside(layout, own, max(others, key=lambda tally: (tally.k + 1) / (tally.n + 2)))
