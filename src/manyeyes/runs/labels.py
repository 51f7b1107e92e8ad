"""What people say of answers: kept beside the trials with who said it and when, never in their place.

A label is a person's word on one trial: was it a success of the exploit, as the reproducer means it? The first label of
a trial that waits for a person is its outcome. Every other label leaves the outcome alone and only tells how often a
judge errs. So the trials to label for that are drawn by a seed, without a look at what the judge said, and shown blind.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manyeyes.engine.plan import Outcome

FILE = "labels.jsonl"
MAX_FILE = 20_000_000


class LabelError(ValueError):
    """A label that cannot be kept; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """One person's word on one trial, `at` in ISO 8601. `blind`: they did not see what the judge had said."""

    stream: str
    index: int
    outcome: str
    by: str
    at: str = ""
    blind: bool = True

    def __post_init__(self) -> None:
        if self.outcome not in set(Outcome):
            raise LabelError(f"outcome: choose one of {', '.join(Outcome)}, not {self.outcome!r}")
        if not isinstance(self.by, str) or not self.by.strip():
            raise LabelError("by: say who labels; a label without a name cannot be asked about")
        if not isinstance(self.stream, str) or not isinstance(self.index, int) or self.index < 0:
            raise LabelError("stream and index: name the trial, such as main and 3")

    @property
    def identity(self) -> tuple[str, int]:
        """The trial that this is about."""
        return self.stream, self.index


def read_labels(directory: Path) -> list[Label]:
    """The labels kept in a run's directory, in the order they came. Raises LabelError."""
    path = directory / FILE
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole, _, _ = raw.rpartition(b"\n")
    return labels_from(whole.decode("utf-8", "replace"), name=FILE)


def labels_from(text: str, *, name: str = "labels") -> list[Label]:
    """The labels in a text of one JSON object a line: stream, index, outcome, by, and if wanted at and blind.

    Raises LabelError, which names the line.

    >>> labels_from('{"stream": "main", "index": 0, "outcome": "success", "by": "Theo L."}')[0].by
    'Theo L.'
    """
    if len(text) > MAX_FILE:
        raise LabelError(f"{name}: larger than {MAX_FILE // 1_000_000} MB")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(Label(**json.loads(line)))
            except (LabelError, TypeError, ValueError, RecursionError) as error:
                raise LabelError(f"{name} line {number}: {error}") from None
    return found


def append_labels(directory: Path, labels: Iterable[Label]) -> None:
    """Adds labels to a run's directory; they are on disk when this returns. Nothing that is there is changed."""
    data = b"".join(json.dumps(asdict(label)).encode() + b"\n" for label in labels)
    handle = os.open(directory / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        kept = os.pread(handle, os.fstat(handle).st_size, 0)
        os.ftruncate(handle, kept.rfind(b"\n") + 1)  # a line that a crash cut short was never promised
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def first_words(labels: Sequence[Label]) -> Mapping[tuple[str, int], Label]:
    """The label that counts for each trial: the first one."""
    found: dict[tuple[str, int], Label] = {}
    for label in labels:
        found.setdefault(label.identity, label)
    return found


def draw(identities: Iterable[tuple[str, int]], *, n: int | None, seed: int) -> list[tuple[str, int]]:
    """`n` of these trials (None: all), chosen by the seed alone, in an order that says nothing about them.

    >>> draw([("main", 0), ("main", 1), ("main", 2)], n=2, seed=1)
    [('main', 0), ('main', 2)]
    """

    def place(identity: tuple[str, int]) -> bytes:
        return hashlib.sha256(f"{seed}/{identity[0]}/{identity[1]}".encode()).digest()

    return sorted(set(identities), key=place)[:n]


def agreement(labels: Sequence[Label]) -> tuple[int, int]:
    """Trials that more than one person labelled, and those of them on which all agree: (agreed, of)."""
    words: dict[tuple[str, int], dict[str, Any]] = {}
    for label in labels:
        words.setdefault(label.identity, {}).setdefault(label.by, label.outcome)
    several = [set(row.values()) for row in words.values() if len(row) > 1]
    return sum(len(row) == 1 for row in several), len(several)
