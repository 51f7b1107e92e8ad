"""What people do to a replay of a case while it runs: pause, resume, cancel, and tick trials made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from manyeyes.cases import proposals, replayed
from manyeyes.cases.models import Reproduction
from manyeyes.cases.moves import acting
from manyeyes.replays import manual, queue
from manyeyes.replays.ready import needs_environment
from manyeyes.rules.errors import IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role
from manyeyes.rules.numerals import many
from manyeyes.runs.document import Caps, PlanDocument

ACTIONS = ("pause", "resume", "cancel")
WHO = TRIAGERS | {Role.TARGET_OWNER}


def steer(link: Reproduction, *, by: Any, action: str, max_calls: int | None = None) -> None:
    """Pause, resume (`max_calls`: under this limit from now on) or cancel.

    What may not run any more, because the permit or the class of the case changed meanwhile, is not resumed. Raises
    Invalid for another word or a limit that is reached already, NotAllowed for people who may not, IllegalMove.
    """
    if action not in ACTIONS:
        raise Invalid(action=f"Choose one of: {', '.join(ACTIONS)}.")
    if action == "resume" and link.replay.mode == proposals.RUNNER:
        _still_permitted(link, by=by)
    limit: dict[str, Any] = {} if max_calls is None else {"max_calls": max_calls}
    with acting(link.case, f"replay.{action}", by=by, allowed=WHO, replay=str(link.replay_id), **limit):
        if action == "resume":
            queue.resume(link.replay, caps=None if max_calls is None else _caps(link, max_calls))
        else:
            (queue.pause if action == "pause" else queue.cancel)(link.replay)


def _still_permitted(link: Reproduction, *, by: Any) -> None:
    """Raises IllegalMove saying why the machine may not go on; that somebody asked is put on record."""
    document = PlanDocument.from_json(link.replay.document)
    problems = proposals.forbidden(
        link.case, effects=document.effects, hazard=document.hazard, calls=1, environment=needs_environment(document)
    )
    if problems:
        proposals.refuse(link.case, problems, by=by)
        raise IllegalMove(" ".join(problems))


def _caps(link: Reproduction, max_calls: int) -> Caps:
    made = link.replay.calls
    if max_calls <= made:
        raise Invalid(
            max_calls=f"{many(made, 'call was', 'calls were')} made already, and count. Allow more than that."
        )
    return replace(PlanDocument.from_json(link.replay.document).caps, max_calls=max_calls)


def label(link: Reproduction, *, by: Any, stream: str, index: int, outcome: str) -> None:
    """Say what an answer was that no detector could decide; the replay goes on once none is left."""
    with acting(
        link.case, "answer.labelled", by=by, allowed=WHO, replay=str(link.replay_id), stream=stream, index=index
    ):
        manual.label(link.replay, stream=stream, index=index, outcome=outcome, by=by)


def tick(link: Reproduction, *, by: Any, stream: str, index: int, outcome: str, transcript: str = "") -> None:
    """Record one trial made by hand; the verdict is concluded as soon as the plan's rule is met."""
    with acting(link.case, "trial.ticked", by=by, allowed=WHO, replay=str(link.replay_id), stream=stream, index=index):
        manual.tick(link.replay, stream=stream, index=index, outcome=outcome, transcript=transcript, by=by)
    link.replay.refresh_from_db()
    if link.replay.verdict:
        replayed.conclude(link.replay)
