"""The tables of a PyRIT memory, from its SQLite file or from a dump, by a fixed list of columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

from manyeyes.plugins.builtin.importers import fields
from manyeyes.plugins.builtin.importers.upload import json_data, megabytes
from manyeyes.plugins.imported import ImportRefused, Limits, Upload

MAGIC: Final = b"SQLite format 3\0"
VERSION_TABLE: Final = "pyrit_memory_alembic_version"
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    VERSION_TABLE: ("version_num",),
    "TargetIdentifiers": ("hash", "identifier_json"),
    "ScorerIdentifiers": ("hash", "identifier_json"),
    "Conversations": ("conversation_id", "target_identifier", "target_identifier_hash"),
    "PromptMemoryEntries": (
        "id", "role", "conversation_id", "sequence", "response_error", "original_value", "original_value_data_type",
        "converted_value", "converted_value_data_type", "converter_identifiers", "prompt_target_identifier",
    ),
    "ScoreEntries": (
        "id", "score_value", "score_type", "scorer_class_identifier", "scorer_identifier_hash",
        "prompt_request_response_id", "status",
    ),
    "AttackResultEntries": (
        "id", "conversation_id", "objective", "outcome", "outcome_reason", "executed_turns", "last_response_id",
        "last_score_id", "atomic_attack_identifier", "attack_identifier",
    ),
}  # fmt: skip
"""What is read, and nothing else; a column that a release does not have is left out."""

JSON_COLUMNS = {
    "identifier_json", "target_identifier", "converter_identifiers", "prompt_target_identifier",
    "scorer_class_identifier", "atomic_attack_identifier", "attack_identifier",
}  # fmt: skip
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "PromptMemoryEntries": ("id", "role", "conversation_id", "sequence", "converted_value"),
}
STEPS = 200_000_000
Row = Mapping[str, Any]
Tables = Mapping[str, list[dict[str, Any]]]


def tables_of(upload: Upload) -> Tables:
    """The rows of every known table; a table that is not there is empty. Raises ImportRefused."""
    if upload.head.startswith(MAGIC):
        return _database(upload)
    data = fields.mapping(upload.document(), "the file")
    found: dict[str, list[dict[str, Any]]] = {}
    for name, columns in COLUMNS.items():
        rows = fields.maybe_listed(data.get(name), name)
        if len(rows) > upload.limits.rows:
            raise ImportRefused("too_large", f"The table {name} has more than {upload.limits.rows:,} rows.")
        found[name] = [
            {key: row[key] for key in columns if key in row}
            for row in (fields.mapping(value, f"{name}[{place}]") for place, value in enumerate(rows))
        ]
        for table, needed in REQUIRED.items():
            if table == name and rows and not set(needed) <= rows[0].keys():
                raise _unlike(table)
    return _decoded(found, upload.limits)


def _unlike(table: str) -> ImportRefused:
    return ImportRefused(
        "version", f"The table {table} is not of a PyRIT that we know; export the memory with PyRIT 0.5 to 1.1."
    )


def _database(upload: Upload) -> Tables:
    """Reads a private copy in memory: no file is opened, so no journal, no attached file and no lock either."""
    raw = upload.raw(0, upload.size)
    if len(raw) < 512:
        raise ImportRefused("truncated", "The database is cut off.")
    if raw[18:20] != b"\x01\x01":
        # A database in write-ahead mode cannot be read from memory; its main file can, marked as an ordinary one.
        raw = raw[:18] + b"\x01\x01" + raw[20:]
    try:
        return _decoded(dict(_read(raw, upload.limits)), upload.limits)
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        if "decode" in str(error):
            raise ImportRefused("encoding", "The database holds text that is not UTF-8.") from None
        if name == "SQLITE_INTERRUPT":
            raise ImportRefused("time", "The database takes too long to read.") from None
        if name == "SQLITE_TOOBIG":
            most = megabytes(upload.limits.cell)
            raise ImportRefused("too_large", f"A cell of the database is larger than {most}.") from None
        raise ImportRefused(
            "database", f"The database cannot be read ({name}); it is damaged or not one of PyRIT. Export it again."
        ) from None


def _read(raw: bytes, limits: Limits) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
    try:
        connection.deserialize(raw)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.cell)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 50)
        ticks = iter(range(STEPS // 10_000))
        connection.set_progress_handler(lambda: next(ticks, None) is None, 10_000)
        schema = _schema(connection)
        if VERSION_TABLE not in schema and "PromptMemoryEntries" not in schema:
            raise ImportRefused("unknown_format", "The database is not a memory of PyRIT.")
        connection.set_authorizer(_only_reading)
        for table in COLUMNS:
            if table in schema:
                yield table, _rows(connection, table, schema[table], limits)
    finally:
        connection.close()


def _schema(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The known tables with their known columns. Views, virtual tables and generated columns are refused."""
    found: dict[str, list[str]] = {}
    query = "SELECT name, type, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view')"
    for name, kind, sql in connection.execute(query):
        known = next((table for table in COLUMNS if isinstance(name, str) and name.lower() == table.lower()), None)
        if known is None:
            continue
        words = str(sql).upper().split()
        if kind != "table" or words[:2] != ["CREATE", "TABLE"] or known != name:
            raise ImportRefused("database", f"{known} is not an ordinary table; this database was made by hand.")
        # The last number is 0 for an ordinary column; the others are hidden or generated, that is, computed on reading.
        columns = list(connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (known,)))
        if any(hidden for _, hidden in columns):
            raise ImportRefused("database", f"{known} has columns that are computed; this database was made by hand.")
        found[known] = [column for column, _ in columns if column in COLUMNS[known]]
        if not set(REQUIRED.get(known, ())) <= set(found[known]):
            raise _unlike(known)
    return found


def _only_reading(action: int, first: str | None, second: str | None, database: str | None, via: str | None) -> int:
    """Allows reading the known columns directly; no function, no view, no trigger, no other table."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    plain = action == sqlite3.SQLITE_READ and via is None and database in ("main", None)
    known = first is not None and (not second or second in (*COLUMNS.get(first, ()), "ROWID")) and first in COLUMNS
    return sqlite3.SQLITE_OK if plain and known else sqlite3.SQLITE_DENY


def _rows(connection: sqlite3.Connection, table: str, columns: list[str], limits: Limits) -> list[dict[str, Any]]:
    if not columns:
        return []
    names = ", ".join(f'"{column}"' for column in columns)
    query = f'SELECT {names} FROM "{table}"'  # noqa: S608 -- names of our own list only
    rows: list[dict[str, Any]] = []
    for row in connection.execute(query):
        if len(rows) >= limits.rows:
            raise ImportRefused("too_large", f"The table {table} has more than {limits.rows:,} rows.")
        rows.append(dict(zip(columns, row, strict=True)))
    return rows


def _decoded(tables: dict[str, list[dict[str, Any]]], limits: Limits) -> Tables:
    """JSON columns as data, whether they came as text or as data; equal texts are read once."""
    known: dict[str, Any] = {}
    for table, rows in tables.items():
        for row in rows:
            for column in JSON_COLUMNS & row.keys():
                value = row[column]
                if isinstance(value, str):
                    if value not in known:
                        known[value] = json_data(value.encode("utf-8", "surrogatepass"), f"{table}.{column}", limits)
                    row[column] = known[value]
    return {name: tables.get(name, []) for name in COLUMNS}
