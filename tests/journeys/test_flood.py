"""Reports with files at the same time as kill -9: what was shown as received is there, whole and once."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests import marker
from tests.journeys.flood import MARK, Sender, flood, problems
from tests.journeys.test_marker import House, wait

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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("flood"))
    made.environment["DJANGO_SETTINGS_MODULE"] = "tests.journeys.impatient"
    made.call("-m", "manyeyes.cli", "init", "--no-program")
    yield made
    made.end()


@pytest.fixture(scope="module")
def standing(house: House) -> tuple[House, dict[str, Any]]:
    made = house.furnish("make", "http://127.0.0.1:9/v1")
    house.serve()
    return house, made


def test_what_was_shown_as_received_is_there_whole_and_once(standing: tuple[House, dict[str, Any]]) -> None:
    house, made = standing
    senders = [Sender(house.base, made["slug"], made["target"], SIZE) for _ in range(AT_ONCE)]
    flood(senders, kills=KILLS, kill=house.kill, again=house.serve)
    whole = house.furnish("whole", *(one.digits for one in senders))
    assert problems(senders, whole) == []
    assert whole["opened"] == {one.digits: one.ref for one in senders}, "each receipt opens its own case"
    assert max(one.tries for one in senders) > 1, "somebody had to send again"
    assert marker.find(MARK, *house.places()) == [], "nothing of an upload in flight lies in the clear"
    assert marker.find(senders[0].submission + ".bin", *house.places()) == [], "not even a name"


def test_the_worker_removes_what_a_kill_left_behind(standing: tuple[House, dict[str, Any]]) -> None:
    house, _ = standing
    known, held = sorted(house.data.glob("files/*/*")), house.furnish("whole")["cases"]
    left = known[0].with_name(str(uuid.uuid4()))
    half = known[0].with_name(f".{uuid.uuid4()}.0a1b2c3d")
    for place in (left, half):
        place.write_bytes(b"x")
        os.utime(place, (time.time() - 90_000,) * 2)
    for place in known:
        os.utime(place, (time.time() - 90_000,) * 2)
    house.kill()
    house.serve()
    wait(lambda: not left.exists() and not half.exists())
    assert {*house.data.glob("files/*/*")} <= {*known}
    assert house.furnish("whole")["cases"] == held, "every file of a case is still there, whole"
    assert len(held) >= AT_ONCE


def test_a_locked_database_is_told_and_keeps_the_text(standing: tuple[House, dict[str, Any]]) -> None:
    house, made = standing
    here = Sender(house.base, made["slug"], made["target"], SIZE)
    other = sqlite3.connect(house.data / "db.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=here.run, daemon=True)
    thread.start()
    wait(lambda: here.busy > 0)
    other.execute("ROLLBACK")
    other.close()
    thread.join(60)
    assert here.refusals == []
    assert here.ref, "the same form arrived as soon as it could"
    assert "Your text is still here" in here.told
    assert here.submission in here.told, "what was typed stands in the form again"
    stored = house.furnish("whole", here.digits)
    assert [row["files"] for row in stored["cases"] if row["submission"] == here.submission] == [[here.digest]]


@pytest.mark.parametrize(
    ("kind", "name", "status", "words"),
    [
        ("file", "files", 422, "larger than 25 MB"),
        ("file", "toolfile", 422, "larger than 25 MB"),
        ("text", "steps", 413, "Too much at once"),
    ],
)
def test_what_is_too_large_is_answered_and_not_cut_off(
    standing: tuple[House, dict[str, Any]], kind: str, name: str, status: int, words: str
) -> None:
    house, made = standing
    edge = "edge-4711"
    where = f'form-data; name="{name}"' + ('; filename="big.bin"' if kind == "file" else "")
    action = "read" if name == "toolfile" else "send"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="action"\r\n\r\n{action}\r\n--{edge}\r\n'
    body = f"{head}Content-Disposition: {where}\r\n\r\n".encode() + b"x" * 60_000_000 + f"\r\n--{edge}--\r\n".encode()
    kinds = {"Content-Type": f"multipart/form-data; boundary={edge}", "Origin": house.base}
    request = urllib.request.Request(f"{house.base}/p/{made['slug']}/report/", data=body, headers=kinds)
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=60)
    assert told.value.code == status
    assert words in told.value.read().decode()


def test_the_look_sees_what_is_missing_and_what_is_double() -> None:
    here = Sender("", "", "", 1, ref="ME-1", digest="d")
    row = {"ref": "ME-1", "submission": here.submission, "files": ["d"], "as_sent": True, "events": 1}
    assert problems([here], {"cases": [row], "half": []}) == []
    for change in ({"files": []}, {"files": ["d", "d"]}, {"as_sent": False}, {"events": 2}, {"ref": "ME-2"}):
        assert problems([here], {"cases": [{**row, **change}], "half": []})
    assert problems([here], {"cases": [row, row], "half": []})
    assert problems([here], {"cases": [row], "half": ["ME-3"]})
    assert problems([here], {"cases": [], "half": []})
