"""Run as a process of its own: makes a replay in the installation of the environment, or says how one stands."""

from __future__ import annotations

import json
import sys

import django


def make(url: str, concurrency: int) -> dict[str, object]:
    """A program with a target at `url`, and a replay that waits."""
    from tests.replays.making import plan, queued, version_at

    document = plan(url, rated_n=30, setting_n=10, cap=400)
    replay = queued(version_at(url), document, concurrency=concurrency)
    return {"id": str(replay.pk)}


def show(replay_id: str) -> dict[str, object]:
    """Where it stands, with every stored trial."""
    from manyeyes.replays.models import Replay

    replay = Replay.objects.get(pk=replay_id)
    rows = list(replay.trials.all())
    return {
        "state": replay.state,
        "reason": replay.pause_reason,
        "verdict": replay.verdict,
        "calls": replay.calls,
        "unanswered": replay.unanswered,
        "attempts": replay.attempts,
        "trials": sorted([row.stream, row.index, row.outcome, row.seed, row.said("answer")] for row in rows),
    }


if __name__ == "__main__":
    django.setup()
    act, *words = sys.argv[1:]
    sys.stdout.write(json.dumps(make(words[0], int(words[1])) if act == "make" else show(words[0])))
