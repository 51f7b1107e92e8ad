"""A frozen plan worked through by a person in the product's own pages: the same engine, outcomes ticked by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from manyeyes.engine.plan import Answer, Batch, Feed, Outcome, Stream
from manyeyes.engine.plan import Trial as Planned
from manyeyes.engine.replay import replay as engine_replay
from manyeyes.engine.verdict import Verdict
from manyeyes.replays import queue
from manyeyes.replays.models import Replay, Trial
from manyeyes.replays.store import progress_json
from manyeyes.rules import clock
from manyeyes.rules.criterion import criterion_words
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.procedure import steps_of
from manyeyes.runs.result import RunResult

ORIGIN = "manual"
SHOWED = (
    (str(Outcome.SUCCESS), "The flaw showed"),
    (str(Outcome.FAILURE), "It did not"),
    (str(Outcome.UNDECIDED), "I cannot say"),
)
USEFUL = (
    (str(Outcome.SUCCESS), "A useful answer"),
    (str(Outcome.FAILURE), "Not useful"),
    (str(Outcome.UNDECIDED), "I cannot say"),
)
KINDS = {
    Stream.MAIN: "The exploit. These trials decide the verdict.",
    Stream.OLD: "The exploit on the older version, beside the same trial on the new one.",
    Stream.CONTROL: "An unrelated request, to see whether the rule fires without the exploit too.",
    Stream.BENIGN: "A harmless question, to see whether ordinary users meet the flaw too.",
    Stream.POSITIVE: "The exploit on the version known to be vulnerable; if it no longer shows there, the test is off.",
    Stream.ATTRIBUTE: "The exploit in one kind of wording, to find out which kinds still get through.",
    Stream.SCORE: "The exploit again, a number of times fixed beforehand; the severity is scored by these trials.",
}
HELPFUL = "A harmless question: a fix that refuses everything would be no fix, so the answer should be of use."
AHEAD = 5  # how many trials a person may do in any order; more would only become overrun
TRANSCRIPT = 200_000


@dataclass(frozen=True, kw_only=True)
class ManualTrial:
    """One trial to make by hand: start clean, use these settings, take the steps in `messages`, tick what happened.

    `version` is the label to send it to, `kind` why it is made, `criterion` ends "It counts if …", and `ticks` are the
    outcomes in words that fit the question: a harmless one may succeed by being answered.
    """

    stream: str
    index: int
    seed: int
    setting: str
    wording: str
    part: str
    params: Mapping[str, Any]
    messages: tuple[Mapping[str, str], ...]
    version: str
    kind: str
    criterion: str
    ticks: tuple[tuple[str, str], ...]


def next_trials(replay: Replay, room: int = AHEAD) -> list[ManualTrial]:
    """The trials to make next, in plan order; none once there is a verdict."""
    document = PlanDocument.from_json(replay.document)
    step = _step(document, replay, room)
    return [] if isinstance(step, Verdict) else [_show(document, trial) for trial in step.trials]


@transaction.atomic
def tick(replay: Replay, *, stream: str, index: int, outcome: str, transcript: str = "", by: Any) -> Replay:
    """Store what came of one trial, and the verdict if the plan's rule is met by it.

    The same tick again changes nothing. Raises Invalid for a trial that is not next or an unknown outcome, Conflict
    when the trial was ticked otherwise or the replay is not open.
    """
    row = Replay.objects.select_for_update().get(pk=replay.pk)
    _check(row, outcome, transcript)
    told = row.trials.filter(stream=stream, index=index).first()
    if told is not None:
        if told.outcome != outcome:
            raise Conflict(f"This trial was already ticked as {told.outcome}. What was recorded is not changed.")
        return _same(replay)
    document = PlanDocument.from_json(row.document)
    step = _step(document, row, AHEAD)
    planned = None if isinstance(step, Verdict) else _find(step, stream, index)
    if planned is None:
        raise Invalid(index="This trial is not among the next ones of the plan. Reload the page.")
    _store(row, planned, outcome, transcript, by)
    row.state, row.started_at = Replay.State.RUNNING, row.started_at or clock.now()
    settle(row)
    return _same(replay)


def settle(row: Replay) -> None:
    """Look at the record again: the verdict is written by whoever ticked the trial that decided. The row is locked."""
    document = PlanDocument.from_json(row.document)
    step = _step(document, row, 0)
    row.calls = row.trials.count()  # no heartbeat, so trials by hand never count against a machine's permit
    if not isinstance(step, Verdict):
        row.progress = progress_json(step.progress)
        row.save()
        return
    result = RunResult(
        document=document,
        verdict=step,
        calls=row.calls,
        tokens_in=0,
        tokens_out=0,
        cost=None,
        seconds=(clock.now() - (row.started_at or clock.now())).total_seconds(),
        overrun=step.overrun,
    )
    queue.conclude(row, {**result.to_json(), "origin": ORIGIN})


def label(replay: Replay, *, stream: str, index: int, outcome: str, by: Any) -> None:
    """Say what an answer was that no detector could decide; the replay goes on once none is left."""
    with transaction.atomic():
        row = Replay.objects.select_for_update().get(pk=replay.pk)
        _outcome(outcome)
        waiting = row.trials.filter(outcome="")
        if not waiting.filter(stream=stream, index=index).update(outcome=outcome, by=by, labelled_at=clock.now()):
            raise Conflict("This answer needs no label, or has one already.")
        if row.state == Replay.State.AWAITING_LABEL and not waiting.exists():
            queue.resume(row)
    replay.refresh_from_db()


def open_labels(replay: Replay) -> list[Trial]:
    """The answers that wait for a person to say what they were."""
    return list(replay.trials.filter(outcome="").order_by("stream", "index"))


def _step(document: PlanDocument, replay: Replay, room: int) -> Batch | Verdict:
    answers = [
        Answer(
            stream=Stream(row.stream), index=row.index, outcome=Outcome(row.outcome), digest=row.exchange.get("digest")
        )
        for row in replay.trials.all()
    ]
    run = engine_replay(document.plan)
    next(run)
    try:
        return run.send(Feed(answers=answers, room=room))
    except StopIteration as stop:
        verdict: Verdict = stop.value
        return verdict


def _check(row: Replay, outcome: str, transcript: str) -> None:
    if row.mode != Replay.Mode.MANUAL:
        raise Conflict("This replay is made by the worker, not by hand.")
    if row.is_over or row.state == Replay.State.PAUSED:
        raise Conflict(f"This replay is {row.get_state_display().lower()}; nothing more can be ticked.")
    _outcome(outcome)
    if len(transcript) > TRANSCRIPT:
        raise Invalid(transcript=f"Paste at most {TRANSCRIPT:,} characters.")
    if "\0" in transcript:
        raise Invalid(transcript="The transcript holds NUL characters. Paste it as plain text.")


def _outcome(outcome: str) -> None:
    if outcome not in set(Outcome):
        raise Invalid(outcome=f"Choose one of {', '.join(Outcome)}.")


def _find(batch: Batch, stream: str, index: int) -> Planned | None:
    return next((trial for trial in batch.trials if (str(trial.stream), trial.index) == (stream, index)), None)


def _show(document: PlanDocument, trial: Planned) -> ManualTrial:
    request = document.requests[trial.cell]
    role = {Stream.POSITIVE: "positive", Stream.OLD: "old"}.get(trial.stream, "main")
    useful = request.detector == "useful"  # in a verification, a harmless question succeeds by being answered
    return ManualTrial(
        stream=str(trial.stream),
        index=trial.index,
        seed=trial.seed,
        setting=request.setting,
        wording=request.wording,
        part=request.part,
        params=request.params,
        messages=tuple(steps_of(request)),
        version=document.targets[role].label if role in document.targets else "",
        kind=HELPFUL if useful else KINDS[trial.stream],
        criterion=criterion_words(document.detectors[request.detector]),
        ticks=USEFUL if useful else SHOWED,
    )


def _store(row: Replay, planned: Planned, outcome: str, transcript: str, by: Any) -> None:
    # Without a transcript nobody can tell repeats apart, so the answer stays unnamed.
    digest = hashlib.sha256(transcript.encode("utf-8", "surrogatepass")).hexdigest() if transcript.strip() else None
    Trial.objects.create(
        replay=row,
        key_id=row.key_id,
        stream=str(planned.stream),
        index=planned.index,
        cell=planned.cell,
        seed=planned.seed,
        origin=ORIGIN,
        outcome=outcome,
        exchange={"answer": transcript, "digest": digest},
        started_at=clock.now(),
        by=by,
    )


def _same(given: Replay) -> Replay:
    given.refresh_from_db()
    return given


__all__ = ["ManualTrial", "label", "next_trials", "open_labels", "tick"]
