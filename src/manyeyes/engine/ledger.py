"""The answers on record and the trials handed out: takes answers in any order and refuses contradictions.

Of an answer that has been read only its outcome is kept, one byte a trial, so that the length of a run costs no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from manyeyes.engine.fingerprints import Numbers, Prints
from manyeyes.engine.plan import Answer, Outcome, Stream, Trial
from manyeyes.engine.schedule import Layout, Place

_ASKED = 1
_MARKS = {Outcome.SUCCESS: 2, Outcome.FAILURE: 3, Outcome.UNDECIDED: 4}
_OUTCOMES = {mark: outcome for outcome, mark in _MARKS.items()}


class _Sequence:
    """One stream: what is known of each trial by index, and the answers not read yet."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.marks = bytearray()
        self.unread: dict[int, Answer] = {}
        self.asked = self.answered = 0

    def mark(self, index: int) -> int:
        return self.marks[index] if index < len(self.marks) else 0

    def set(self, index: int, mark: int) -> None:
        if index >= len(self.marks):
            self.marks.extend(bytes(index + 1 - len(self.marks)))
        self.asked += not self.marks[index]
        self.marks[index] = mark


class Ledger:
    """What a replay has asked and been told. Answers to trials never asked in this run (a resumed one) are welcome."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._streams: dict[Stream, _Sequence] = {}
        self.models: dict[Stream, Counter[str]] = {}
        """By stream, how many of the answers that were read each model said it gave."""
        self.judges: dict[str, Counter[str]] = {}
        """By role, how many of the answers that were read each judge had a say in."""
        self.prints: dict[Stream, Prints] = {}
        """By stream, the fingerprints of the answers that were read, under their `numbers`."""
        self.numbers = Numbers()

    def _of(self, stream: Stream) -> _Sequence:
        found = self._streams.get(stream)
        if found is None:
            found = self._streams[stream] = _Sequence(self.layout.limit(stream))
        return found

    def take(self, answers: Iterable[Answer]) -> None:
        """Keep answers. The same answer again changes nothing; ValueError for another outcome or an unknown trial."""
        for answer in answers:
            stream, index = Stream(answer.stream), answer.index
            outcome = Outcome(answer.outcome)
            kept = self._of(stream)
            if index >= kept.limit:
                kept.limit = self.layout.limit(stream)  # a search learns how far a stream goes
            if not 0 <= index < kept.limit:
                raise ValueError(f"answer {stream}:{index}: the plan has {kept.limit} trials in this stream")
            before = _OUTCOMES.get(kept.mark(index))
            if before is None:
                kept.set(index, _MARKS[outcome])
                kept.unread[index] = answer
                kept.answered += 1
            elif before is not outcome:
                raise ValueError(f"answer {stream}:{index}: already on record as {before}, now {answer.outcome}")

    def get(self, stream: Stream, index: int) -> Answer | None:
        """The answer of a trial, if it has come and was not read for good."""
        return self._of(stream).unread.get(index)

    def drop(self, stream: Stream, index: int) -> None:
        """Says that an answer was read and is not asked for again; its outcome stays on record."""
        answer = self._of(stream).unread.pop(index, None)
        if answer is None:
            return
        if answer.model is not None:
            self.models.setdefault(stream, Counter())[answer.model] += 1
        for role, name in answer.judges:
            self.judges.setdefault(role, Counter())[name] += 1
        if answer.fingerprint is not None:
            self.prints.setdefault(stream, Prints()).set(index, self.numbers[answer.fingerprint])

    def outcome(self, stream: Stream, index: int) -> Outcome | None:
        """What a trial came to, whether it was read or not; None where no answer is on record."""
        return _OUTCOMES.get(self._of(stream).mark(index))

    def ahead(self, stream: Stream, start: int) -> int:
        """The first trial of a stream from `start` on that was neither asked nor answered."""
        marks = self._of(stream).marks
        found = marks.find(0, start)
        return max(start, len(marks)) if found < 0 else found

    def hand_out(self, places: Iterator[Place], room: int) -> tuple[Trial, ...]:
        """The first `room` trials among the places that were neither asked nor answered."""
        trials: list[Trial] = []
        if room <= 0:
            return ()
        for stream, index in places:
            kept = self._of(stream)
            if not kept.mark(index):
                kept.set(index, _ASKED)
                trials.append(self.layout.trial(stream, index))
                if len(trials) == room:
                    break
        return tuple(trials)

    @property
    def asked(self) -> int:
        """How many different trials were asked for, in this run or an earlier one."""
        return sum(kept.asked for kept in self._streams.values())

    def answered(self, stream: Stream) -> int:
        """How many answers of a stream are on record."""
        return self._of(stream).answered

    @property
    def total(self) -> int:
        """How many answers are on record."""
        return sum(kept.answered for kept in self._streams.values())
