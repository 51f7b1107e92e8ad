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


def arrive(url: str, reports: str) -> dict[str, object]:
    """The cast with its sandbox at `url`, and so many reports that wait to be tried on arrival."""
    from manyeyes.programs.models import TargetVersion
    from tests.people import make_cast, submit

    cast = make_cast()
    for version in TargetVersion.objects.all():
        version.endpoint_url, version.api_key = url, "sk-test-1"
        version.save()
    return {"refs": [submit(cast).ref for _ in range(int(reports))]}


def arrived() -> dict[str, object]:
    """How each report stands: its tries with their trials, and what the log says of them."""
    from manyeyes import events
    from manyeyes.cases.arrived import Preflight

    rows = []
    for row in Preflight.objects.select_related("case", "reproduction__replay").order_by("at"):
        replay = row.reproduction.replay if row.reproduction else None
        kinds = [event.kind for event in events.log(row.case.subject)]
        trials = [[one.stream, one.index] for one in replay.trials.all()] if replay else []
        rows.append({"state": row.state, "k": row.k, "n": row.n, "calls": row.calls, "kinds": kinds, "trials": trials,
                     "status": row.case.status, "unanswered": replay.unanswered if replay else 0})  # fmt: skip
    return {"rows": rows}


ACTS = {
    "make": lambda url, slots: make(url, int(slots)), "show": show, "arrive": arrive, "arrived": arrived,
}  # fmt: skip

if __name__ == "__main__":
    django.setup()
    act, *words = sys.argv[1:]
    sys.stdout.write(json.dumps(ACTS[act](*words)))
