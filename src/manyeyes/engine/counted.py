"""Answers that were read, kept small: what later stages need of them, in twelve bytes a trial."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from manyeyes.engine.fingerprints import Numbers
from manyeyes.engine.plan import Answer, Cell, Outcome

_OUTCOMES = tuple(Outcome)
_UNKNOWN = len(_OUTCOMES)


def name_of(digest: str | None) -> str | None:
    """A short name of a text. Texts are only told apart, and only in this process, so 64 bits of each are enough."""
    return None if digest is None else str(hash(digest))


def distinct(texts: Sequence[int]) -> int:
    """How many different ones there are. Many are counted in portions, which takes little more memory than they do."""
    mask = 15 if len(texts) > 4096 else 0
    return sum(len({text for text in texts if text & mask == share}) for share in range(mask + 1))


class Versions:
    """Which version gave each answer of a sequence: 0 where it is not known, or another one gave the control's."""

    def __init__(self) -> None:
        self.codes = bytearray()
        self.numbers = Numbers()

    def add(self, name: str | None, beside: str | None = None, *, alone: bool = True) -> None:
        """Keep one more, with the version behind its control where there is one (not `alone`)."""
        self.codes.append(self.numbers[name] if name is not None and (alone or beside == name) else 0)


class Reading:
    """Outcomes and texts of one sequence, in the order in which they were read."""

    def __init__(self) -> None:
        self._codes = bytearray()
        self._texts = array("q")
        self.models, self.prints = Versions(), Versions()

    def add(self, answer: Answer, beside: Answer | None = None) -> None:
        """Keep one more, with the answer of its control where there is one."""
        self.models.add(answer.model, None if beside is None else beside.model, alone=beside is None)
        self.prints.add(answer.fingerprint, None if beside is None else beside.fingerprint, alone=beside is None)
        code = _OUTCOMES.index(Outcome(answer.outcome))
        self._codes.append(code if answer.digest is not None else code + _UNKNOWN)
        self._texts.append(hash(answer.digest) if answer.digest is not None else 0)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def texts(self) -> Sequence[int] | None:
        """A number for each text; None where some are not known."""
        return None if any(code >= _UNKNOWN for code in self._codes) else self._texts

    def __iter__(self) -> Iterator[tuple[Outcome, str | None]]:
        """Outcome and text, by `name_of`, of each."""
        for code, text in zip(self._codes, self._texts, strict=True):
            yield _OUTCOMES[code % _UNKNOWN], None if code >= _UNKNOWN else str(text)


class FixedCount:
    """The fixed trials of one cell, counted while they are read."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.n = self.k = self.undecided = 0
        self.read = Reading()

    def add(self, answer: Answer) -> None:
        """Count one more."""
        outcome = Outcome(answer.outcome)
        self.n += 1
        self.k += outcome is Outcome.SUCCESS
        self.undecided += outcome is Outcome.UNDECIDED
        self.read.add(answer)

    @property
    def bits(self) -> bytearray:
        """Which trials succeeded, in the order in which they were read."""
        return bytearray(outcome is Outcome.SUCCESS for outcome, _ in self.read)

    @property
    def first_text(self) -> int | None:
        """A number for the first text, None where one is not known; only good for comparing within this process."""
        texts = self.read.texts
        return texts[0] if texts else None

    @property
    def distinct(self) -> int | None:
        """How many different texts there were; None where some are not known."""
        texts = self.read.texts
        return None if texts is None else distinct(texts)

    @property
    def once(self) -> tuple[int, int]:
        """Successes and trials with every text counted once; an answer without a text counts by itself."""
        rows = [(outcome, text) for outcome, text in self.read]
        seen = {row for row in rows if row[1] is not None}
        counted = [outcome for outcome, _ in seen] + [outcome for outcome, text in rows if text is None]
        return counted.count(Outcome.SUCCESS), len(counted)
