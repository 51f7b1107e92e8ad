"""Which cell and which seed each trial gets: fixed by the plan's seed alone, in any run, on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from manyeyes.engine.plan import Arm, Cell, Plan, Question, Stream, Trial

Place = tuple[Stream, int]


def draw(seed: int, *names: object) -> int:
    """A number in [0, 2^53) that looks random and depends on the seed and the names alone.

    >>> draw(7, "main", 0) == draw(7, "main", 0) != draw(8, "main", 0)
    True
    """
    text = ":".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 11


class Schedule:
    """An order of cells in which every prefix keeps close to the declared weights.

    The j-th turn of a cell of weight w falls at a random moment between j/w and (j+1)/w, so a cell's count never strays
    far from its share, while which cell comes when depends on the seed. With equal weights each round is a random
    permutation. With `once`, deterministic cells get one turn at most. Sampling without replacement inside a round only
    narrows the spread of a mixture's successes (Hoeffding 1963), which is on the safe side at the end of every round.
    """

    def __init__(self, cells: Sequence[Cell], *, seed: int, name: str, once: bool = True) -> None:
        self._cells, self._seed, self._name, self._once = tuple(cells), seed, name, once
        self._order: list[Cell] = []
        self._next = [(self._moment(i, 0), i, 0) for i in range(len(self._cells))]
        heapify(self._next)
        repeats = any(not (once and cell.deterministic) for cell in self._cells)
        self.length: int | None = None if repeats else len(self._cells)

    def _moment(self, cell: int, turn: int) -> float:
        share = draw(self._seed, self._name, self._cells[cell].key, turn) / 2**53
        return (turn + share) / self._cells[cell].weight

    def cell(self, index: int) -> Cell:
        """The cell of a trial; IndexError past the end of an order that ends."""
        while len(self._order) <= index:
            if not self._next:
                raise IndexError(f"trial {index}: this order has {len(self._order)} trials")
            _, i, turn = heappop(self._next)
            cell = self._cells[i]
            self._order.append(cell)
            if not (self._once and cell.deterministic):
                heappush(self._next, (self._moment(i, turn + 1), i, turn + 1))
        return self._order[index]


def fixed_order(plan: Plan) -> list[Cell]:
    """The cells of the fixed trials in order: every cell's turns spread over the whole, each at a moment of the seed.

    So a change of the target in their midst falls on all cells alike, and on none before or after all of its turns.
    Plans from before `edition` had them cell by cell.
    """
    if plan.edition is None or len(plan.score) == 1:
        return [fixed.cell for fixed in plan.score for _ in range(fixed.n)]
    turns = sorted(
        ((turn + draw(plan.seed, str(Stream.SCORE), fixed.cell.key, turn) / 2**53) / fixed.n, place)
        for place, fixed in enumerate(plan.score)
        for turn in range(fixed.n)
    )
    return [plan.score[place].cell for _, place in turns]


class Layout:
    """Every trial a plan could ask for: (stream, index) to cell and seed, and how far each stream goes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts = tuple(dict.fromkeys(cell.part for cell in plan.cells))
        seed = plan.seed
        self._orders = {Stream.MAIN: Schedule(plan.cells, seed=seed, name="main")}
        sides: dict[Stream, tuple[Cell, ...]] = {Stream.CONTROL: plan.control}
        sides |= {stream: arm.cells for stream, arm in self.arms()}
        for stream, cells in sides.items():
            if cells:
                self._orders[stream] = Schedule(cells, seed=seed, name=str(stream), once=False)
        self._parts = [
            Schedule([cell for cell in plan.cells if cell.part == part], seed=seed, name=f"attribute:{part}")
            for part in self.parts
        ]
        self._fixed = fixed_order(plan)

    def arms(self) -> list[tuple[Stream, Arm]]:
        """The side arms this plan declares, positive first."""
        pairs = ((Stream.POSITIVE, self.plan.positive), (Stream.BENIGN, self.plan.benign))
        return [(stream, arm) for stream, arm in pairs if arm is not None]

    def limit(self, stream: Stream) -> int:
        """How many trials the stream can have at most; 0 where the plan does not use it."""
        plan = self.plan
        if stream is Stream.SCORE:
            return len(self._fixed)
        if stream in (Stream.POSITIVE, Stream.BENIGN):
            return next((arm.end for name, arm in self.arms() if name is stream), 0)
        if plan.question is Question.SCORE or (stream is Stream.CONTROL and not plan.control):
            return 0
        if stream is Stream.ATTRIBUTE:
            divided = plan.question is Question.VERIFY and len(self.parts) > 1
            return (self.shared + plan.pairs) * len(self.parts) if divided else 0
        length = self._orders[Stream.MAIN].length
        most = plan.cap if length is None else min(plan.cap, length)
        return plan.cap + plan.control_n if stream is Stream.CONTROL and plan.control_n else most

    @property
    def shared(self) -> int:
        """How many turns each part has by itself; those after them are asked in pairs."""
        return 2 * max(map(self.plan.most_of, self.parts))

    def place(self, part: int, turn: int) -> Place:
        """Where the further trial of a part at this turn stands."""
        return Stream.ATTRIBUTE, turn * len(self.parts) + part

    def pair(self, index: int) -> int | None:
        """Which pair a further trial belongs to; None where it is not asked in pairs."""
        turn = index // len(self.parts)
        return turn - self.shared if turn >= self.shared else None

    def endless(self, part: str) -> bool:
        """Whether a part can be asked as often as one likes."""
        return self._parts[self.parts.index(part)].length is None

    def part_limit(self, part: int) -> int:
        """How many further trials of one part there are to draw from."""
        length = self._parts[part].length
        most = 2 * self.plan.most_of(self.parts[part])
        return most if length is None else min(most, length)

    def cell(self, stream: Stream, index: int) -> Cell:
        """The cell of a trial. IndexError beyond the stream's end."""
        if stream is Stream.SCORE:
            return self._fixed[index]
        if stream is Stream.ATTRIBUTE:
            return self._parts[index % len(self.parts)].cell(index // len(self.parts))
        return self._orders[stream].cell(index)

    def trial(self, stream: Stream, index: int) -> Trial:
        """The trial itself; its seed is a 31-bit number, as model servers take it."""
        return Trial(stream=stream, index=index, cell=self.cell(stream, index).key, seed=self.seed(stream, index))

    def seed(self, stream: Stream, index: int) -> int:
        """The seed of a trial, whatever its cell."""
        return draw(self.plan.seed, "seed", stream, index) & 0x7FFFFFFF
