"""Goes on with a replay that ended without an answer: a new row with the same plan, a larger cap, and its trials."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db import transaction

from manyeyes.engine.resume import open_at
from manyeyes.replays import manual
from manyeyes.replays.models import HeldAnswer, Replay, Trial
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.numerals import many
from manyeyes.runs.document import PlanDocument

COPIED = (
    "stream", "index", "cell", "seed", "origin", "outcome", "exchange", "http_status", "tokens_in", "tokens_out", "ms",
    "attempts", "started_at", "stored_at", "by_id", "labelled_at",
)  # fmt: skip
"""All of a trial but its replay and its place after a boundary: what came after the old one may count now."""
BATCH = 500
GOES_ON = "This replay goes on already, up to a larger cap."


def may_go_on(replay: Replay) -> bool:
    """Whether a larger cap could still bring an answer, and nobody has asked for one yet. Decrypts nothing."""
    if replay.state != Replay.State.DONE or replay.n is None:
        return False
    return open_at(replay.question, replay.verdict_word, replay.n) and not _longer(replay).exists()


def document_of(replay: Replay, *, cap: int, max_calls: int | None = None) -> PlanDocument:
    """The plan that goes on from this replay, up to `cap` scored trials and (None: any number) `max_calls` calls.

    Raises Invalid for a limit that is none, Conflict where the replay has its answer or has not ended.
    """
    document = PlanDocument.from_json(replay.document)
    if replay.state != Replay.State.DONE:
        raise Conflict("This replay has not ended. Let it go on as it is.")
    if not open_at(replay.question, replay.verdict_word, replay.n or 0):
        raise Conflict("This replay ended with an answer that a larger cap does not change.")
    if cap <= document.plan.cap:
        raise Invalid(cap=f"It ended within {many(document.plan.cap, 'trial')}. Give more than that.")
    if max_calls is not None and max_calls <= replay.calls:
        made = many(replay.calls, "call was", "calls were")
        raise Invalid(max_calls=f"{made} made already. Give more than that, or leave it empty.")
    longer = document.gone_on(replay.verdict, cap=cap)
    return longer.with_caps(replace(document.caps, max_calls=max_calls))


@transaction.atomic
def go_on(replay: Replay, document: PlanDocument, *, by: Any, replay_id: uuid.UUID) -> Replay:
    """Queue the longer plan that `document_of` gave, with every trial on record. Raises Conflict the second time.

    The old row and its verdict stay as they are; calls made under it are on its bill, and not again on the new one's.
    """
    old = Replay.objects.select_for_update().get(pk=replay.pk)
    if not document.goes_on_from(PlanDocument.from_json(old.document)):
        raise Conflict("The plan has changed meanwhile. Look again, then decide.")
    if _longer(old).exists():
        raise Conflict(GOES_ON)
    made = Replay.objects.create(
        pk=replay_id,
        key_id=old.key_id,
        document=document.to_json(),
        plan_hash=document.hash,
        question=old.question,
        mode=old.mode,
        main_version_id=old.main_version_id,
        positive_version_id=old.positive_version_id,
        judge_version_id=old.judge_version_id,
        requested_by=by,
        concurrency=old.concurrency,
        calls=old.calls,
        goes_on_from=old,
        calls_before=old.calls,
    )
    copies = _copies(old, made)
    while rows := list(islice(copies, BATCH)):
        Trial.objects.bulk_create(rows)
    for held in old.held.all():
        HeldAnswer.objects.create(
            replay=made, key_id=made.key_id, stream=held.stream, index=held.index, record=held.record
        )
    if made.mode == Replay.Mode.MANUAL:
        manual.settle(made)
    return made


def _longer(replay: Replay) -> Any:
    return Replay.objects.filter(goes_on_from=replay).exclude(state=Replay.State.CANCELLED)


def _copies(old: Replay, made: Replay) -> Iterator[Trial]:
    for row in old.trials.all().iterator(chunk_size=BATCH):
        yield Trial(replay=made, key_id=made.key_id, **{name: getattr(row, name) for name in COPIED})
