"""What a report needs of a finished run, read once: the result, how the evidence grew, the first success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manyeyes.commands.telling import place_of
from manyeyes.engine import evidence_path
from manyeyes.engine.path import PathPoint
from manyeyes.engine.plan import Answer, Outcome, Question, Stream
from manyeyes.rules.sentences import setting_words, verdict_sentence
from manyeyes.runs.bundle import Evidence
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.store import TrialRecord

DRAWN = 1_500
"""Points of a path that are drawn; more would only make the file larger."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A finished run, ready to be shown. `texts` says whether what the target said may be shown."""

    document: PlanDocument
    result: Mapping[str, Any]
    steps: tuple[PathPoint, ...]
    outcomes: tuple[str, ...]
    first_success: TrialRecord | None
    texts: bool
    ended: str

    @property
    def rated(self) -> Mapping[str, Any] | None:
        """The row of the rated setting, whose fixed number of trials is the one that is scored."""
        return next((row for row in self.result["settings"] if row.get("rated")), None)

    @property
    def sentence(self) -> str:
        """The verdict as a paragraph."""
        return sentence(self.document, self.result)

    @property
    def threshold(self) -> float:
        """The e-value at which a word may be said."""
        return 1 / self.document.plan.alpha

    def where(self, setting: str) -> str:
        """A setting in words."""
        return where(self.document, setting)


def sentence(document: PlanDocument, result: Mapping[str, Any]) -> str:
    """The verdict as a paragraph, with the setting it speaks of in words."""
    return verdict_sentence(result, where=place_of(document, result), plan=document.plan.to_json())


def where(document: PlanDocument, setting: str) -> str:
    """A setting in words; its name where nobody said what it is."""
    return setting_words(document.knobs.get(setting, {})) or setting or "setting not stated"


def read(evidence: Evidence, *, texts: bool = True) -> Reading:
    """Reads what the verdict rests on: the main trials up to it, without gaps."""
    main = sorted((one for one in evidence.trials if one.stream == Stream.MAIN), key=lambda one: one.index)
    counted = [one for place, one in enumerate(main[: evidence.result["n"]]) if one.index == place and one.outcome]
    ended = max((one.started_at for one in evidence.trials if one.started_at), default="")
    return Reading(
        document=evidence.document,
        result=evidence.result,
        steps=_steps(evidence, counted),
        outcomes=tuple(str(one.outcome) for one in counted),
        first_success=next((one for one in counted if one.outcome == Outcome.SUCCESS), None),
        texts=texts,
        ended=ended,
    )


def _steps(evidence: Evidence, main: Sequence[TrialRecord]) -> tuple[PathPoint, ...]:
    plan = evidence.document.plan
    if plan.question not in (Question.REPRODUCE, Question.VERIFY) or not main:
        return ()
    control: list[TrialRecord] = []
    if plan.control:
        rows = sorted((one for one in evidence.trials if one.stream == Stream.CONTROL), key=lambda one: one.index)
        control = [one for place, one in enumerate(rows) if one.index == place and one.outcome][: len(main)]
        main = main[: len(control)]
    return evidence_path(
        plan,
        [_answer(one) for one in main],
        control=[_answer(one) for one in control],
        step=max(1, len(main) // DRAWN),
    )


def _answer(one: TrialRecord) -> Answer:
    return Answer(stream=Stream(one.stream), index=one.index, outcome=Outcome(str(one.outcome)), digest=one.digest)
