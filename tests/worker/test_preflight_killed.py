"""kill -9 of the worker while reports are tried on arrival: each is tried once, nothing is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.worker.scripted import ScriptedTarget
from tests.worker.test_kill import House, house, wait

__all__ = ["house"]
pytestmark = [pytest.mark.process, pytest.mark.slow]
REPORTS = 3  # as many as the budget of one reporter lets wait at a time
TRIALS = 12
SLOTS = 2


@pytest.fixture
def target() -> Iterator[ScriptedTarget]:
    with ScriptedTarget(rate=0.5, delay=0.05) as server:
        yield server


def rows(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(house.call("-m", "tests.worker.stage", "arrived"))["rows"]
    return found


def test_reports_are_tried_once_each_however_often_the_worker_dies(house: House, target: ScriptedTarget) -> None:
    house.call("-m", "tests.worker.stage", "arrive", target.url, str(REPORTS))
    for calls in (3, 20):
        worker = house.start("worker")
        wait(lambda so_far=calls: target.calls >= so_far)
        worker.kill()
        worker.wait()
    house.start("worker")
    wait(lambda: all(row["state"] == "tried" for row in rows(house)), pause=1.0)
    for row in rows(house):
        assert (row["n"], row["status"]) == (TRIALS, "new")
        assert sorted(index for stream, index in row["trials"] if stream == "score") == list(range(TRIALS))
        said = [kind for kind in row["kinds"] if kind.startswith("preflight.")]
        assert said == ["preflight.started", "preflight.tried"]
    # Each kill may cost the calls in flight, which are sent again and counted; nothing else is spent twice.
    assert target.calls <= REPORTS * TRIALS + 2 * SLOTS
    assert sum(row["calls"] for row in rows(house)) >= target.calls - 2 * SLOTS
