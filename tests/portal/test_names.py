"""No file is lost for its name: by form and by API it arrives under one that can be kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from manyeyes.accounts import tokens
from manyeyes.cases.models import Attachment
from manyeyes.vault import files
from manyeyes.vault.parts import UNNAMED, _Readable
from tests.people import Cast, submit
from tests.portal.test_report import PAGE, answers

UNUSABLE = [b"..", b".", "\u202e\u202c".encode(), b"\x01\x02", b"C:\\fakepath\\", b"   ", b"&#47;"]
BODY = b"a transcript\r\n" * 20_000


@pytest.fixture(autouse=True)
def no_limits_before() -> None:
    """The limits count per process; each test starts at zero."""
    cache.clear()


def form(given: dict[str, Any], field: str, *names: bytes, body: bytes = BODY) -> bytes:
    """A form as a browser sends it, with files whose names are these very bytes."""
    said = [
        f'--xYx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in given.items()
    ]
    for name in names:
        said.append(
            f'--xYx\r\nContent-Disposition: form-data; name="{field}"; filename="'.encode() + name
            + b'"\r\nContent-Type: text/plain\r\n\r\n' + body + b"\r\n"
        )  # fmt: skip
    return b"".join([*said, b"--xYx--\r\n"])


def post(client: Client, path: str, body: bytes, **headers: str) -> Any:
    return client.generic("POST", path, body, content_type="multipart/form-data; boundary=xYx", headers=headers)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"x", BODY])
def test_a_file_with_an_unusable_name_comes_with_the_report(cast: Cast, body: bytes) -> None:
    answer = post(Client(), PAGE, form(answers(cast), "files", *UNUSABLE, body=body))
    assert answer.status_code == 201, answer.content
    rows = list(Attachment.objects.all())
    assert [row.stored.name for row in rows] == [UNNAMED] * len(UNUSABLE)
    assert {files.read_all(row.stored) for row in rows} == {body}
    assert all("without a name" in row.inside["odd"][-1] for row in rows if row.inside)


@pytest.mark.django_db
def test_a_name_in_another_encoding_or_too_long_is_kept_as_far_as_it_goes(cast: Cast) -> None:
    answer = post(Client(), PAGE, form(answers(cast), "files", "Bücher.txt".encode("latin-1"), b"n" * 230 + b".txt"))
    assert answer.status_code == 201, answer.content
    other, long = Attachment.objects.order_by("at", "pk")
    if len(other.stored.name) > len(long.stored.name):
        other, long = long, other
    assert other.stored.name == "B\ufffdcher.txt"
    assert (len(long.stored.name), long.stored.name[-5:]) == (200, "….txt")
    assert long.inside["odd"] == ["Its name was too long and was cut."]


@pytest.mark.django_db
def test_the_api_takes_it_too(cast: Cast) -> None:
    case = submit(cast)
    __, word = tokens.issue(cast.rhea, name="t", scopes=tuple(tokens.SCOPES), days=1)
    answer = post(Client(), f"/api/v1/cases/{case.ref}/files", form({}, "file", b".."), Authorization=f"Bearer {word}")
    assert answer.status_code == 201, answer.content
    assert Attachment.objects.get().stored.name == UNNAMED


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_only_headers_of_parts_are_touched(size: int) -> None:
    inner = b'\xff\xfe Content-Disposition: form-data; filename="\xff"\r\n\r\n\xff'
    body = form({"a": "b"}, "files", b"caf\xe9.txt", body=inner)
    source = iter([body[at : at + size] for at in range(0, len(body), size)])

    class Stream:
        def read(self, _size: int | None = None) -> bytes:
            return next(source, b"")

    stream, out = _Readable(Stream(), b"xYx"), b""
    while piece := stream.read(size):
        out += piece
    assert out == body.replace(b"caf\xe9", "caf\ufffd".encode())
