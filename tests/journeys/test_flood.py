"""Reports with files at the same time as kill -9: what was shown as received is there, whole and once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests import marker
from tests.journeys.flood import Sender, flood, problems
from tests.journeys.test_marker import House

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("MANYEYES_DATABASE_URL", "").startswith("postgres"),
        reason="kills an installation with the embedded database; the stage function is tried on both",
    ),
]
AT_ONCE = 24
SIZE = 1_000_000
KILLS = 3


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("flood"))
    made.call("-m", "manyeyes.cli", "init", "--no-program")
    yield made
    made.end()


def test_what_was_shown_as_received_is_there_whole_and_once(house: House) -> None:
    made = house.furnish("make", "http://127.0.0.1:9/v1")
    house.serve()
    senders = [Sender(house.base, made["slug"], made["target"], SIZE) for _ in range(AT_ONCE)]
    flood(senders, kills=KILLS, kill=house.kill, again=house.serve)
    whole = house.furnish("whole", *(one.digits for one in senders))
    assert problems(senders, whole) == []
    assert whole["opened"] == {one.digits: one.ref for one in senders}, "each receipt opens its own case"
    assert max(one.tries for one in senders) > 1, "somebody had to send again"
    assert marker.find(senders[0].submission + ".bin", *house.places()) == [], "not even a name lies in the clear"


def test_the_look_sees_what_is_missing_and_what_is_double() -> None:
    here = Sender("", "", "", 1, ref="ME-1", digest="d")
    row = {"ref": "ME-1", "submission": here.submission, "files": ["d"], "as_sent": True, "events": 1}
    assert problems([here], {"cases": [row], "half": []}) == []
    for change in ({"files": []}, {"files": ["d", "d"]}, {"as_sent": False}, {"events": 2}, {"ref": "ME-2"}):
        assert problems([here], {"cases": [{**row, **change}], "half": []})
    assert problems([here], {"cases": [row, row], "half": []})
    assert problems([here], {"cases": [row], "half": ["ME-3"]})
    assert problems([here], {"cases": [], "half": []})
