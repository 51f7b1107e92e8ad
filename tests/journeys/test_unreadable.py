"""What the server cannot read as a request is answered by ours: a page for people, a problem for programs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from manyeyes.commands.unreadable import LONGEST_LINE
from tests.journeys.test_marker import House

pytestmark = [pytest.mark.process, pytest.mark.slow]
MARK = "BLUE-HERON-42"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    made.call("-m", "manyeyes.cli", "init", "--no-program")
    made.serve()
    yield made
    made.end()


def sent(house: House, raw: bytes) -> tuple[int, dict[str, str], str]:
    """What the server answers to these bytes: status, headers, body."""
    with socket.create_connection(("localhost", house.port), timeout=30) as line:
        line.sendall(raw)
        whole = b""
        while piece := line.recv(65_536):
            whole += piece
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), dict(one.lower().split(": ", 1) for one in rest), body.decode()


def line(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]).encode()


def test_a_long_address_is_read_like_any_other(house: House) -> None:
    for length in (4_000, 6_000, LONGEST_LINE - 100):
        assert sent(house, line("/advisories/?q=" + "a" * length))[0] == 200
        status, headers, _ = sent(house, line("/api/v1/programs?q=" + "a" * length))
        assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")


@pytest.mark.parametrize("length", [LONGEST_LINE, 100_000])
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/p/wicket/?q=", "text/html; charset=utf-8"), ("/api/v1/programs?q=", "application/problem+json")],
)
def test_one_beyond_all_measure_is_refused_as_ours(house: House, path: str, kind: str, length: int) -> None:
    status, headers, body = sent(house, line(path + MARK + "a" * length))
    assert (status, headers["content-type"], headers["cache-control"]) == (414, kind, "no-store")
    assert MARK not in body
    if kind.startswith("application"):
        found = json.loads(body)
        assert (found["type"], found["status"]) == ("urn:manyeyes:problem:address-too-long", 414)
    else:
        assert "This address is too long" in body
        assert "css/manyeyes.css" in body


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (line("/", *(f"X-{place}: {MARK}" for place in range(200))), 431),
        (line("/", f"X-Long: {MARK}{'a' * 20_000}"), 431),
        (line("/", f"{MARK} no header"), 400),
        (f"{MARK} what is this\r\n\r\n".encode(), 400),
    ],
)
def test_other_unreadable_requests(house: House, raw: bytes, status: int) -> None:
    told, headers, body = sent(house, raw)
    assert told == status
    assert headers["content-type"].startswith("text/html")
    assert "This request could not be read" in body
    assert MARK not in body


def test_the_log_holds_neither_sender_nor_content(house: House) -> None:
    sent(house, line("/" + MARK + "a" * LONGEST_LINE))
    written = "".join(file.read_text(errors="replace") for file in house.logs.iterdir() if file.is_file())
    assert MARK not in written
    assert "127.0.0.1" not in written.replace("http://127.0.0.1", "")
