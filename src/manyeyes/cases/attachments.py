"""Files that come with a report or a message: encrypted while they stream, typed by content, never rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from manyeyes.cases import people
from manyeyes.cases.access import roles_in, sees_inside
from manyeyes.cases.conversation import SPEAKERS, checked, side_of
from manyeyes.cases.models import Attachment, Case, Message
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.vault import files, uploads

MOST = 50
TYPES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
"""What the first bytes say; the name and the type that were sent along are not believed."""


def attach(
    case: Case, *, by: Any, chunks: Iterable[bytes], name: str, public: bool = True, message: Message | None = None
) -> Attachment:
    """Add a file for both sides, or for the team. Raises Invalid for one that is too large or has an unusable name.

    The bytes are encrypted before the case is locked; a refusal afterwards removes them again.
    """
    if not public and not sees_inside(by, case):
        raise NotAllowed("An internal file belongs to the team.")
    if not roles_in(by, case) & SPEAKERS:
        raise NotAllowed("This act belongs to another role.")
    clean = checked("name", name.replace("\\", "/").rpartition("/")[2], longest=200)
    if case.attachments.count() >= MOST:
        raise Invalid(file=f"A case holds at most {MOST} files. Put several into one archive.")
    first, rest = _first(chunks)
    stored = files.write(case.key, _limited(chain([first], rest)), name=clean, media_type=type_of(first))
    row = Attachment(case=case, key=case.key, message=message, public=public, stored=stored, by=by, at=clock.now())
    side = side_of(by, case)
    tell = people.everybody(case) if public else people.team(case)
    try:
        with acting(
            case, "file.attached", by=by, allowed=SPEAKERS, tell=tell, public=public, attachment=str(row.pk),
            size=stored.size, side=side,
        ):  # fmt: skip
            row.save()
    except BaseException:
        files.remove(stored)
        raise
    return row


def take(case: Case, *, by: Any, upload: Any, public: bool) -> Attachment | None:
    """Add what a form brought along; None where it brought no file."""
    if upload is None:
        return None
    if getattr(upload, "too_large", False):
        raise Invalid(
            file=f"This file is larger than {uploads.max_bytes() // 1024 // 1024} MB. Cut it, or compress it."
        )
    return attach(case, by=by, chunks=upload.chunks(), name=upload.name or "file", public=public)


def content(row: Attachment) -> Iterator[bytes]:
    """The bytes, decrypted chunk by chunk."""
    return files.read(row.stored)


def type_of(first: bytes) -> str:
    """A media type from the first bytes: a few known signatures, else text or plain bytes."""
    for signature, media_type in TYPES:
        if first.startswith(signature):
            return media_type
    try:
        first[:4096].decode("utf-8", "strict" if len(first) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if b"\x00" in first[:4096] else "text/plain"


def _first(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    rest = iter(chunks)
    first = next(rest, b"")
    if not first:
        raise Invalid(file="This file is empty.")
    return first, rest


def _limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size, largest = 0, uploads.max_bytes()
    for piece in chunks:
        size += len(piece)
        if size > largest:
            raise Invalid(file=f"This file is larger than {largest // 1024 // 1024} MB. Cut it, or compress it.")
        yield piece
