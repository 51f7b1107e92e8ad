"""Words between the sides, and inside the team; the two are never confused."""

from __future__ import annotations

from typing import Any

from manyeyes.cases import people
from manyeyes.cases.access import is_reporter, sees_inside
from manyeyes.cases.models import Case, Message, ReadMark
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role

LONGEST = 100_000
SPEAKERS = frozenset(Role) - {Role.FINANCE, Role.AUDITOR, Role.ADMIN, Role.SYSTEM}
"""Admins administer: a word of theirs is no answer of the team. Who is to speak holds another role as well."""


def say(case: Case, *, by: Any, text: str, public: bool = False, expected_version: int | None = None) -> Message:
    """Say something to both sides (`public`) or inside the team. A person's public word counts as a first answer."""
    clean = checked("text", text)
    if not public and not sees_inside(by, case):
        raise NotAllowed("An internal note belongs to the team.")
    tell = people.everybody(case) if public else people.team(case)
    kind = "message.public" if public else "message.internal"
    row = Message(author=by, public=public, text=clean, at=clock.now())
    side = side_of(by, case)
    with acting(
        case, kind, by=by, allowed=SPEAKERS, tell=tell, public=public, message=str(row.pk), side=side, said=clean,
        expected_version=expected_version,
    ) as locked:  # fmt: skip
        row.case = locked
        row.save()
    return row


def side_of(by: Any, case: Case) -> str:
    """On which side somebody speaks: in their own case the reporter's, even where they belong to the team."""
    return "reporter" if is_reporter(by, case) else "team"


def mark_read(case: Case, viewer: Any) -> None:
    """Remember that the viewer has seen the case as it is now."""
    ReadMark.objects.update_or_create(case=case, person=viewer, defaults={"at": clock.now()})


def last_read(case: Case, viewer: Any) -> Any:
    """When the viewer last saw the case, or None."""
    mark = ReadMark.objects.filter(case=case, person=viewer).first()
    return mark.at if mark else None


def checked(field: str, text: str | None, *, longest: int = LONGEST, required: bool = True) -> str:
    """The text without outer blanks. Raises Invalid naming the field: empty, too long, or with NUL characters."""
    problem = problem_with(text, longest=longest, required=required)
    if problem:
        raise Invalid({field: problem})
    return (text or "").strip()


def problem_with(text: str | None, *, longest: int = LONGEST, required: bool = True) -> str | None:
    """What is wrong with a text and how to mend it, or None."""
    value = (text or "").strip()
    if not value:
        return "Please fill this in." if required else None
    if "\x00" in value:
        return "This holds a NUL character, which cannot be stored. Write it as \\0 or leave it out."
    if len(value) > longest:
        return f"This is {len(value):,} characters long; at most {longest:,} are possible. Shorten it or attach a file."
    try:
        value.encode()
    except UnicodeEncodeError:
        return "This holds half of a character (a lone surrogate). Paste it again, or escape it as \\uD800."
    return None
