"""What people do to a replay of a case while it runs: pause, resume, cancel, and tick trials made by hand."""

from __future__ import annotations

from typing import Any

from manyeyes.cases import replayed
from manyeyes.cases.models import Reproduction
from manyeyes.cases.moves import acting
from manyeyes.replays import manual, queue
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role

ACTIONS = {"pause": queue.pause, "resume": queue.resume, "cancel": queue.cancel}
WHO = TRIAGERS | {Role.TARGET_OWNER}


def steer(link: Reproduction, *, by: Any, action: str) -> None:
    """Pause, resume or cancel. Raises Invalid for another word, NotAllowed for people who may not."""
    if action not in ACTIONS:
        raise Invalid(action=f"Choose one of: {', '.join(ACTIONS)}.")
    with acting(link.case, f"replay.{action}", by=by, allowed=WHO, replay=str(link.replay_id)):
        ACTIONS[action](link.replay)


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
