"""Looks into an archive or a mail without unpacking it: a process of its own lists names, sizes, headers and words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from typing import Any, BinaryIO

from manyeyes.runs.importing import SLOTS

LOOKED_INTO = frozenset({"application/zip", "application/gzip", "application/x-tar", "message/rfc822"})
"""The types that have an inside worth showing; others are kept as they are."""
WALL = 15.0
MEMORY = 600_000_000
CPU = 8
LARGEST_ANSWER = 400_000
UNREAD = "It could not be looked into; it is kept as it came."


def look(chunks: Iterable[bytes], media_type: str) -> dict[str, Any] | None:
    """What is inside, as plain data, or None for a type without an inside. Never raises for what the file holds.

    Archives: {"kind": "archive", "entries": [{"name", "size"}], "more": n}. Mails: {"kind": "mail", "headers":
    [[name, value]], "words": text, "cut": bool, "parts": [{"name", "type", "size"}]}. Else {"kind": "unread", "why"}.
    """
    if media_type not in LOOKED_INTO:
        return None
    if not SLOTS.acquire(timeout=WALL):
        return {"kind": "unread", "why": "Too many files were being read at that moment; it is kept as it came."}
    try:
        with _nameless() as file:
            for piece in chunks:
                file.write(piece)
            file.flush()
            file.seek(0)
            return _asked(file, media_type)
    finally:
        SLOTS.release()


def _nameless() -> BinaryIO:
    """A file without a name, in memory where the system can: no disk sees the plaintext."""
    has = hasattr(os, "memfd_create")
    file: Any = os.fdopen(os.memfd_create("look"), "w+b") if has else tempfile.TemporaryFile()  # noqa: SIM115
    return file  # type: ignore[no-any-return]


def _asked(file: BinaryIO, media_type: str) -> dict[str, Any]:
    asked = json.dumps({"type": media_type, "memory": MEMORY, "cpu": CPU})
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, no shell, no word of the file
            [sys.executable, "-I", "-m", "manyeyes.runs.looking_child", asked],
            stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=WALL, close_fds=True,
            env={}, cwd=os.sep, start_new_session=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"kind": "unread", "why": "It takes too long to look into; it is kept as it came."}
    if done.returncode or len(done.stdout) > LARGEST_ANSWER:
        return {"kind": "unread", "why": UNREAD}
    return _believed(done.stdout)


def _believed(raw: bytes) -> dict[str, Any]:
    """The answer of the other process, which read hostile data, taken as hostile itself."""
    try:
        data = json.loads(raw)
        kind = data["kind"]
        if kind == "archive":
            rows = [{"name": str(row["name"]), "size": int(row["size"])} for row in data["entries"]]
            return {"kind": kind, "entries": rows, "more": int(data["more"]), "note": str(data["note"])}
        if kind == "mail":
            headers = [[str(name), str(value)] for name, value in data["headers"]]
            parts = [{"name": str(p["name"]), "type": str(p["type"]), "size": int(p["size"])} for p in data["parts"]]
            words = {"words": str(data["words"]), "cut": bool(data["cut"])}
            return {"kind": kind, "headers": headers, "parts": parts, **words}
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return {"kind": "unread", "why": UNREAD}
