"""The process that looks into an archive or a mail: it limits itself, reads standard input, writes one JSON object."""

from __future__ import annotations

import email
import email.policy
import json
import os
import sys
import tarfile
import zipfile
from itertools import islice
from typing import Any, BinaryIO

from manyeyes.plugins.imported import Limits
from manyeyes.runs.import_child import confine

ENTRIES = 200
HEADERS = 60
VALUE = 2_000
NAME = 300
WORDS = 50_000


def zipped(file: BinaryIO) -> dict[str, Any]:
    """The names and sizes that a ZIP claims; nothing is unpacked, so a bomb is a line in a list."""
    with zipfile.ZipFile(file) as archive:
        rows = [{"name": _text(one.filename, NAME), "size": one.file_size} for one in archive.infolist()[:ENTRIES]]
        return _archive(rows, len(archive.infolist()))


def tarred(file: BinaryIO) -> dict[str, Any]:
    """The names and sizes of an unpacked TAR."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        rows = [{"name": _text(one.name, NAME), "size": one.size} for one in islice(archive, ENTRIES + 1)]
    return _archive(rows[:ENTRIES], len(rows), note="" if len(rows) <= ENTRIES else "There is more in it.")


def gzipped(file: BinaryIO) -> dict[str, Any]:
    """What a GZIP says of itself; what is packed in it is not looked at."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 4))
    told = int.from_bytes(file.read(4), "little")
    note = "One packed stream; what is in it was not looked at."
    return _archive([{"name": "(packed)", "size": told}], 1, note=note)


def mailed(file: BinaryIO) -> dict[str, Any]:
    """A mail's headers, the words of its first text part, and a list of what is attached."""
    policy = email.policy.default.clone(raise_on_defect=False)
    message = email.message_from_bytes(file.read(), policy=policy)
    headers = [[_text(name, NAME), _text(value, VALUE)] for name, value in message.raw_items()][:HEADERS]
    words, parts = "", []
    for part in islice(message.walk(), ENTRIES):
        if part.is_multipart():
            continue
        raw = part.get_payload(decode=True) or b""
        body = raw if isinstance(raw, bytes) else b""
        kind = part.get_content_type()
        if not words and kind.startswith("text/") and part.get_content_disposition() != "attachment":
            words = body.decode(_charset(part), "replace")
            continue
        parts.append({"name": _text(part.get_filename() or "(no name)", NAME), "type": _text(kind, 100),
                      "size": len(body)})  # fmt: skip
    return {"kind": "mail", "headers": headers, "words": words[:WORDS], "cut": len(words) > WORDS, "parts": parts}


def _charset(part: Any) -> str:
    named = part.get_content_charset() or "utf-8"
    try:
        b"x".decode(named, "replace")
    except (LookupError, ValueError, TypeError):  # rot13 and zlib are codecs too, but of no text
        return "utf-8"
    return str(named)


def _archive(rows: list[dict[str, Any]], count: int, note: str = "") -> dict[str, Any]:
    return {"kind": "archive", "entries": rows, "more": max(0, count - len(rows)), "note": note}


def _text(value: Any, longest: int) -> str:
    """Text that can be stored and shown: no lone surrogates, no NUL, not too long."""
    # Bytes that a mail's header should have coded arrive as lone surrogates: read as the UTF-8 they mostly are.
    said = str(value).encode("utf-8", "surrogateescape" if _escaped(value) else "replace").decode("utf-8", "replace")
    said = said.replace("\x00", "\\0")
    return said if len(said) <= longest else said[: longest - 1] + "…"


def _escaped(value: Any) -> bool:
    """Whether every lone surrogate in a text stands for a byte."""
    return all("\udc80" <= sign <= "\udcff" for sign in str(value) if "\ud800" <= sign <= "\udfff")


LOOKS = {
    "application/zip": zipped,
    "application/x-tar": tarred,
    "application/gzip": gzipped,
    "message/rfc822": mailed,
}


def main() -> int:
    """Reads standard input as told by the first argument and writes one object to standard output."""
    asked = json.loads(sys.argv[1])
    confine(Limits(memory=asked["memory"], cpu=asked["cpu"]))
    try:
        with os.fdopen(0, "rb", closefd=False) as file:
            found = LOOKS[asked["type"]](file)
    except Exception:  # whatever a hostile file does here, the answer is the same
        found = {"kind": "unread"}
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
