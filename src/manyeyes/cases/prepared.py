"""Answers that a team prepares beforehand: kept per program, with names in braces that each case fills in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes import events
from manyeyes.cases.clocks import terms
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case
from manyeyes.cases.spoken import PreparedAnswer
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.rules import clock, promises
from manyeyes.rules.calendars import reached
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.visibility import name_outside
from manyeyes.rules.words import status_words, time_words

KEEPERS = frozenset({Role.PROGRAM_MANAGER, Role.ADMIN})
MOST = 100
NAME_LONGEST = 80
TEXT_LONGEST = 10_000
NAMES = {
    "researcher": gettext_lazy("what the researcher is called here"),
    "ref": gettext_lazy("the case's number"),
    "program": gettext_lazy("the program's organisation"),
    "target": gettext_lazy("the system the report is about"),
    "status": gettext_lazy("where the case stands, in a word"),
    "next_word": gettext_lazy("until when you write again, as was promised"),
    "me": gettext_lazy("your name, as researchers read it"),
}
"""What may stand in braces, and what is put in its place."""
NAMED = re.compile(r"\{([^{}\n]{0,40})\}")


def listed(program: Program) -> list[PreparedAnswer]:
    """The prepared answers of a program by name; names are encrypted, so they are sorted here."""
    rows = PreparedAnswer.objects.filter(program=program).select_related("changed_by")
    return sorted(rows, key=lambda row: row.name.casefold())


def one(program: Program, answer_id: Any) -> PreparedAnswer:
    """A prepared answer of this program. Raises NotFound."""
    row = PreparedAnswer.objects.filter(program=program, pk=answer_id).first()
    if row is None:
        raise NotFound
    return row


def add(program: Program, *, by: Any, name: str, text: str) -> PreparedAnswer:
    """Prepare an answer. Raises Invalid naming the field, also for a name in braces that nothing fills."""
    _keeps(program, by)
    name, text = _checked(name, text)
    if PreparedAnswer.objects.filter(program=program).count() >= MOST:
        raise Invalid(name=_("At most %(most)d answers are kept. Remove one first.") % {"most": MOST})
    row = PreparedAnswer(program=program, key=program.key, name=name, text=text, changed_by=by)
    with transaction.atomic():
        row.save()
        _record(row, "prepared_answer.added", by)
    return row


def change(row: PreparedAnswer, *, by: Any, name: str, text: str, seen: int | None = None) -> PreparedAnswer:
    """Change a prepared answer. `seen` is the revision they saw; a newer one is a Conflict."""
    _keeps(row.program, by)
    name, text = _checked(name, text)
    with transaction.atomic():
        stored = _locked(row, seen)
        stored.name, stored.text, stored.revision = name, text, stored.revision + 1
        stored.changed_by, stored.changed_at = by, clock.now()
        stored.save()
        _record(stored, "prepared_answer.changed", by)
    return stored


def remove(row: PreparedAnswer, *, by: Any, seen: int | None = None) -> None:
    """Take a prepared answer away; what was sent with it stays as it was sent."""
    _keeps(row.program, by)
    with transaction.atomic():
        stored = _locked(row, seen)
        _record(stored, "prepared_answer.removed", by)
        stored.delete()


def filled(row: PreparedAnswer, case: Case, *, by: Any) -> str:
    """The text as it would be sent in this case by this person, to be read and changed before it goes."""
    return fill(row.text, case, by=by)


def fill(text: str, case: Case, *, by: Any) -> str:
    """A text with the names in braces filled in for this case."""
    promised = promises.read(terms(case))
    next_word = reached(clock.now(), timedelta(hours=promised.word_hours), promised.calendar_of("next_word"))
    values = {
        "researcher": case.reporter.name,
        "ref": case.ref,
        "program": case.program.organisation,
        "target": case.target.name,
        "status": status_words(case.status, case.close_reason),
        "next_word": time_words(next_word),
        "me": name_outside(by.name),
    }
    return NAMED.sub(lambda found: values.get(found[1], found[0]), text)


def checked_text(field: str, text: str) -> str:
    """A text to be filled. Raises Invalid for `field` without words, too long, or with a name that nothing fills."""
    clean = checked(field, text, longest=TEXT_LONGEST)
    unknown = sorted({found for found in NAMED.findall(text) if found not in NAMES})
    if unknown:
        known = ", ".join(f"{{{one}}}" for one in NAMES)
        words = _("Nothing fills {%(name)s}. These may stand in braces: %(known)s.")
        raise Invalid({field: words % {"name": unknown[0][:40], "known": known}})
    return clean


def _checked(name: str, text: str) -> tuple[str, str]:
    wrong: dict[str, str] = {}
    clean = {}
    try:
        clean["name"] = checked("name", name, longest=NAME_LONGEST)
    except Invalid as error:
        wrong |= error.fields
    try:
        clean["text"] = checked_text("text", text)
    except Invalid as error:
        wrong |= error.fields
    if wrong:
        raise Invalid(wrong)
    return " ".join(clean["name"].split()), clean["text"]


def _keeps(program: Program, by: Any) -> None:
    if not roles_of(by, program) & KEEPERS:
        raise NotAllowed(_("Prepared answers are kept by the program's manager or an admin."))


def _locked(row: PreparedAnswer, seen: int | None) -> PreparedAnswer:
    stored = PreparedAnswer.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if stored is None:
        raise NotFound
    if stored.revision != (row.revision if seen is None else seen):
        raise Conflict(_("%(who)s changed this answer meanwhile. Look at it again.") % {"who": stored.changed_by})
    return stored


def _record(row: PreparedAnswer, kind: str, by: Any) -> None:
    events.record(f"program:{row.program_id}", kind, actor=by.actor, human=True, answer=str(row.pk))
