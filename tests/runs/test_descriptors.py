"""Many calls at once: the limit on open files is lifted, or said before anything is sent."""

from __future__ import annotations

import pytest

from manyeyes.runs import descriptors
from manyeyes.runs.descriptors import make_room
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.reach import open_target

resource = pytest.importorskip("resource")


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    lifted: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda which, pair: lifted.append(pair))
    return lifted


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "lifted"),
    [
        (1024, 524_288, 8, []),
        (1024, 524_288, 1_000, [(2_064, 524_288)]),
        (1024, resource.RLIM_INFINITY, 1_000, [(2_064, resource.RLIM_INFINITY)]),
        (256, 1_500, 1_000, [(1_500, 1_500)]),
        (1_500, 1_500, 1_000, []),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 100_000, []),
    ],
)
def test_the_limit_is_lifted_as_far_as_it_takes(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, connections: int, lifted: list[tuple[int, int]]
) -> None:
    found = limited(monkeypatch, soft, hard)
    make_room(connections)
    assert found == lifted


def test_a_limit_that_is_too_low_is_said_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    found = limited(monkeypatch, 256, 1_024)
    with pytest.raises(ValueError, match="concurrency: 1000 calls at once need 1064 open files") as said:
        open_target(TargetInfo(url="http://127.0.0.1:9", model="m"), connections=1_000)
    assert "at most --concurrency 960" in str(said.value)
    assert found == []


def test_where_there_is_no_such_limit_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "resource", None)
    make_room(1_000_000)
