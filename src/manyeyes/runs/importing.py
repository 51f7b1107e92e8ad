"""Imports a result file of another tool: a process of its own reads it, and what it says is checked again here."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from manyeyes.charts import inert
from manyeyes.engine import exact_interval
from manyeyes.plugins.imported import Finding, Imported, ImportRefused, Kind, Limits, Missing
from manyeyes.reproducer.load import ReproducerError, load_data
from manyeyes.reproducer.model import CLASSES, Reproducer
from manyeyes.rules.readings import HOW_OFTEN, Reading, rate_told
from manyeyes.rules.saying import joined

LIMITS = Limits()
MODEST = Limits(
    file=50_000_000, document=25_000_000, unpacked=200_000_000, findings=50, answer=4_000_000, memory=800_000_000,
    cpu=20, wall=30.0,
)  # fmt: skip
"""What a page may spend on a stranger's file."""

FORMAT = "manyeyes-import/1"
SLOTS = threading.BoundedSemaphore(2)
"""Files read at the same time by this process; the others wait."""

LONGEST_MESSAGE = 600
LONGEST_ANSWER = 100
CHUNK = 1 << 20
_STAND_INS: dict[str, Any] = {
    "class": CLASSES[0],
    "success": {"human": "unknown"},
    "conversation": [{"role": "user", "content": "unknown"}],
}


def read_file(
    source: str | Path | bytes,
    *,
    format: str | None = None,
    answers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    name: str = "",
) -> Imported:
    """What a file says, read in a process of its own without network, within limits of time, memory and size.

    `source` is a path or the bytes; `format` the importer to use (default: told from the content); `answers` what the
    researcher said to earlier `questions`, for example `{"success_means": "fail"}`. Raises ImportRefused.
    """
    given = dict(answers or {})
    if any(len(word) > LONGEST_ANSWER for pair in given.items() for word in pair) or len(format or "") > LONGEST_ANSWER:
        raise ImportRefused("answer", "An answer or the name of the format is too long.")
    with _opened(source) as (file, called):
        size, digest = _measured(file, limits)
        asked = {"format": format, "answers": given, "limits": dataclasses.asdict(limits)}
        if not SLOTS.acquire(timeout=limits.wall):
            raise ImportRefused("busy", "Too many files are being read at the moment; try again in a minute.")
        try:
            raw = _asked(file, json.dumps(asked), limits)
        finally:
            SLOTS.release()
    found = _understood(raw)
    findings = tuple(_checked(finding) for finding in found.findings)
    return dataclasses.replace(found, findings=findings, sha256=digest, size=size, name=name or called)


async def read_file_async(
    source: str | Path | bytes,
    *,
    format: str | None = None,
    answers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    name: str = "",
) -> Imported:
    """`read_file` for an event loop, which goes on meanwhile."""
    return await asyncio.to_thread(read_file, source, format=format, answers=answers, limits=limits, name=name)


def reproducer_of(finding: Finding, *, vuln_class: str | None = None) -> Reproducer:
    """The finding as a reproducer. Raises ReproducerError naming what is still missing."""
    return load_data(draft_data(finding, vuln_class=vuln_class), "the draft")


def draft_data(finding: Finding, *, vuln_class: str | None = None) -> dict[str, Any]:
    """The fields of the draft in the order of the format, with the class that somebody chose."""
    first = ("manyeyes", "title", "class")
    data = dict(finding.draft) | ({"class": vuln_class} if vuln_class else {})
    return {name: data[name] for name in (*(key for key in first if key in data), *(k for k in data if k not in first))}


def draft_text(finding: Finding, *, vuln_class: str | None = None) -> str:
    """The draft as YAML, with a comment for everything that has to be added before it can be replayed."""
    lines = [
        f"# Missing: {row.field}. {row.why}\n" for row in finding.missing if row.field != "class" or not vuln_class
    ]
    data = draft_data(finding, vuln_class=vuln_class)
    return "".join(lines) + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def claims(imported: Imported) -> dict[str, Any]:
    """Everything that was understood, as plain data for a file beside the drafts."""
    return {"manyeyes": FORMAT, **dataclasses.asdict(imported)}


@contextlib.contextmanager
def _opened(source: str | Path | bytes) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(source, bytes):
        with _in_memory(source) as file:
            yield file, ""
        return
    path = Path(source)
    try:
        # Non-blocking, so that a named pipe does not hold us up; for an ordinary file it changes nothing.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "its name cannot be used"
        raise ImportRefused("unreadable", f"The file cannot be opened: {said}.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ImportRefused("unreadable", "This is not an ordinary file.")
    with os.fdopen(handle, "rb") as file:
        yield file, path.name


def _in_memory(data: bytes) -> BinaryIO:
    """The bytes as a file without a name: in memory where the system can, so that no disk sees an encrypted report."""
    nameless = hasattr(os, "memfd_create")
    file: Any = os.fdopen(os.memfd_create("import"), "w+b") if nameless else tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.flush()
    return file  # type: ignore[no-any-return]


def _measured(file: BinaryIO, limits: Limits) -> tuple[int, str]:
    size = file.seek(0, 2)
    if size > limits.file:
        raise ImportRefused("too_large", f"The file is larger than {limits.file / 1_000_000:g} MB.")
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(CHUNK):
        digest.update(piece)
    file.seek(0)
    return size, digest.hexdigest()


def _asked(file: BinaryIO, asked: str, limits: Limits) -> bytes:
    """The answer of the process that reads the file; it is ended when it takes too long or says too much."""
    environment = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    with subprocess.Popen(  # noqa: S603 -- our own module, no shell, no word of the file
        [sys.executable, "-I", "-m", "manyeyes.runs.import_child", asked],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        env=environment,
        cwd=os.sep,
        start_new_session=True,
    ) as process:
        try:
            raw = _collected(process, limits)
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            raise ImportRefused("time", "The file takes too long to read.") from None
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode:
        raise _ended(process.returncode)
    return raw


def _collected(process: subprocess.Popen[bytes], limits: Limits) -> bytes:
    assert process.stdout is not None
    until = time.monotonic() + limits.wall
    out = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise ImportRefused("time", f"The file takes longer than {limits.wall:g} seconds to read.")
            piece = os.read(process.stdout.fileno(), CHUNK)
            if not piece:
                return bytes(out)
            out += piece
            if len(out) > limits.answer + 1_000:
                raise ImportRefused("too_large", "What was read is too much for one import.")


def _ended(code: int) -> ImportRefused:
    if code in (-getattr(signal, "SIGXCPU", 24), -signal.SIGKILL):
        return ImportRefused("time", "The file takes too much computing time to read.")
    return ImportRefused("failed", "The process that reads the file ended without an answer; the file is not imported.")


def _understood(raw: bytes) -> Imported:
    """The answer of the other process, which read hostile data, taken as hostile itself."""
    try:
        data = json.loads(raw)
        if "refused" in data:
            kind, message = data["refused"]["kind"], data["refused"]["message"]
            if kind in get_args(Kind) and isinstance(message, str):
                raise ImportRefused(kind, inert.escaped(message)[:LONGEST_MESSAGE])
            raise ValueError("no such refusal")
        return _adapter().validate_json(json.dumps(data["imported"]), strict=True, extra="forbid")
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        raise ImportRefused("failed", "The answer about the file makes no sense; the file is not imported.") from None


@functools.cache
def _adapter() -> TypeAdapter[Imported]:
    return TypeAdapter(Imported)


def _checked(finding: Finding) -> Finding:
    """The finding with a draft that has no wrong field, everything missing named, and intervals beside the counts."""
    draft = dict(finding.draft)
    missing = list(finding.missing)
    for _ in range(len(draft) + 1):
        try:
            load_data({**_STAND_INS, **draft}, "the draft")
            break
        except ReproducerError as error:
            wrong = {problem.field.split(".")[0].split("[")[0]: problem for problem in error.problems}
            for field, problem in wrong.items():
                missing.append(Missing(field=field or "file", why=f"What the file has {problem.message}."))
                draft.pop(field, None)
            if not wrong.keys() & finding.draft.keys():
                break
    readings = tuple(_with_intervals(finding))
    return dataclasses.replace(finding, draft=draft, missing=tuple(dict.fromkeys(missing)), readings=readings)


def _with_intervals(finding: Finding) -> Iterator[Reading]:
    """The readings, with the interval beside every count; counts stand in the order of the tallies."""
    tallies = iter(finding.tallies)
    for reading in finding.readings:
        tally = next(tallies, None) if reading.name.startswith(HOW_OFTEN) else None
        if tally is not None and tally.trials and tally.successes is not None:
            low, high = exact_interval(tally.successes, tally.trials)
            said = rate_told(tally.trials, low, high)
            yield dataclasses.replace(reading, note=joined([said, reading.saying("note")]))
        else:
            yield reading
