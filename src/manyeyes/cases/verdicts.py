"""Taking up a finished replay exactly once, whoever asks how often."""

from __future__ import annotations

from manyeyes.cases.models import Reproduction
from manyeyes.replays.models import Replay
from manyeyes.rules import clock


class AlreadyTakenUp(Exception):  # noqa: N818 -- says where the row stands
    """The verdict was taken up before; the transaction that tried again leaves no trace."""


def take_up(link: Reproduction, *, shown: bool) -> None:
    """Write the verdict on the link, inside the transaction of the event. Raises AlreadyTakenUp the second time."""
    moment = clock.now()
    open_link = Reproduction.objects.filter(pk=link.pk, concluded_at__isnull=True)
    values = {"verdict": link.replay.verdict_word, "concluded_at": moment, "published_at": moment if shown else None}
    if not open_link.update(**values):
        raise AlreadyTakenUp
    Replay.objects.filter(pk=link.replay_id, concluded_at__isnull=True).update(concluded_at=moment)
