"""The scanner for leaks finds every form it claims to find, and nothing where there is nothing."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests import marker
from tests.marker import Hit

MARK = 'Märker-"4711"/ψ'
PLAIN = "MARKER-4711-abcdef"


def hide(form: str, text: str, offset: int = 0) -> bytes:
    before, after = secrets.token_bytes(offset), secrets.token_bytes(7)
    raw = text.encode()
    return {
        "plain": raw,
        "utf-16": text.encode("utf-16"),
        "utf-16-be": text.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "base64": base64.b64encode(before + raw + after),
        "base64url": base64.urlsafe_b64encode(before + raw + after),
        "json": json.dumps({"a": text}).encode(),
        "json-all": "".join(f"\\u{ord(sign):04X}" for sign in text).encode(),
        "gzip": gzip.compress(b"x" * 50 + raw),
        "zlib": zlib.compress(raw),
    }[form]


@pytest.mark.parametrize("text", [MARK, PLAIN])
@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("plain", "plain"),
        ("utf-16", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("hex", "hex"),
        ("HEX", "hex"),
        ("json", "json"),
        ("json-all", "json"),
        ("gzip", "gzip:plain"),
        ("zlib", "gzip:plain"),
    ],
)
def test_each_form_is_found(tmp_path: Path, text: str, form: str, named: str) -> None:
    file = tmp_path / "sub" / ".hidden"
    file.parent.mkdir()
    file.write_bytes(secrets.token_bytes(1000) + hide(form, text) + secrets.token_bytes(1000))
    assert Hit(str(file), named) in marker.find(text, tmp_path)


@pytest.mark.parametrize("text", [MARK, PLAIN])
@pytest.mark.parametrize("form", ["base64", "base64url"])
@pytest.mark.parametrize("offset", range(6))
def test_base64_is_found_at_every_offset(text: str, form: str, offset: int) -> None:
    for _ in range(20):  # whatever the neighbours' bits are
        assert "base64" in marker.found_in(text, hide(form, text, offset))


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(secrets.token_bytes(300_000))
    (tmp_path / "near").write_text(PLAIN[:-1] + "X")
    assert marker.find(PLAIN, tmp_path) == []


def test_compressed_inside_compressed_and_cut_short(tmp_path: Path) -> None:
    assert "gzip:gzip:plain" in marker.found_in(PLAIN, gzip.compress(gzip.compress(PLAIN.encode())))
    noise = secrets.token_hex(4000)
    cut = gzip.compress((PLAIN + noise).encode())[:-2000]
    assert "gzip:plain" in marker.found_in(PLAIN, cut)
    broken = bytearray(gzip.compress((PLAIN + noise).encode()))
    broken[-600:] = secrets.token_bytes(600)
    assert "gzip:plain" in marker.found_in(PLAIN, bytes(broken))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_inside_base64_as_in_sessions(pack: Callable[[bytes], bytes]) -> None:
    for coded in (base64.b64encode(pack(PLAIN.encode())), base64.urlsafe_b64encode(pack(PLAIN.encode()))):
        assert "base64:gzip:plain" in marker.found_in(PLAIN, b"session ." + coded.rstrip(b"=") + b":1abc:signature")


def test_a_value_cut_by_database_pages_is_found(tmp_path: Path) -> None:
    file = tmp_path / "some.sqlite3"
    with sqlite3.connect(file) as base:
        base.execute("PRAGMA page_size = 512")
        base.execute("CREATE TABLE t (v TEXT, b BLOB)")
        for pad in range(0, 700, 3):
            base.execute("INSERT INTO t VALUES (?, ?)", ("x" * pad, ("y" * pad).encode()))
        base.execute("INSERT INTO t VALUES (?, ?)", ("z" * 470 + PLAIN * 1, b""))
    base.close()
    assert any(hit.form == "plain" for hit in marker.find(PLAIN, tmp_path))


def test_file_names_count(tmp_path: Path) -> None:
    (tmp_path / f"{PLAIN}.txt").touch()
    assert [hit.form for hit in marker.find(PLAIN, tmp_path)] == ["name"]


def test_scanning_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        marker.find(PLAIN, tmp_path / "absent")
    with pytest.raises(ValueError, match="at least 8"):
        marker.forms("short")


@pytest.mark.django_db
def test_database_values_are_scanned() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_head (subject, seq, mac, at) VALUES (%s, 1, '', '2026-11-23 00:00:00+00')",
            [f"case:{PLAIN}"],
        )
    assert Hit("table events_head", "plain") in marker.find_in_database(PLAIN, connection)
