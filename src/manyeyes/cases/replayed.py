"""The word from below that a replay has ended, handed to the stage it belongs to; the worker calls this."""

from __future__ import annotations

from manyeyes.cases import preflight, reproduction, verification
from manyeyes.cases.models import Reproduction
from manyeyes.replays.models import Replay


def conclude(replay: Replay) -> Reproduction | None:
    """Conclude what this replay was asked for; None if it belongs to no case."""
    link = Reproduction.objects.filter(replay=replay).first()
    if link is None:
        return None
    if link.purpose == Reproduction.Purpose.VERIFICATION:
        return verification.conclude(replay)
    if link.purpose == Reproduction.Purpose.PREFLIGHT:
        return preflight.conclude(replay)
    return reproduction.conclude(replay)
