"""Reads sample files in this process, and makes the other forms that the tools write."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

from manyeyes.plugins.imported import Finding, Imported, Limits
from manyeyes.runs.import_child import importers, understand

SAMPLES = Path(__file__).parents[1] / "samples"
KNOWN = importers(None)


def sample(name: str) -> bytes:
    """The bytes of a sample."""
    return (SAMPLES / name).read_bytes()


def document(name: str) -> Any:
    """A sample that is one JSON document, as data."""
    return json.loads(sample(name))


def lines(name: str) -> list[dict[str, Any]]:
    """A sample of JSON lines, as data."""
    return [json.loads(line) for line in sample(name).splitlines()]


def as_lines(rows: list[Any]) -> bytes:
    """Data as JSON lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(data: bytes | Any, limits: Limits | None = None, **answers: str) -> Imported:
    """What is understood of bytes or of one JSON document, read here and not in a process of its own."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return understand(io.BytesIO(raw), KNOWN, answers=answers, limits=limits or Limits())


def only(imported: Imported) -> Finding:
    """The one finding."""
    (found,) = imported.findings
    return found


def counted(found: Finding) -> list[tuple[int | None, int]]:
    """(successes, trials) of every setting."""
    return [(tally.successes, tally.trials) for tally in found.tallies]


def sources(found: Finding) -> Mapping[str, tuple[str, str]]:
    """Reading → (value, source)."""
    return {reading.name: (reading.value, reading.source) for reading in found.readings}


def zipped(
    members: Mapping[str, Any] | Sequence[tuple[str, Any]], *, method: int = 93, mode: int = 0, flags: int = 0x800
) -> bytes:
    """An archive as Inspect writes it, with Zstandard, which the standard library cannot write before Python 3.14.

    `mode` is the kind of file that every member says it is, `flags` the general purpose flags.
    """
    out, directory = io.BytesIO(), io.BytesIO()
    for name, content in members.items() if isinstance(members, Mapping) else members:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        packed = packed_with(method, raw)
        spot, encoded = out.tell(), name.encode()
        same = (20, flags, method, 0, 0x21, zlib.crc32(raw), len(packed), len(raw), len(encoded), 0)
        out.write(struct.pack("<4s5H3I2H", b"PK\x03\x04", *same) + encoded + packed)
        directory.write(struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *same, 0, 0, 0, mode << 16, spot) + encoded)
    start, many = out.tell(), len(members)
    out.write(directory.getvalue())
    out.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, many, many, len(directory.getvalue()), start, 0))
    return out.getvalue()


def packed_with(method: int, raw: bytes) -> bytes:
    """Bytes packed the way a member is."""
    if method == 93:
        return zstandard.ZstdCompressor().compress(raw)
    if method == zipfile.ZIP_DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(raw) + packer.flush()
    return raw


def eval_archive(log: dict[str, Any] | None = None, **more: Any) -> bytes:
    """The sample log as an `.eval` archive; `more` names further members."""
    log = log or document("inspect.log.json")
    members: dict[str, Any] = {"_journal/start.json": {"version": 2, "eval": log["eval"], "plan": log["plan"]}}
    members |= {f"samples/{row['id']}_epoch_{row['epoch']}.json": row for row in log["samples"]}
    members["header.json"] = {name: value for name, value in log.items() if name not in ("samples", "reductions")}
    return zipped(members | more)


def database(tables: Mapping[str, list[dict[str, Any]]] | None = None, *more: str) -> bytes:
    """The dumped tables as the SQLite file that PyRIT keeps; `more` is SQL to run at the end."""
    tables = tables or document("pyrit.memory.tables.json")
    connection = sqlite3.connect(":memory:")
    for name, rows in tables.items():
        listed = rows if isinstance(rows, list) else [rows]
        columns = list(dict.fromkeys(key for row in listed for key in row))
        named = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f'CREATE TABLE "{name}" ({named})')
        for row in listed:
            values = [_cell(row.get(column)) for column in columns]
            connection.execute(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(values))})', values)
    for statement in more:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
