"""Looks for a marker in everything a place holds, in every form in which a leak could hide it."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SQLITE = b"SQLite format 3\0"
MAX_INFLATED = 64 * 1024 * 1024
MAX_DEPTH = 4
# gzip, or zlib with any of its four usual levels; at any offset, because archives and logs hold streams inside.
COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
# The same as base64, as signed cookies and sessions hold it.
CODED = re.compile(rb"(?:H4sI|eJ|eN|eA|eF)[A-Za-z0-9+/_\-]{16,}")


@dataclass(frozen=True)
class Hit:
    """Where the marker was found, and as what."""

    place: str
    form: str


def forms(marker: str) -> dict[str, list[bytes]]:
    """Each form's name and the bytes to look for; hexadecimal is matched in any case."""
    if len(marker.encode()) < 8:
        raise ValueError("marker: give at least 8 bytes; a shorter one is found by accident.")
    raw = marker.encode()
    escaped = "".join(f"\\u{unit:04x}" for unit in _utf16_units(marker))
    return {
        "plain": [raw],
        "utf-16": [marker.encode("utf-16-le"), marker.encode("utf-16-be")],
        "hex": [raw.hex().encode()],
        "base64": [piece for urlsafe in (False, True) for piece in _base64(raw, urlsafe)],
        "json": [json.dumps(marker)[1:-1].encode(), escaped.encode(), escaped.upper().replace("\\U", "\\u").encode()],
        "percent": [urllib.parse.quote(marker, safe="").encode(), urllib.parse.quote_plus(marker).encode()],
    }


def found_in(marker: str, data: bytes, depth: int = 0) -> set[str]:
    """The forms in which `data` holds the marker; what is inside compressed streams is named "gzip:…"."""
    lowered = data.lower()
    hits = {
        name
        for name, needles in forms(marker).items()
        if any((lowered if name == "hex" else data).find(needle) >= 0 for needle in needles)
    }
    if depth < MAX_DEPTH:
        for inflated in _inflated(data):
            hits |= {f"gzip:{name}" for name in found_in(marker, inflated, depth + 1)}
        for match in CODED.finditer(data):
            coded = match.group().translate(bytes.maketrans(b"-_", b"+/"))
            inner = _until_broken(base64.b64decode(coded[: len(coded) // 4 * 4]))
            hits |= {f"base64:gzip:{name}" for name in found_in(marker, inner, depth + 1)} if inner else set()
    return hits


def find(marker: str, *places: Path | str) -> list[Hit]:
    """Every hit in these files and folders, hidden ones and journals included. Raises for a place that is not there."""
    hits = []
    for place in places:
        if not Path(place).exists():
            raise FileNotFoundError(f"{place}: nothing to scan; a scan of nothing proves nothing.")
        for file in _files(Path(place)):
            data = file.read_bytes()
            if data.startswith(SQLITE):
                # The pages cut long values in pieces, so the values are looked at as values too.
                data += b"\n" + _sqlite_values(file)
            name = marker.encode() in str(file).encode()
            hits += [Hit(str(file), form) for form in sorted(found_in(marker, data) | ({"name"} if name else set()))]
    return hits


def find_in_database(marker: str, connection: Any) -> list[Hit]:
    """Every hit in the values of every table, on any database Django speaks to."""
    hits = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            data = b"\n".join(_as_bytes(value) for row in cursor.fetchall() for value in row)
            hits += [Hit(f"table {table}", form) for form in sorted(found_in(marker, data))]
    return hits


def _files(place: Path) -> Iterator[Path]:
    if place.is_symlink():
        return
    if place.is_file():
        yield place
    elif place.is_dir():
        for inside in sorted(place.iterdir()):
            yield from _files(inside)


def _sqlite_values(file: Path) -> bytes:
    source = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    source.text_factory = bytes
    try:
        tables = [row[0].decode() for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows: Iterable[Any] = (row for table in tables for row in source.execute(f'SELECT * FROM "{table}"'))
        return b"\n".join(_as_bytes(value) for row in rows for value in row)
    finally:
        source.close()


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value)
    return str(value).encode("utf-8", "surrogatepass")


def _utf16_units(text: str) -> Iterator[int]:
    data = text.encode("utf-16-be")
    for at in range(0, len(data), 2):
        yield int.from_bytes(data[at : at + 2], "big")


def _base64(raw: bytes, urlsafe: bool) -> Iterator[bytes]:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    for offset in range(3):
        coded = encode(b"\0" * offset + raw).rstrip(b"=")
        # What shares a letter with a neighbour's bits depends on the neighbour: leave those letters away.
        start = -(-offset * 8 // 6)
        whole = (offset + len(raw)) * 8 // 6
        yield coded[start:whole]


def _inflated(data: bytes) -> Iterator[bytes]:
    for match in COMPRESSED.finditer(data):
        engine = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever the header says
        try:
            inflated = engine.decompress(data[match.start() :], MAX_INFLATED)
        except zlib.error:
            # Broken or cut short: piece by piece, so that what comes before the break is still looked at.
            inflated = _until_broken(data[match.start() :])
        if inflated:
            yield inflated


def _until_broken(data: bytes) -> bytes:
    engine, held = zlib.decompressobj(wbits=47), bytearray()
    try:
        for at in range(0, len(data), 64):
            held += engine.decompress(data[at : at + 64], MAX_INFLATED)
    except zlib.error:
        pass
    return bytes(held)
