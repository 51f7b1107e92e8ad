"""Words between the sides, and inside the team; the two are never confused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases import people
from manyeyes.cases.access import is_reporter, sees_inside
from manyeyes.cases.models import Case, Message
from manyeyes.cases.moves import acting
from manyeyes.cases.spoken import EarlierWords, ReadMark
from manyeyes.programs.models import Membership
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role

LONGEST = 100_000
SPEAKERS = frozenset(Role) - {Role.FINANCE, Role.AUDITOR, Role.ADMIN, Role.SYSTEM}
"""Admins administer: a word of theirs is no answer of the team. Who is to speak holds another role as well."""
MENDABLE = timedelta(minutes=15)
"""How long an author may mend their words; how they read before stays to be read."""
MENDED = frozenset({"word", "question", "answer"})
"""The purposes of messages that may be mended; the words of a close, a reopening or an appeal stand as they were."""
MOST_MENDS = 20
MENTION = re.compile(r"(?<![\w@.\-/])@([A-Za-z0-9][A-Za-z0-9_.\-]{1,39})")


def say(case: Case, *, by: Any, text: str, public: bool = False, expected_version: int | None = None) -> Message:
    """Say something to both sides (`public`) or inside the team. A person's public word counts as a first answer."""
    clean = checked("text", text)
    if not public and not sees_inside(by, case):
        raise NotAllowed("An internal note belongs to the team.")
    called = mentioned(case, clean, by=by)
    tell = [*(people.everybody(case) if public else people.team(case)), *called]
    kind = "message.public" if public else "message.internal"
    row = Message(author=by, public=public, text=clean, at=clock.now())
    side = side_of(by, case)
    with acting(
        case, kind, by=by, allowed=SPEAKERS, tell=tell, public=public, message=str(row.pk), side=side, said=clean,
        expected_version=expected_version, **_called(called),
    ) as locked:  # fmt: skip
        row.case = locked
        row.save()
    return row


def mend(message: Message, *, by: Any, text: str, seen: int | None = None) -> Message:
    """Change one's own words within `MENDABLE`. How they read before stays beside them, for everybody who reads them.

    `seen` is the number of earlier changes that the author saw. Raises Conflict where there was another one since.
    """
    clean, case = checked("text", text), message.case
    if not may_mend(message, by):
        raise NotAllowed(_("Words are changed by their author, within 15 minutes. Write another message instead."))
    called = mentioned(case, clean, by=by)
    everybody = people.everybody(case) if message.public else people.team(case)
    with acting(
        case, "message.edited", by=by, allowed=SPEAKERS, tell=[*everybody, *called], public=message.public,
        message=str(message.pk), side=side_of(by, case), said=clean, **_called(called),
    ) as locked:  # fmt: skip
        row = Message.objects.select_for_update().get(pk=message.pk)
        if row.edits != (message.edits if seen is None else seen):
            raise Conflict(_("These words were changed meanwhile, in another window of yours. Look again."))
        if row.text == clean:
            raise Invalid(text=_("Nothing was changed."))
        EarlierWords(key=locked.key, message=row, text=row.text).save()
        row.text, row.edits = clean, row.edits + 1
        row.save()
    message.text, message.edits = row.text, row.edits
    return message


def may_mend(message: Message, viewer: Any) -> bool:
    """Whether the viewer wrote this a moment ago and may still change it."""
    return (
        getattr(viewer, "pk", None) == message.author_id
        and message.purpose in MENDED
        and message.edits < MOST_MENDS
        and clock.now() < message.at + MENDABLE
    )


def own_message(case: Case, viewer: Any, message_id: Any) -> Message:
    """A message of this case that the viewer wrote. Raises NotFound for any other."""
    row = case.messages.filter(pk=message_id, author_id=getattr(viewer, "pk", None)).first()
    if row is None:
        raise NotFound
    return row


def mentioned(case: Case, text: str, *, by: Any) -> list[Any]:
    """The members of the team whom a member of the team named as @handle and who may read the case."""
    named = {handle.rstrip(".-_").lower() for handle in MENTION.findall(text)[:50]}
    if not named or not sees_inside(by, case):
        return []
    rows = Membership.objects.filter(program_id=case.program_id).select_related("person").order_by("created_at")
    found = [row.person for row in rows if row.person.handle.lower() in named and row.person_id != by.pk]
    return [person for person in found if sees_inside(person, case)]


def _called(people_named: list[Any]) -> dict[str, Any]:
    return {"mentioned": [str(person.pk) for person in people_named]} if people_named else {}


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
        return _("Please fill this in.") if required else None
    if "\x00" in value:
        return _("This holds a NUL character, which cannot be stored. Write it as \\0 or leave it out.")
    if len(value) > longest:
        said = _("This is %(long)s characters long; at most %(most)s are possible. Shorten it or attach a file.")
        return said % {"long": f"{len(value):,}", "most": f"{longest:,}"}
    try:
        value.encode()
    except UnicodeEncodeError:
        return _("This holds half of a character (a lone surrogate). Paste it again, or escape it as \\uD800.")
    return None
