"""The answers on record and the trials handed out: takes answers in any order and refuses contradictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from manyeyes.engine.plan import Answer, Outcome, Stream, Trial
from manyeyes.engine.schedule import Layout, Place


class Ledger:
    """What a replay has asked and been told. Answers to trials never asked in this run (a resumed one) are welcome."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._answers: dict[Place, Answer] = {}
        self._asked: set[Place] = set()

    def take(self, answers: Iterable[Answer]) -> None:
        """Keep answers. The same answer again changes nothing; ValueError for another outcome or an unknown trial."""
        for answer in answers:
            stream, index = Stream(answer.stream), answer.index
            outcome = Outcome(answer.outcome)
            limit = self.layout.limit(stream)
            if not 0 <= index < limit:
                raise ValueError(f"answer {stream}:{index}: the plan has {limit} trials in this stream")
            kept = self._answers.setdefault((stream, index), answer)
            if Outcome(kept.outcome) is not outcome:
                raise ValueError(f"answer {stream}:{index}: already on record as {kept.outcome}, now {answer.outcome}")

    def get(self, stream: Stream, index: int) -> Answer | None:
        """The answer of a trial, if it has come."""
        return self._answers.get((stream, index))

    def hand_out(self, places: Iterator[Place], room: int) -> tuple[Trial, ...]:
        """The first `room` trials among the places that were neither asked nor answered."""
        trials: list[Trial] = []
        while len(trials) < room:
            place = next(places, None)
            if place is None:
                break
            if place not in self._answers and place not in self._asked:
                self._asked.add(place)
                trials.append(self.layout.trial(*place))
        return tuple(trials)

    def has(self, place: Place) -> bool:
        """Whether an answer for this trial is on record."""
        return place in self._answers

    @property
    def asked(self) -> int:
        """How many different trials were asked for, in this run or an earlier one."""
        return len(self._asked | self._answers.keys())

    def answered(self, stream: Stream) -> int:
        """How many answers of a stream are on record."""
        return sum(1 for name, _ in self._answers if name is stream)

    @property
    def total(self) -> int:
        """How many answers are on record."""
        return len(self._answers)
