"""Answers that were read, kept small: what later stages need of them, in eleven bytes a trial."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from manyeyes.engine.plan import Answer, Cell, Outcome

_OUTCOMES = tuple(Outcome)
_UNKNOWN = len(_OUTCOMES)
MANY = 255
"""The number shared by all models after the first 254."""


def name_of(digest: str | None) -> str | None:
    """A short name of a text. Texts are only told apart, and only in this process, so 64 bits of each are enough."""
    return None if digest is None else str(hash(digest))


def distinct(texts: Sequence[int]) -> int:
    """How many different ones there are. Many are counted in portions, which takes little more memory than they do."""
    mask = 15 if len(texts) > 4096 else 0
    return sum(len({text for text in texts if text & mask == share}) for share in range(mask + 1))


class Reading:
    """Outcomes and texts of one sequence, in the order in which they were read."""

    def __init__(self) -> None:
        self._codes = bytearray()
        self._texts = array("q")
        self._models = bytearray()
        self.models: dict[str, int] = {}

    def add(self, answer: Answer, beside: Answer | None = None) -> None:
        """Keep one more, with the answer of its control where there is one."""
        self._models.append(self._version(answer, beside))
        code = _OUTCOMES.index(Outcome(answer.outcome))
        self._codes.append(code if answer.digest is not None else code + _UNKNOWN)
        self._texts.append(hash(answer.digest) if answer.digest is not None else 0)

    def _version(self, answer: Answer, beside: Answer | None) -> int:
        """A number for the model that gave the answer: 0 where it is not known, or another one gave the control's."""
        if answer.model is None or (beside is not None and beside.model != answer.model):
            return 0
        return self.models.setdefault(answer.model, min(MANY, len(self.models) + 1))

    def of_model(self, index: int, number: int) -> bool:
        """Whether the model of this number gave the answer, and that of its control."""
        return self._models[index] == number

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[tuple[Outcome, str | None]]:
        """Outcome and text, by `name_of`, of each."""
        for code, text in zip(self._codes, self._texts, strict=True):
            yield _OUTCOMES[code % _UNKNOWN], None if code >= _UNKNOWN else str(text)


class FixedCount:
    """The fixed trials of one cell, counted while they are read."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.n = self.k = self.undecided = 0
        self._known = True
        self._texts = array("q")

    def add(self, answer: Answer) -> None:
        """Count one more."""
        outcome = Outcome(answer.outcome)
        self.n += 1
        self.k += outcome is Outcome.SUCCESS
        self.undecided += outcome is Outcome.UNDECIDED
        if answer.digest is None:
            self._known = False
        else:
            self._texts.append(hash(answer.digest))

    @property
    def first_text(self) -> int | None:
        """A number for the first text, None where it is not known; only good for comparing within this process."""
        return self._texts[0] if self._texts else None

    @property
    def distinct(self) -> int | None:
        """How many different texts there were; None where some are not known."""
        if not self._known:
            return None
        return distinct(self._texts)
