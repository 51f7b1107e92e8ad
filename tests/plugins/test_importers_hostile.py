"""Files that are broken or made to hurt: each is refused with its reason, within the limits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from manyeyes.plugins.imported import ImportRefused, Limits
from manyeyes.runs import importing
from manyeyes.runs.importing import read_file, read_file_async
from tests.plugins.importing import (
    SAMPLES,
    as_lines,
    counted,
    database,
    document,
    eval_archive,
    lines,
    only,
    read,
    sample,
    zipped,
)  # fmt: skip

BOMB = bytes(100_000_000)
SETUP = b'{"entry_type": "start_run setup", "_config.version": "0.17.1"'


def refused(data: Any, limits: Limits | None = None) -> ImportRefused:
    """How a file is refused; a file that is not is a failure of the test."""
    with pytest.raises(ImportRefused) as found:
        read(data, limits)
    message = found.value.message
    assert message[0].isupper() or message.startswith(("results", "samples", "eval", "line", "version"))
    assert message.isprintable()
    return found.value


def nested(depth: int) -> bytes:
    """Lists in lists."""
    return b"[" * depth + b"]" * depth


JSON_FORMS = [
    (b"", "empty"),
    (b" \n\t\n", "empty"),
    (b"\xef\xbb\xbf", "unknown_format"),
    (b"hello", "unknown_format"),
    (b"{}", "unknown_format"),
    (b"[1, 2]", "unknown_format"),
    (b'{"a": 1}\n{"b": 2}\n', "unknown_format"),
    (b"\x89PNG\r\n\x1a\n", "unknown_format"),
    (b"\0" * 1000, "unknown_format"),
    (b'{"results": ', "truncated"),
    (b'{"results": NaN}', "number"),
    (b'{"results": -Infinity}', "number"),
    (b'{"results": 1e999}', "number"),
    (b'{"results": ' + b"9" * 5000 + b"}", "number"),
    (b'{"results": 1, "results": 2}', "duplicate"),
    (b'{"results": "\xff\xfe"}', "encoding"),
    (nested(10_000), "too_deep"),
    (nested(65), "too_deep"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
    (SETUP + b', "x": ' + nested(10_000) + b"}\n", "too_deep"),
    (SETUP + b"}\n" + b'{"entry_type": "attempt", "uui', "truncated"),
    (SETUP + b"}\n" + b'{"entry_type": "attempt", "uuid": "\xc3"}\n', "encoding"),
    (SETUP + b"}\n" + b'{"entry_type": "eval", "entry_type": "eval"}\n', "duplicate"),
    (SETUP + b"}\n" + b'{"entry_type": "eval", "fails": NaN}\n', "number"),
    (SETUP + b"}\n7\n", "shape"),
    (SETUP + b"}\n", "empty"),
    (b'{"entry_type": "start_run setup"}\n', "version"),
    (b'{"evalId": "x", "results": []}', "version"),
    (b'{"evalId": "x", "results": {"version": 3, "results": []}}', "empty"),
    (b'{"version": 2, "eval": {}, "plan": {}}', "empty"),
    (b'{"version": 9, "eval": {}, "plan": {}}', "version"),
    (b'{"PromptMemoryEntries": []}', "empty"),
    (b'{"PromptMemoryEntries": [{"x": 1}]}', "version"),
]


@pytest.mark.parametrize(("data", "kind"), JSON_FORMS, ids=[str(place) for place in range(len(JSON_FORMS))])
def test_a_broken_text_is_refused_with_its_reason(data: bytes, kind: str) -> None:
    assert refused(data).kind == kind


@pytest.mark.parametrize("name", [path.name for path in SAMPLES.iterdir() if path.suffix != ".md"])
def test_a_sample_that_was_cut_off_is_refused(name: str) -> None:
    whole = sample(name)
    for share in (0.1, 0.5, 0.99):
        cut = whole[: int(len(whole) * share)]
        if b"\n" in cut and name.endswith(".jsonl"):
            cut = cut.rstrip(b"\n")[:-1] if cut.endswith(b"\n") else cut
        assert refused(cut).kind == "truncated"


def test_refusals_name_the_line_and_show_odd_characters_as_escapes() -> None:
    rows = lines("garak.report.jsonl")
    rows[3]["status"] = "2\u202e"
    assert refused(as_lines(rows)).message.startswith("line 4: status must be a whole number")
    odd = SETUP + b'}\n{"\xe2\x80\xae": 1, "\xe2\x80\xae": 2}\n'
    assert "'\\u202e'" in refused(odd).message


def test_limits_of_lines_documents_and_findings() -> None:
    small = Limits(document=1_000)
    assert refused(sample("garak.report.jsonl"), small).kind == "too_large"
    assert refused(sample("inspect.log.json"), small).kind == "too_large"
    assert refused(sample("garak.report.jsonl"), Limits(file=1_000)).kind == "too_large"
    assert refused(sample("garak.report.jsonl"), Limits(rows=3)).kind == "too_large"
    assert refused(sample("pyrit.memory.tables.json"), Limits(rows=3)).kind == "too_large"
    rows = lines("garak.report.jsonl")
    attempt = next(row for row in rows if row.get("status") == 2)
    scores = attempt["detector_results"]["replaylab.Marker"]
    attempt["detector_results"] |= {f"d{place}": [0.0] * 40 for place in range(9)}
    kept = read(as_lines(rows), Limits(findings=3))
    assert (len(kept.findings), kept.left_out) == (3, 7)
    assert counted(kept.findings[0]) == [(int(sum(scores)), 40)]  # the most successes first


# Archives


@pytest.mark.parametrize(
    "name",
    ["../up.json", "/etc/x.json", "samples/../../x.json", "C:/x.json", "a\\..\\x.json", "\\\\host\\x", "x" * 500],
)
def test_a_member_with_a_path_that_leads_out_is_refused(name: str) -> None:
    assert refused(eval_archive(**{name: b"{}"})).kind == "member"


def test_members_twice_linked_encrypted_or_packed_otherwise_are_refused() -> None:
    header = {name: value for name, value in document("inspect.log.json").items() if name != "samples"}
    assert refused(zipped([("header.json", header), ("header.json", header)])).kind == "duplicate"
    assert refused(zipped({"header.json": header}, mode=stat.S_IFLNK | 0o777)).kind == "member"
    assert refused(zipped({"header.json": header}, mode=stat.S_IFIFO)).kind == "member"
    assert refused(zipped({"header.json": header}, flags=0x801)).kind == "member"
    assert refused(zipped({"header.json": header}, method=12)).kind == "member"
    assert refused(zipped({"other.json": header})).kind == "unknown_format"


@pytest.mark.parametrize("method", [8, 93])
def test_a_bomb_is_stopped_before_it_is_unpacked(method: int) -> None:
    began = time.process_time()
    found = refused(eval_archive_with(method, BOMB))
    assert found.kind in ("bomb", "too_large")
    assert time.process_time() - began < 5


def eval_archive_with(method: int, content: bytes) -> bytes:
    """An archive whose one sample is these bytes."""
    log = document("inspect.log.json")
    header = {name: value for name, value in log.items() if name != "samples"}
    return zipped({"header.json": header, "samples/a.json": content}, method=method)


def test_a_frame_that_lies_about_its_window_or_has_no_end_is_refused() -> None:
    packed = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    )
    with packed.stream_writer(sink := _Sink(), closefd=False) as writer:
        writer.write(b"{}")
    for raw in (bytes(sink.data), zstandard.ZstdCompressor().compress(b"{}" * 1000)[:-9], b"\x28\xb5\x2f\xfd"):
        archive = bytearray(eval_archive_with(0, b"@" * len(raw)))
        archive[:] = archive.replace(b"@" * len(raw), raw)
        _method_of(archive, b"samples/a.json", 93, zlib.crc32(b"{}"))
        assert refused(bytes(archive)).kind in ("truncated", "bomb")


class _Sink:
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def _method_of(archive: bytearray, name: bytes, method: int, crc: int) -> None:
    """Rewrites what an archive says of one member."""
    for magic, place, check in ((b"PK\x03\x04", 8, 14), (b"PK\x01\x02", 10, 16)):
        size = 30 if magic == b"PK\x03\x04" else 46
        spot = archive.index(name, archive.index(magic)) - size
        while archive[spot : spot + 4] != magic:
            spot = archive.index(name, spot + size + 1) - size
        archive[spot + place : spot + place + 2] = method.to_bytes(2, "little")
        archive[spot + check : spot + check + 4] = crc.to_bytes(4, "little")


def test_an_archive_that_is_not_what_it_says_is_refused() -> None:
    whole = eval_archive()
    assert refused(whole[: len(whole) // 2]).kind == "truncated"
    assert refused(whole[:-30]).kind == "truncated"
    assert refused(b"PK\x03\x04" + b"\0" * 100).kind == "truncated"
    turned = bytearray(whole)
    spot = whole.index(b"samples/finding-1_epoch_1.json") + 200
    turned[spot : spot + 8] = b"ABCDEFGH"
    assert refused(bytes(turned)).kind == "truncated"
    renamed = whole.replace(b"samples/finding-1_epoch_1.json", b"samples/finding-1_epoch_X.json", 1)
    assert refused(renamed).kind == "member"
    assert refused(eval_archive(), Limits(members=5)).kind == "too_large"
    assert refused(eval_archive(), Limits(unpacked=50_000)).kind == "bomb"
    assert refused(eval_archive(), Limits(document=5_000)).kind == "too_large"
    assert refused(eval_archive(**{"samples/x.json": nested(10_000)})).kind == "too_deep"


# Databases

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


def hand_made(*statements: str) -> bytes:
    """A database made by statements."""
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


COLUMNS = "id, role, conversation_id, sequence, converted_value"


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["CREATE TABLE other (a)"], "unknown_format"),
        (["CREATE TABLE PromptMemoryEntries (a)"], "version"),
        ([f"CREATE TABLE PromptMemoryEntries ({COLUMNS})"], "empty"),
        (
            [f"CREATE VIEW PromptMemoryEntries AS {ENDLESS} SELECT x id, x role, x conversation_id FROM n"],
            "database",
        ),
        ([f"CREATE VIRTUAL TABLE PromptMemoryEntries USING fts5({COLUMNS})"], "database"),
        (
            [
                "CREATE TABLE PromptMemoryEntries (id, role, conversation_id, sequence, "
                "converted_value AS (zeroblob(1000000000)))",
                "INSERT INTO PromptMemoryEntries VALUES (1, 2, 3, 4)",
            ],
            "database",
        ),
        (
            [
                f"CREATE TABLE PromptMemoryEntries ({COLUMNS})",
                "INSERT INTO PromptMemoryEntries VALUES ('a', 'user', 'c', 0, zeroblob(20000000))",
            ],
            "too_large",
        ),
        (
            [
                f"CREATE TABLE PromptMemoryEntries ({COLUMNS})",
                "INSERT INTO PromptMemoryEntries VALUES ('a', 'user', 'c', 0, CAST(x'ff00fe' AS TEXT))",
            ],
            "encoding",
        ),
        (
            [
                f"CREATE TABLE PromptMemoryEntries ({COLUMNS})",
                "CREATE TABLE AttackResultEntries (id, conversation_id, outcome)",
                "INSERT INTO PromptMemoryEntries VALUES ('a', 'user', 'c', 0, x'00')",
                "INSERT INTO AttackResultEntries VALUES ('r', 'c', 'success')",
            ],
            "shape",
        ),
        (
            [
                f"CREATE TABLE PromptMemoryEntries ({COLUMNS})",
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = 'CREATE TABLE nonsense ((('",
            ],
            "database",
        ),
        (
            [
                f"CREATE TABLE PromptMemoryEntries ({COLUMNS})",
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET rootpage = 99999",
            ],
            "database",
        ),
    ],
)
def test_a_hostile_database_is_refused(statements: list[str], kind: str) -> None:
    began = time.process_time()
    assert refused(hand_made(*statements)).kind == kind
    assert time.process_time() - began < 5


def test_what_else_a_database_brings_is_never_touched() -> None:
    more = (
        f"CREATE VIEW endless AS {ENDLESS} SELECT x FROM n",
        "CREATE TRIGGER t AFTER INSERT ON PromptMemoryEntries BEGIN SELECT randomblob(1000000000); END",
        "CREATE TABLE secrets (a)",
        "CREATE INDEX i ON AttackResultEntries (lower(objective))",
    )
    assert counted(only(read(database(None, *more)))) == [(3, 12), (7, 12)]


def test_only_known_columns_can_be_read() -> None:
    from manyeyes.plugins.builtin.importers.tables import _only_reading

    assert _only_reading(sqlite3.SQLITE_READ, "ScoreEntries", "score_value", "main", None) == sqlite3.SQLITE_OK
    for action, table, column, base, via in (
        (sqlite3.SQLITE_READ, "ScoreEntries", "score_rationale", "main", None),
        (sqlite3.SQLITE_READ, "secrets", "a", "main", None),
        (sqlite3.SQLITE_READ, "ScoreEntries", "score_value", "main", "a view"),
        (sqlite3.SQLITE_READ, "ScoreEntries", "score_value", "temp", None),
        (sqlite3.SQLITE_FUNCTION, None, "load_extension", None, None),
        (sqlite3.SQLITE_ATTACH, "/etc/passwd", None, None, None),
        (sqlite3.SQLITE_PRAGMA, "writable_schema", "1", None, None),
        (sqlite3.SQLITE_DELETE, "ScoreEntries", None, "main", None),
    ):
        assert _only_reading(action, table, column, base, via) == sqlite3.SQLITE_DENY


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_database_is_read_or_refused(seed: int) -> None:
    import random

    chance = random.Random(seed)
    raw = bytearray(database())
    for _ in range(1 << chance.randrange(10)):
        raw[chance.randrange(16 if seed % 3 else 0, len(raw))] = chance.randrange(256)
    with contextlib.suppress(ImportRefused):  # no other fault
        assert read(bytes(raw)).tool == "PyRIT"
    assert refused(bytes(database()[: 512 + seed * 1000])).kind in ("database", "truncated")


# The process that reads


def test_a_line_of_100_mb_and_a_sparse_file_are_refused_in_little_memory(tmp_path: Path) -> None:
    long = tmp_path / "long.jsonl"
    long.write_bytes(SETUP + b', "x": "')
    os.truncate(long, 100_000_000)
    with pytest.raises(ImportRefused, match="longer than 64 MB") as found:
        read_file(long)
    assert found.value.kind == "too_large"
    sparse = tmp_path / "sparse.jsonl"
    sparse.touch()
    os.truncate(sparse, 100_000_000_000)
    began = time.monotonic()
    with pytest.raises(ImportRefused, match="larger than 512 MB"):
        read_file(sparse)
    assert time.monotonic() - began < 2


def test_a_file_that_takes_too_long_or_too_much_memory_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as found:
        read_file(SAMPLES / "garak.report.jsonl", limits=Limits(wall=0.01))
    assert found.value.kind == "time"
    big = tmp_path / "big.json"
    big.write_bytes(b'{"evalId": [' + b"[1],[2]," * 4_000_000 + b"1]}")
    with pytest.raises(ImportRefused) as found:
        read_file(big, limits=Limits(memory=250_000_000))
    assert found.value.kind in ("memory", "failed")


def test_an_answer_that_is_too_long_is_refused() -> None:
    with pytest.raises(ImportRefused) as found:
        read_file(SAMPLES / "inspect.log.json", limits=Limits(answer=500))
    assert found.value.kind == "too_large"


def test_findings_that_do_not_fit_into_an_answer_are_left_out_and_counted() -> None:
    rows = lines("garak.report.jsonl")
    attempt = next(row for row in rows if row.get("status") == 2)
    attempt["detector_results"] |= {f"d{place}": [0.0] * 40 for place in range(9)}
    kept = read_file(as_lines(rows), limits=Limits(answer=20_000))
    assert 0 < len(kept.findings) < 10
    assert len(kept.findings) + kept.left_out == 10


def test_an_answer_of_the_researcher_cannot_be_long() -> None:
    with pytest.raises(ImportRefused, match="too long"):
        read_file(SAMPLES / "garak.report.jsonl", answers={"success_means": "x" * 200_000})


def test_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place, words in (
        (tmp_path / "none", "No such file"),
        (tmp_path / "pipe", "not an ordinary file"),
        (tmp_path, "not an ordinary file"),
        (Path("/dev/zero"), "not an ordinary file"),
        ("a\0b", "name cannot be used"),
    ):
        with pytest.raises(ImportRefused, match=words) as found:
            read_file(place)
        assert found.value.kind == "unreadable"


def test_an_unknown_format_is_refused_and_a_named_one_is_the_only_one_tried() -> None:
    with pytest.raises(ImportRefused, match="unknown plugin 'nonsense'"):
        read_file(SAMPLES / "inspect.log.json", format="nonsense")
    with pytest.raises(ImportRefused, match="not a file of a tool we read \\(garak\\)"):
        read_file(SAMPLES / "inspect.log.json", format="garak")


GUARDED = """
import os, socket, sqlite3, subprocess, sys
from manyeyes.plugins.imported import Limits
from manyeyes.runs.import_child import confine
confine(Limits(cpu=1))
for act in (
    lambda: socket.socket(), lambda: open("/etc/hostname"), lambda: open("/tmp/x", "w"), lambda: os.fork(),
    lambda: subprocess.run(["true"]), lambda: os.system("true"), lambda: sqlite3.connect("/tmp/x.db"),
    lambda: os.remove("/tmp/none"), lambda: os.execv("/bin/true", ["true"]),
):
    try:
        act()
    except PermissionError:
        print("refused")
import colorsys
print("imports work", flush=True)
while "spin" in sys.argv:
    pass
"""


def test_the_process_can_open_nothing_start_nothing_and_reach_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", GUARDED], capture_output=True, text=True, timeout=60, check=False, env={}
    )
    assert done.stdout.splitlines() == ["refused"] * 9 + ["imports work"], done.stderr


def test_the_process_ends_when_its_computing_time_is_over() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", GUARDED, "spin"], capture_output=True, timeout=60, check=False)
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    assert importing._ended(done.returncode).kind == "time"


def test_the_process_gets_no_environment_no_open_file_and_no_word_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Spy(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            seen.update(options, command=command)
            super().__init__(command, **options)

    monkeypatch.setenv("MANYEYES_SECRET", "BLUE-HERON-42")
    monkeypatch.setattr(importing.subprocess, "Popen", Spy)
    read_file(SAMPLES / "garak.report.jsonl")
    assert seen["env"] == {}
    assert seen["close_fds"] is True
    assert seen["stderr"] == subprocess.DEVNULL
    assert seen["command"][1:4] == ["-I", "-m", "manyeyes.runs.import_child"]
    assert "garak" not in " ".join(seen["command"])


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"{}", b"nonsense", b"[]", b'{"refused": {"kind": "x", "message": "y"}}', b'{"refused": 7}',
        b'{"imported": {"tool": "x"}}', b'{"imported": {"tool": "x", "version": "", "form": "", "findings": 7}}',
        b'{"imported": {"tool": "x", "version": "", "form": "", "findings": [], "extra": 1}}', b"[" * 100_000,
        b'{"imported": {"tool": 7, "version": "", "form": "", "findings": []}}',
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_not_believed(answer: bytes) -> None:
    with pytest.raises(ImportRefused) as found:
        importing._understood(answer)
    assert found.value.kind == "failed"


def test_a_refusal_is_shown_with_odd_characters_as_escapes() -> None:
    said = json.dumps({"refused": {"kind": "shape", "message": "a\u202eb\x1b[31m"}})
    with pytest.raises(ImportRefused) as found:
        importing._understood(said.encode())
    assert found.value.message.isprintable()


async def _in_a_loop() -> int:
    return len((await read_file_async(SAMPLES / "garak.report.jsonl")).findings)


def test_an_event_loop_can_read_files_too() -> None:
    import asyncio

    assert asyncio.run(_in_a_loop()) == 1


def test_when_too_many_files_are_read_the_next_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(importing, "SLOTS", threading.BoundedSemaphore(1))
    with importing.SLOTS, pytest.raises(ImportRefused) as found:
        read_file(SAMPLES / "garak.report.jsonl", limits=Limits(wall=0.01))
    assert found.value.kind == "busy"
