"""Shows people the answers that they are to label, and takes their labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manyeyes.engine.plan import Outcome, Stream
from manyeyes.plugins.detection import nodes
from manyeyes.plugins.protocols import Observations, ToolCall
from manyeyes.rules import clock
from manyeyes.rules.criterion import criterion_words
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.judges import first_rule
from manyeyes.runs.labels import Label, LabelError, append_labels, draw, first_words
from manyeyes.runs.steps import exchange_of
from manyeyes.runs.store import FileStore, Stored, StoreError, TrialRecord

CHECKED = 30
"""Answers that a judge called failures, to look at by hand after a fix: it may miss what a half-fixed target says."""


@dataclass(frozen=True, kw_only=True)
class ToLabel:
    """One answer for a person to look at. `judged` is empty where they are to decide without the judge's word.

    `messages` is the whole conversation before the answer, live turns included; `tool_calls` what the model asked for
    in it, `observations` what an environment saw.
    """

    stream: str
    index: int
    question: str
    messages: tuple[Mapping[str, Any], ...]
    answer: str
    tool_calls: tuple[ToolCall, ...] = ()
    observations: Observations = field(default_factory=dict)
    judged: tuple[Mapping[str, Any], ...] = ()


def waiting(stored: Stored, *, blind: bool = True) -> list[ToLabel]:
    """The answers that the run waits for, in the order they were planned."""
    document = _document(stored)
    rows = [one for one in stored.trials if one.outcome is None]
    return [_shown(document, one, blind) for one in sorted(rows, key=lambda one: one.identity)]


def drawn(stored: Stored, *, n: int | None = None, seed: int = 0) -> list[ToLabel]:
    """Answers to label for a calibration: `n` of the judged ones (None: all), by the seed alone, and always blind.

    Those that have a label already are left out, so that labelling can be gone on with; they still belong to the draw.
    """
    rows = {one.identity: one for one in judged_trials(stored)}
    done = first_words(stored.labels)
    picked = [identity for identity in draw(rows, n=n, seed=seed) if identity not in done]
    return [_shown(_document(stored), rows[identity], True) for identity in picked]


def negatives(stored: Stored, *, n: int = CHECKED, seed: int = 0) -> list[ToLabel]:
    """Answers that the judge called failures, to check by hand after a fix; drawn and shown like those of `drawn`."""
    rows = {one.identity: one for one in called_failures(stored)}
    done = first_words(stored.labels)
    picked = [identity for identity in draw(rows, n=n, seed=seed) if identity not in done]
    return [_shown(_document(stored), rows[identity], True) for identity in picked]


def label(
    store: FileStore,
    stream: str,
    index: int,
    outcome: Outcome | str,
    *,
    by: str,
    at: str | None = None,
    blind: bool = True,
) -> Label:
    """Keeps one person's word on one trial. Raises LabelError: no such trial, or labelled by this person before."""
    made = Label(stream=stream, index=index, outcome=str(outcome), by=by, at=at or clock.now().isoformat(), blind=blind)
    keep(store, [made])
    return made


def keep(store: FileStore, labels: Iterable[Label]) -> int:
    """Keeps labels, such as those of a file; all or none. Says how many. Raises LabelError and StoreError."""
    stored = store.load()
    if stored.document is None:
        raise StoreError(f"{store.directory} holds no run, so there is nothing to label")
    known = {one.identity for one in stored.trials}
    said = {(one.identity, one.by) for one in stored.labels}
    fresh = []
    for one in labels:
        if one.identity not in known:
            raise LabelError(f"{one.stream} {one.index}: the run has no answer to this trial")
        if (one.identity, one.by) in said:
            raise LabelError(f"{one.stream} {one.index}: {one.by} has labelled it; labels are never changed")
        said.add((one.identity, one.by))
        fresh.append(one)
    append_labels(store.directory, fresh)
    return len(fresh)


def judged_trials(stored: Stored) -> list[TrialRecord]:
    """Trials whose outcome a judge had a say in, empty answers included: those that tell how often the rule errs."""
    document = _document(stored)
    return [one for one in stored.trials if _counts(document, one) and word_of(document, one) is not None]


def called_failures(stored: Stored) -> list[TrialRecord]:
    """Trials of the exploit that the rule called failures."""
    document = _document(stored)
    streams = (Stream.MAIN, Stream.ATTRIBUTE)
    rows = [one for one in stored.trials if one.stream in streams and not one.overrun]
    return [one for one in rows if word_of(document, one) is Outcome.FAILURE]


def word_of(document: PlanDocument, one: TrialRecord) -> Outcome | None:
    """What the rule said before any person did; None where only a person can say.

    Where a person confirms, an answer that came to them was a success (or a doubt) by the rule before.
    """
    if one.by is None and one.outcome is not None:
        return Outcome(one.outcome)
    rule = document.detectors[document.requests[one.cell].detector]
    return None if first_rule(rule) is rule else Outcome.SUCCESS


def _counts(document: PlanDocument, one: TrialRecord) -> bool:
    return document.requests[one.cell].detector.rpartition("/")[2] == "success"


def _document(stored: Stored) -> PlanDocument:
    if stored.document is None:
        raise StoreError("there is no run here")
    return stored.document


def _shown(document: PlanDocument, one: TrialRecord, blind: bool) -> ToLabel:
    request = document.requests[one.cell]
    exchange = exchange_of(request, one)
    return ToLabel(
        stream=one.stream,
        index=one.index,
        question=question_of(document.detectors[request.detector]),
        messages=tuple(exchange.messages),
        answer=one.answer,
        tool_calls=tuple(exchange.tool_calls),
        observations=exchange.observations,
        judged=() if blind else tuple(one.judged),
    )


def question_of(rule: Mapping[str, Any]) -> str:
    """What a person is asked of an answer: the rule in words, and the question it has for people, if any."""
    own: Sequence[str] = [str(argument) for name, argument in nodes(rule) if name == "human"]
    return " ".join([*own[:1], f"It counts if {criterion_words(first_rule(rule))}."])
