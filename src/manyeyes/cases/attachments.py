"""Files that come with a report or a message: encrypted while they stream, typed by content, never rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from manyeyes.cases import people
from manyeyes.cases.access import roles_in, sees_inside
from manyeyes.cases.conversation import SPEAKERS, side_of
from manyeyes.cases.filetypes import type_of
from manyeyes.cases.keeping import Brought, brought, forget, keep
from manyeyes.cases.models import Attachment, Case, Message
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.vault import files

MOST = 50


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
    if case.attachments.count() >= MOST:
        raise Invalid(file=f"A case holds at most {MOST} files. Put several into one archive.")
    kept = keep(case.key, Brought(name=name, chunks=chunks))
    row = Attachment(
        case=case, key=case.key, message=message, public=public, stored=kept.stored, inside=kept.inside, by=by,
        at=clock.now(),
    )  # fmt: skip
    side = side_of(by, case)
    tell = people.everybody(case) if public else people.team(case)
    try:
        with acting(
            case, "file.attached", by=by, allowed=SPEAKERS, tell=tell, public=public, attachment=str(row.pk),
            size=kept.stored.size, side=side,
        ):  # fmt: skip
            row.save()
    except BaseException:
        forget([kept])
        raise
    return row


def take(case: Case, *, by: Any, upload: Any, public: bool) -> Attachment | None:
    """Add what a form brought along; None where it brought no file."""
    if upload is None:
        return None
    came = brought(upload)
    return attach(case, by=by, chunks=came.chunks, name=came.name, public=public)


def content(row: Attachment) -> Iterator[bytes]:
    """The bytes, decrypted chunk by chunk."""
    return files.read(row.stored)


__all__ = ["attach", "content", "take", "type_of"]
