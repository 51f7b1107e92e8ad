"""What an importer makes of a result file: findings with draft reproducers, counted outcomes and named sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from manyeyes.rules.readings import Reading, Source

Kind = Literal[
    "unreadable", "empty", "unknown_format", "version", "truncated", "too_large", "too_deep", "bomb", "member",
    "encoding", "number", "duplicate", "shape", "database", "answer", "time", "memory", "busy", "failed",
]  # fmt: skip


class ImportRefused(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """A file that is not imported: `kind` for machines, the message says in one sentence what is wrong and the mend."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a file may cost to read: sizes in bytes, times in seconds.

    `document` bounds one JSON document, one line and one member of an archive; `unpacked` all members together;
    `ratio` how often a member may be larger than its packed form (members under 1 MB are exempt); `answer` what was
    understood, as JSON; `findings` how many are kept, those with the most successes first.
    """

    file: int = 512_000_000
    document: int = 64_000_000
    unpacked: int = 2_000_000_000
    ratio: int = 250
    depth: int = 64
    rows: int = 1_000_000
    members: int = 100_000
    cell: int = 16_000_000
    findings: int = 200
    answer: int = 16_000_000
    memory: int = 2_000_000_000
    cpu: int = 120
    wall: float = 180.0


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A field of the reproducer that the file does not tell, and why."""

    field: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counted outcomes of one finding at one setting; the origin is always `imported`.

    `trials` = successes + failures. Errors, undetermined trials and trials that are not independent (`dropped`:
    reason → number) are never part of it. Where nobody has said yet what a pass means, `successes` is None and
    `passed` tells how many of the trials passed. `setting` holds what is known, nothing else.
    """

    setting: Mapping[str, Any] = field(default_factory=dict)
    source: Source = "unknown"
    label: str = ""
    target: str = ""
    trials: int = 0
    successes: int | None = None
    passed: int | None = None
    errors: int = 0
    undetermined: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    stops: Mapping[str, int] = field(default_factory=dict)
    origin: Literal["imported"] = "imported"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was tried repeatedly: a draft of the reproducer, what it lacks, and what was counted.

    `rate` is False where the file holds hits only, so that they are evidence and no rate. `traces` names rows of the
    file (attempts, conversations, samples) so that a person can find them again.
    """

    title: str
    draft: Mapping[str, Any]
    missing: tuple[Missing, ...] = ()
    readings: tuple[Reading, ...] = ()
    tallies: tuple[Tally, ...] = ()
    rate: bool = True
    hits: int | None = None
    traces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something the file cannot tell and that must not be guessed; `choices` are (answer, what it means)."""

    name: str
    asks: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Everything that was understood of one file. `sha256`, `size` and `name` are those of the original."""

    tool: str
    version: str
    form: str
    findings: tuple[Finding, ...]
    readings: tuple[Reading, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: int = 0
    sha256: str = ""
    size: int = 0
    name: str = ""


class Upload(Protocol):
    """A file as an importer sees it: never a path, only bytes, lines and parsed data within the limits."""

    limits: Limits

    @property
    def size(self) -> int: ...
    @property
    def head(self) -> bytes: ...
    def raw(self, start: int, length: int) -> bytes: ...
    def row(self) -> Any: ...
    def rows(self) -> Any: ...
    def document(self) -> Any: ...


@runtime_checkable
class Importer(Protocol):
    """Reads the files of one tool. It runs in a process of its own, without network, and opens nothing by itself."""

    def recognises(self, upload: Upload) -> bool:
        """Whether the content, whatever its name, is of this tool."""

    def read(self, upload: Upload, answers: Mapping[str, str]) -> Imported:
        """What the file says. Raises ImportRefused."""
