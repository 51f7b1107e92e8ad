"""The record of a replay as a folder for the tools of the command line; that somebody took it out is on record."""

from __future__ import annotations

from typing import Any

from manyeyes.cases.models import Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.steering import WHO
from manyeyes.replays import record


def name_of(link: Reproduction) -> str:
    """What the folder is called."""
    return f"{link.case.ref}-{str(link.replay_id)[:8]}"


def take_out(link: Reproduction, *, by: Any) -> bytes:
    """A ZIP archive of the folder that `manyeyes label`, `rejudge` and `--resume` read. What was said is in the clear.

    Raises NotAllowed for people who may not.
    """
    with acting(link.case, "replay.taken_out", by=by, allowed=WHO, replay=str(link.replay_id)):
        return record.packed(record.folder(link.replay), name_of(link))
