"""What a replay is going to do, fixed before trial 1: the question, the error rates, the cells it draws from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from manyeyes.engine.judge import JudgeError


class Question(StrEnum):
    """What a plan asks. `score` has a fixed number of trials and no stopping rule."""

    REPRODUCE = "reproduce"
    VERIFY = "verify"
    SCORE = "score"
    MAP = "map"
    COMPARE = "compare"
    SWEEP = "sweep"


class Outcome(StrEnum):
    """What one trial came to. `undecided` always counts against the claim."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNDECIDED = "undecided"


class Stream(StrEnum):
    """The sequences of trials a plan keeps apart; a trial is identified by (stream, index). OLD: the older version."""

    MAIN = "main"
    OLD = "old"
    CONTROL = "control"
    BENIGN = "benign"
    POSITIVE = "positive"
    ATTRIBUTE = "attribute"
    SCORE = "score"


REPORTED = "reported"
"""The part of the wordings that were reported; every other part is a family of variants."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One thing that can be tried: a setting and a wording, with its weight in the declared mixture.

    `part` groups cells for attribution (the reported wording, or a family of variants). `deterministic` marks a cell
    that can only ever give one observation (temperature 0): it is drawn once at most.
    """

    key: str
    setting: str = ""
    wording: str = ""
    part: str = REPORTED
    weight: float = 1.0
    deterministic: bool = False


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A fixed number of fresh trials of one cell, never stopped early."""

    cell: Cell
    n: int


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A side arm of the same run: its cells, its trials, and how many successes it needs (None: reported only).

    With `most`, an arm that has fewer than `enough` successes after n trials goes on until it has them, up to `most`
    trials; its need may be met until then. So a version that shows its flaw seldom is still seen to have it.
    """

    cells: tuple[Cell, ...]
    n: int
    need: int | None = None
    most: int | None = None

    @property
    def end(self) -> int:
        """The most trials it can have."""
        return self.n if self.most is None else max(self.n, self.most)

    @property
    def enough(self) -> int:
        """With how many successes an arm that may go on does not: twice its need, so that they show a rate as well."""
        return 2 * (self.need or 0)

    def over(self, n: int, k: int) -> bool:
        """Whether the arm has had its trials after n of them with k successes."""
        return n >= self.end or (n >= self.n and k >= self.enough)

    def hopeless(self, n: int, k: int) -> bool:
        """Whether the need cannot be met any more."""
        return self.need is not None and k + self.end - n < self.need


@dataclass(frozen=True, kw_only=True)
class WorstRule:
    """How the worst setting is searched for: one that no other beats by `epsilon` or more, wrong at most `delta`.

    `certificate` is "rigorous" (a proven bound, up to the plan's cap) or "practical" (budget mode: `budget` trials per
    cell at most, and an unproven rule may end it earlier). Each round of `round` trials is laid out from the answers of
    the rounds before it. `score_n` fresh trials at the leader follow, whose rate may be shown (0: none).
    """

    epsilon: float = 0.1
    delta: float = 0.05
    certificate: str = "practical"
    budget: int = 12
    round: int = 16
    score_n: int = 30


@dataclass(frozen=True, kw_only=True)
class CompareRule:
    """How two versions are compared: in pairs that share cell and seed, or in blocks of independent trials.

    `margin` (blocks only) is by how much one rate must pass the other.
    """

    paired: bool = True
    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SweepItem:
    """One closed exploit of a sweep: its cells are those whose `part` is `key`; it has regressed above rate `tau`."""

    key: str
    tau: float = 0.01
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class SweepRule:
    """How closed exploits are swept: false discoveries at most `q` of the flagged, and items cleared below `p_reg`.

    An item at p_reg or above is cleared with chance `beta` at most. Every open item gets `round` trials per round, and
    `cap` in all.
    """

    items: tuple[SweepItem, ...]
    q: float = 0.05
    beta: float = 0.1
    p_reg: float = 0.2
    cap: int = 60
    round: int = 1


RULES = ("worst", "compare", "sweep", "judge", "resumes", "reported_cap", "ends_stuck", "cold_n", "edition")
"""Fields of a plan that plans without them leave out of their JSON, so that older hashes stay as they were."""
EDITION = 3
"""The rules of new plans. From 2 on, verifications: a text of a wording counts once, and a patch is named where
wordings differ; fixed trials: all cells in one mixed order, held to one rate in time and to the main stream's, and one
answer is none. From 3 on, a patch is named where wordings differ at one time, asked by turns.
"""
BY_TURNS = 3  # pairs at most, in shares of a part


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A frozen plan; see `plan_reproduce`, `plan_verify`, `plan_score`, `plan_map`, `plan_compare` and `plan_sweep`.

    `edition` names the rules it is read by: None as they were at first, so that stored plans play as they did, and
    `EDITION` for new ones (no comparison or sweep has one).
    """

    question: Question
    alpha: float = 0.05
    beta: float = 0.05
    p0: float = 0.01
    p_min: float = 0.05
    tau: float = 0.01
    cap: int = 400
    min_successes: int = 1
    retry_budget: int = 1
    cells: tuple[Cell, ...] = (Cell(key="all"),)
    control: tuple[Cell, ...] = ()
    margin: float = 0.0
    benign: Arm | None = None
    positive: Arm | None = None
    score: tuple[Fixed, ...] = ()
    rated: str = ""
    before: tuple[int, int] | None = None
    part_cap: int = 20
    seed: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)
    claim: tuple[int, int] | None = None
    control_n: int = 0
    worst: WorstRule | None = None
    compare: CompareRule | None = None
    sweep: SweepRule | None = None
    judge: JudgeError | None = None
    resumes: str | None = None
    reported_cap: int | None = None
    ends_stuck: bool | None = None
    cold_n: int | None = None
    edition: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data; `from_json` is its inverse."""
        data = {name: value for name, value in asdict(self).items() if name not in RULES or value is not None}
        data["question"] = str(self.question)
        for arm in filter(None, (data["benign"], data["positive"])):
            if arm["most"] is None:
                del arm["most"]
        return json.loads(json.dumps(data))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` described. Raises KeyError or TypeError on foreign data."""

        def cells(rows: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
            return tuple(Cell(**row) for row in rows)

        def arm(row: Mapping[str, Any] | None) -> Arm | None:
            return None if row is None else Arm(**{**row, "cells": cells(row["cells"])})

        values = dict(data)
        values["question"] = Question(values["question"])
        values["cells"] = cells(values["cells"])
        values["control"] = cells(values["control"])
        values["benign"] = arm(values["benign"])
        values["positive"] = arm(values["positive"])
        values["score"] = tuple(Fixed(cell=Cell(**row["cell"]), n=row["n"]) for row in values["score"])
        values["before"] = tuple(values["before"]) if values["before"] else None
        values["claim"] = tuple(values["claim"]) if values.get("claim") else None
        for name, make in (("worst", WorstRule), ("compare", CompareRule), ("sweep", _sweep), ("judge", JudgeError)):
            values[name] = make(**values[name]) if values.get(name) is not None else None
        return cls(**values)

    def most_of(self, part: str) -> int:
        """The most trials that a part gets once a fix is refuted, those of the main stream among them."""
        longer = self.reported_cap if part == REPORTED else None
        return self.part_cap if longer is None else max(longer, self.part_cap)

    @property
    def counts_once(self) -> bool:
        """Whether every text of a wording counts once; verifications that were planned before `edition` do not."""
        return self.question is Question.VERIFY and self.edition is not None

    @property
    def pairs(self) -> int:
        """In how many pairs, at most, the reported wording and another are asked by turns; none before edition 3."""
        new = self.question is Question.VERIFY and (self.edition or 0) >= 3
        return min(BY_TURNS * self.part_cap, self.most_of(REPORTED)) if new else 0

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of the plan, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _sweep(*, items: Sequence[Mapping[str, Any]], **values: Any) -> SweepRule:
    return SweepRule(items=tuple(SweepItem(**item) for item in items), **values)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One attempt to make: which stream and index, which cell, with which seed. Same plan, same trial, always."""

    stream: Stream
    index: int
    cell: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one trial. `digest` names the exact text of the answer, to tell repeats (None: unknown).

    `model` is the name that the target gave for itself, `fingerprint` that of its build, where it did. `judges` are the
    judges that had a say, each with its role and the name it gave for itself.
    """

    stream: Stream
    index: int
    outcome: Outcome
    digest: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    judges: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What the driver says to the engine: the answers that have come, and how many more trials it could start now.

    With `more`, further answers are already on record and follow at once: the engine reads on, but gives no verdict
    yet. Without `look` nobody looks at the progress: its interval and e-values are left out, which saves working them
    out.
    """

    answers: Sequence[Answer] = ()
    room: int = 1
    more: bool = False
    look: bool = True


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a running replay stands, for people to look at; never an input to the rule."""

    phase: str
    n: int
    k: int
    low: float
    high: float
    evalues: Mapping[str, float]
    threshold: float
    asked: int
    cap: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the engine says to the driver: trials to start (at most the room it was told; may be none), and progress."""

    trials: tuple[Trial, ...]
    progress: Progress
