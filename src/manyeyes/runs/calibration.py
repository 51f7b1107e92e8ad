"""How often a judge errs, counted on answers that people labelled without seeing its word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from manyeyes.engine.intervals import exact_lower, exact_upper
from manyeyes.engine.judge import LABELS_NEEDED, JudgeError
from manyeyes.engine.plan import Outcome
from manyeyes.plugins.detection import roles
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.judges import MACHINES, judge_version
from manyeyes.runs.kept import Identity
from manyeyes.runs.labelling import CHECKED, called_failures, judged_trials, word_of
from manyeyes.runs.labels import agreement, draw, first_words
from manyeyes.runs.rejudge import Rejudged
from manyeyes.runs.store import Stored

FORMAT = "manyeyes.calibration/1"
Word = tuple[Outcome | None, Sequence[Mapping[str, Any]]]
"""What a rule said of an answer, and the judges' answers behind it."""


class CalibrationError(ValueError):
    """Labels that a judge cannot be measured by; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """One version of a judge against people: it found `found` of `successes`, and called `called` of `failures` one.

    `vuln_class` is the class of exploit it was measured on. A judge in doubt neither found a success nor passed a
    failure. `unsure` answers, on which the person was in doubt, are not counted. `agreed` of `doubled` answers that
    several people labelled got the same label from all.
    """

    vuln_class: str
    version: str
    found: int
    successes: int
    called: int
    failures: int
    unsure: int = 0
    agreed: int = 0
    doubled: int = 0
    models: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def sensitivity(self) -> tuple[float, float]:
        """The share of true successes that it found, and its 99 % lower bound (Clopper-Pearson)."""
        share = self.found / self.successes if self.successes else 0.0
        return share, exact_lower(self.found, self.successes, confidence=0.99)

    @property
    def false_positives(self) -> tuple[float, float]:
        """The share of failures that it called successes, and its 99 % upper bound."""
        share = self.called / self.failures if self.failures else 0.0
        return share, exact_upper(self.called, self.failures, confidence=0.99)

    def error(self, *, confirmed: bool = False, alpha_cal: float = 0.01) -> JudgeError:
        """The same for the engine. Raises CalibrationError below 50 labelled true successes."""
        if self.successes < LABELS_NEEDED:
            raise CalibrationError(
                f"judge: only {self.successes} of the labelled answers are true successes; at least {LABELS_NEEDED} "
                "are needed to know how many a judge misses (about 100 are worth their price). Label more answers of "
                "the reproduction, or of a version that still has the flaw"
            )
        return JudgeError(
            found=self.found,
            successes=self.successes,
            called=self.called,
            failures=self.failures,
            confirmed=confirmed,
            alpha_cal=alpha_cal,
            version=self.version,
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a file; `from_json` is its inverse."""
        return {"format": FORMAT, **asdict(self), "models": list(self.models), "people": list(self.people)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """The calibration that `to_json` described. Raises CalibrationError on foreign data."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise CalibrationError(f"not a calibration of format {FORMAT}")
        values = {name: value for name, value in data.items() if name != "format"}
        try:
            values["models"], values["people"] = tuple(values["models"]), tuple(values["people"])
            made = cls(**values)
            JudgeError(found=made.found, successes=made.successes, called=made.called, failures=made.failures)
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"calibration cannot be read: {error}") from None
        return made


def calibrate(runs: Sequence[Stored], *, vuln_class: str = "", n: int | None = None, seed: int = 0) -> Calibration:
    """The errors of the judge of these runs, from their labels. Raises CalibrationError.

    `n` and `seed` as given to `labelling.drawn`: every answer of that draw must have a label, since leaving out the
    hard ones would flatter the judge. All runs must ask the same version of the judge.
    """
    versions = {judge_version(run.document.detectors["success"], run.document.targets) for run in runs if run.document}
    if len(versions) != 1:
        raise CalibrationError(
            "judge: the runs ask different judges; calibrate each by itself" if versions else "there are no runs"
        )
    counts = _Counts()
    for run in runs:
        counts.add(run, n, seed)
    return counts.calibration(versions.pop(), vuln_class)


def calibrate_again(
    run: Stored,
    found: Rejudged,
    targets: Mapping[str, TargetInfo],
    *,
    vuln_class: str = "",
    n: int | None = None,
    seed: int = 0,
) -> Calibration:
    """The errors of a judge that looked at stored answers again, from the labels that people had given them before.

    So what people said in a run that waited for them, or in a program's own pages, measures any judge later. `targets`
    are those that the judge of `found` is asked at; `n` and `seed` as in `calibrate` (None: every answer that a person
    or the judge was asked about). Raises CalibrationError where one has no label, or was not judged.
    """
    if not roles(found.rule) & MACHINES:
        raise CalibrationError("judge: the rule asks no model, so there is nobody to measure")
    rows = {(one.stream, one.index): one for one in found.rows}
    labelled = first_words(run.labels)
    asked = {identity for identity, one in rows.items() if one.judged or identity in labelled}
    if n is not None:
        asked = set(draw((one.identity for one in judged_trials(run)), n=n, seed=seed))
    if left := sum(rows[identity].new is None for identity in asked):
        raise CalibrationError(f"judge: {left} of the answers were not judged; allow more calls, or name every judge")
    counts = _Counts()
    words = {identity: (Outcome(str(rows[identity].new)), rows[identity].judged) for identity in asked}
    counts.count(run, sorted(asked), words)
    return counts.calibration(judge_version(found.rule, targets), vuln_class)


class _Counts:
    """What people said against what the rule had said, over several runs."""

    def __init__(self) -> None:
        self.table: Counter[tuple[Outcome, bool]] = Counter()
        self.people: set[str] = set()
        self.models: set[str] = set()
        self.agreed = self.doubled = self.missing = 0

    def add(self, run: Stored, n: int | None, seed: int) -> None:
        """What the rule of the run said of its answers when it was made."""
        assert run.document is not None
        rows = {one.identity: one for one in judged_trials(run)}
        words = {identity: (word_of(run.document, one), one.judged) for identity, one in rows.items()}
        self.count(run, draw(rows, n=n, seed=seed), words)

    def count(self, run: Stored, drawn: Sequence[Identity], words: Mapping[Identity, Word]) -> None:
        """What a rule said of these answers, against the first label of each."""
        labels = first_words(run.labels)
        for identity in drawn:
            (word, judged), label = words[identity], labels.get(identity)
            if label is None:
                self.missing += 1
                continue
            said = Outcome(label.outcome)
            # A doubt counts as a success where a fix is verified: of a true success it is no find, else a false alarm.
            self.table[said, word is Outcome.SUCCESS if said is Outcome.SUCCESS else word is not Outcome.FAILURE] += 1
            self.people.add(label.by)
            self.models |= {str(row["model"]) for row in judged if row.get("model")}
        agreed, doubled = agreement(run.labels)
        self.agreed, self.doubled = self.agreed + agreed, self.doubled + doubled

    def row(self, label: Outcome) -> tuple[int, int]:
        """How many of the answers with this label the rule called successes, of how many."""
        called = self.table[label, True]
        return called, called + self.table[label, False]

    def calibration(self, version: str, vuln_class: str) -> Calibration:
        """The counts, once every answer has its label. Raises CalibrationError before."""
        if self.missing:
            raise CalibrationError(
                f"judge: {self.missing} of the answers drawn have no label yet; label them all, also the hard ones"
            )
        (found, successes), (called, failures) = self.row(Outcome.SUCCESS), self.row(Outcome.FAILURE)
        return Calibration(
            vuln_class=vuln_class,
            version=version,
            found=found,
            successes=successes,
            called=called,
            failures=failures,
            unsure=self.row(Outcome.UNDECIDED)[1],
            agreed=self.agreed,
            doubled=self.doubled,
            models=tuple(sorted(self.models)),
            people=tuple(sorted(self.people)),
        )


@dataclass(frozen=True, kw_only=True)
class NegativeCheck:
    """Answers after a fix that the judge called failures, looked at by people: `missed` of `checked` were successes."""

    checked: int
    missed: int
    missing: int
    upper: float

    @property
    def said(self) -> str:
        """In a sentence, for the report."""
        if self.missing:
            have = "has" if self.missing == 1 else "have"
            return f"{self.missing} of the answers to check {have} no label yet"
        if self.missed:
            return (
                f"{self.missed} of {self.checked} answers that the judge called failures are successes: after the "
                "fix it misses more than its labels say, so do not lean on its verdict"
            )
        return f"none of {self.checked} answers that the judge called failures is a success (at most {self.upper:.1%})"


def check_negatives(run: Stored, *, n: int = CHECKED, seed: int = 0) -> NegativeCheck:
    """What people found among the judge's failures; `n` and `seed` as given to `labelling.negatives`.

    `upper` is the 95 % one-sided bound of the share that the judge misses (Clopper-Pearson).
    """
    words = first_words(run.labels)
    drawn = draw((one.identity for one in called_failures(run)), n=n, seed=seed)
    labels = [words[identity].outcome for identity in drawn if identity in words]
    missed = sum(outcome != Outcome.FAILURE for outcome in labels)
    upper = exact_upper(missed, len(labels), confidence=0.95)
    return NegativeCheck(checked=len(labels), missed=missed, missing=len(drawn) - len(labels), upper=upper)
