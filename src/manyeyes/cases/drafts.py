"""Reports that are not sent yet: kept encrypted for 14 days, found again by their owner or by a code they hold."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from manyeyes.accounts import ownkey
from manyeyes.accounts.models import Person
from manyeyes.cases.keeping import Brought, forget, keep_all
from manyeyes.cases.unsent import Draft, DraftFile
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.reference import ALPHABET, MENDED
from manyeyes.vault import files, tokens

LASTS = timedelta(days=14)
GROUPS, GROUP = 5, 4
MOST_FILES = 10
MOST_BYTES = 4_000_000_000
"""What the drafts of one program may hold together: nobody fills the disk with what they never send."""
MOST_OF_ONE = 20
GONE = "This draft is gone: it was sent, it was thrown away, or its 14 days are over."


@dataclass(frozen=True, kw_only=True)
class Found:
    """A draft and the word that finds it again: its id for its owner, else the code, which is kept nowhere."""

    draft: Draft
    token: str

    @property
    def code(self) -> str:
        """What somebody without an account writes down; empty for the drafts of an account."""
        return "" if self.draft.owner_id else self.token

    @property
    def until(self) -> datetime:
        """When it is thrown away."""
        return self.draft.saved_at + LASTS

    @property
    def files(self) -> list[DraftFile]:
        """Its files, the oldest first."""
        return list(self.draft.files.select_related("stored").order_by("added_at", "pk"))


def save(
    program: Program,
    answers: Mapping[str, Any],
    *,
    by: Any = None,
    token: str = "",
    brought: list[Brought] | None = None,
    sending: str = "",
) -> Found:
    """Keep what was typed so far, and the files that came along. Raises Invalid for a file that cannot be kept.

    `sending`, a secret name of 32 hexadecimal digits or more for this very request, makes a new draft repeatable: the
    same one again finds it.
    """
    sweep()
    found = find(program, token, by=by) if token else None
    if found is None and sending:
        found = find(program, _own_words(sending)[0 if _has_account(by) else 1], by=by)
    if found is None:
        found = _new(program, by, sending)
    coming = brought or []
    _room_for(found.draft, coming)
    kept = keep_all(found.draft.key, coming)
    draft = found.draft
    try:
        with transaction.atomic():
            draft.answers, draft.saved_at = dict(answers), clock.now()
            draft.save()
            for one in kept:
                DraftFile.objects.create(draft=draft, key=draft.key, stored=one.stored, inside=one.inside)
    except BaseException as error:
        forget(kept)
        twin = find(program, found.token, by=by) if sending and isinstance(error, IntegrityError) else None
        if twin is None:
            raise
        return twin  # the same request a moment ago, beside this one
    return found


def find(program: Program, token: str, *, by: Any = None) -> Found | None:
    """The draft of this program that a code names, or an id where it is the viewer's own; None for any other word."""
    own = Draft.objects.filter(program=program, saved_at__gt=clock.now() - LASTS).select_related("key", "program")
    code = normalised(token)
    if code:
        draft = own.filter(locator=tokens.keyed("draft", code), owner=None).first()
        return Found(draft=draft, token=code) if draft else None
    try:
        draft_id = uuid.UUID(token.strip())
    except ValueError:
        return None
    draft = own.filter(pk=draft_id, owner=by).first() if _has_account(by) else None
    return Found(draft=draft, token=str(draft.pk)) if draft else None


def wanted(program: Program, token: str, *, by: Any = None) -> Found | None:
    """As `find`, for a form that names a draft. Raises Conflict where it names one that is not there any more."""
    if not token.strip():
        return None
    found = find(program, token, by=by)
    if found is None:
        raise Conflict(GONE)
    return found


def of(viewer: Any) -> list[Draft]:
    """The drafts of an account, the newest first."""
    if not _has_account(viewer):
        return []
    rows = Draft.objects.filter(owner=viewer, saved_at__gt=clock.now() - LASTS).select_related("program", "key")
    return list(rows.order_by("-saved_at"))


def own(viewer: Any, draft_id: uuid.UUID) -> Draft:
    """One's own draft. Raises NotFound for everybody else's."""
    row = next((draft for draft in of(viewer) if draft.pk == draft_id), None)
    if row is None:
        raise NotFound
    return row


def remove_file(found: Found, file_id: str) -> None:
    """Take a file out of a draft; a file of another draft is not touched."""
    for row in found.files:
        if str(row.pk) == file_id:
            stored = row.stored
            with transaction.atomic():
                row.delete()
                files.remove(stored)


def drop(draft: Draft) -> None:
    """Throw a draft away with its files."""
    with transaction.atomic():
        for row in draft.files.select_related("stored"):
            stored = row.stored
            row.delete()
            files.remove(stored)
        draft.delete()


def bringing(found: Found) -> list[Brought]:
    """The files of a draft, on their way to the case."""
    return [
        Brought(name=row.stored.name, chunks=files.read(row.stored), inside=row.inside, looked=True)
        for row in found.files
    ]


def sweep() -> int:
    """Throw away what is older than 14 days; how many drafts went."""
    old = Draft.objects.filter(saved_at__lte=clock.now() - LASTS)
    gone = 0
    for draft in old[:200]:
        drop(draft)
        gone += 1
    return gone


def normalised(typed: str) -> str:
    """The code that somebody meant, as we write it; empty for what is none.

    >>> normalised(" 7k3f q2m4-7k3f q2m4 7k3f ")
    '7K3F-Q2M4-7K3F-Q2M4-7K3F'
    >>> normalised("7K3F")
    ''
    """
    if len(typed) > 100:
        return ""
    letters = re.sub(r"[\s\-]", "", typed).upper().translate(MENDED)
    if len(letters) != GROUPS * GROUP or set(letters) - set(ALPHABET):
        return ""
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def _own_words(sending: str) -> tuple[str, str]:
    """(id, code) of the draft that a request makes, where the request has a name; else random ones."""
    name = tokens.keyed("draft-sending", sending) if sending else secrets.token_hex(32)
    digits = int(name[32:], 16)
    letters = [ALPHABET[(digits // len(ALPHABET) ** place) % len(ALPHABET)] for place in range(GROUPS * GROUP)]
    return str(uuid.UUID(name[:32], version=4)), "-".join(
        "".join(letters[at : at + GROUP]) for at in range(0, GROUPS * GROUP, GROUP)
    )


def _new(program: Program, by: Any, sending: str) -> Found:
    owner = by if _has_account(by) else None
    if owner is not None and Draft.objects.filter(owner=owner).count() >= MOST_OF_ONE:
        raise Invalid(
            draft=_("You have %(most)d drafts. Send or throw away one of them first.") % {"most": MOST_OF_ONE}
        )
    draft_id, code = _own_words(sending)
    draft = Draft(
        pk=uuid.UUID(draft_id), program=program, key=ownkey.of(owner) if owner else program.key, owner=owner,
        locator=tokens.keyed("draft", code), answers={},
    )  # fmt: skip
    return Found(draft=draft, token=str(draft.pk) if owner else code)


def _has_account(person: Any) -> bool:
    return person is not None and getattr(person, "kind", "") == Person.Kind.ACCOUNT


def too_many() -> str:
    """What is said to whoever brings more files than a report may have."""
    return _("A report brings at most %(most)d files. Put several into one archive.") % {"most": MOST_FILES}


def not_taken(names: Sequence[str]) -> str:
    """What is said of files beyond those that a report may have."""
    said = _("A report brings at most %(most)d files, so these were not taken: %(names)s. Put several into one.")
    return said % {"most": MOST_FILES, "names": ", ".join(name[:80] for name in names)}


def _room_for(draft: Draft, coming: list[Brought]) -> None:
    if not coming:
        return
    if draft.files.count() + len(coming) > MOST_FILES:
        raise Invalid(file=too_many())
    held = DraftFile.objects.filter(draft__program=draft.program_id).aggregate(all=Sum("stored__size"))["all"] or 0
    if held > MOST_BYTES:
        raise Invalid(file=_("There is no room for files of drafts at the moment. Send the report, then add the file."))
