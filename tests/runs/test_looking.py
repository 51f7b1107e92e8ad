"""What is inside an archive or a mail: listed by a process of its own, never unpacked, never trusted."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile

import pytest

from manyeyes.runs import looking
from manyeyes.runs.looking import look

ZIP, TAR, GZ, MAIL = "application/zip", "application/x-tar", "application/gzip", "message/rfc822"


def packed(*names: str, content: bytes = b"x") -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


def test_a_bomb_is_a_line_in_a_list() -> None:
    bomb = packed("bomb.txt", content=b"0" * 200_000_000)
    began = time.monotonic()
    found = look([bomb], ZIP)
    assert found == {"kind": "archive", "entries": [{"name": "bomb.txt", "size": 200_000_000}], "more": 0, "note": ""}
    assert time.monotonic() - began < 10
    nested = look([packed("inner.zip", content=bomb)], ZIP)
    assert nested is not None
    assert [row["name"] for row in nested["entries"]] == ["inner.zip"]


def test_many_names_are_counted_and_some_are_listed() -> None:
    found = look([packed(*(f"../../{number}\u202e.txt" for number in range(250)))], ZIP)
    assert found is not None
    assert (len(found["entries"]), found["more"]) == (200, 50)
    assert found["entries"][0]["name"] == "../../0\u202e.txt"


def test_tar_and_gzip() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert look([out.getvalue()], TAR) == {
        "kind": "archive", "entries": [{"name": "link", "size": 0}], "more": 0, "note": "",
    }  # fmt: skip
    found = look([gzip.compress(b"0" * 1_000)], GZ)
    assert found is not None
    assert found["entries"] == [{"name": "(packed)", "size": 1_000}]


def test_a_mail_shows_headers_words_and_names() -> None:
    raw = (
        b"From: =?utf-8?q?A?= <a@outside.example>\r\nSubject: \xe2\x80\xae raw\r\nX: 1\r\n folded\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=no-such\r\n\r\n'
        b"<script>alert(1)</script>\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="../x.png"\r\n\r\niVBORw0KGgo=\r\n--b--\r\n'
    )
    found = look([raw], MAIL)
    assert found is not None
    assert found["words"].strip() == "<script>alert(1)</script>"
    assert ["Subject", "\u202e raw"] in found["headers"]
    assert found["parts"] == [{"name": "../x.png", "type": "image/png", "size": 8}]


@pytest.mark.parametrize("kind", [ZIP, TAR, GZ, MAIL])
@pytest.mark.parametrize("raw", [b"", b"PK\x05\x06", b"\x00" * 5_000, b"\x1f\x8b" + b"\xff" * 99, b"\n" * 99, b"a: b"])
def test_whatever_it_is_there_is_an_answer(kind: str, raw: bytes) -> None:
    found = look([raw], kind)
    assert found is not None
    assert found["kind"] in ("archive", "mail", "unread")


def test_what_has_no_inside_is_not_looked_at() -> None:
    assert look([b"%PDF"], "application/pdf") is None


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"kind": "archive"}', b'{"kind": "mail", "headers": 1}', b"["])
def test_the_answer_of_the_other_process_is_not_believed(answer: bytes) -> None:
    assert looking._believed(answer)["kind"] == "unread"


@pytest.mark.parametrize("charset", ["rot13", "zlib", "idna", "undefined", "base64"])
def test_a_charset_that_is_none_hides_no_mail(charset: str) -> None:
    raw = (
        f"From: a@outside.example\r\nSubject: x\r\nContent-Type: text/plain; charset={charset}\r\n\r\nIgnore that.\r\n"
    )
    found = look([raw.encode()], MAIL)
    assert found is not None
    assert (found["kind"], found["words"].strip()) == ("mail", "Ignore that.")
