"""The word that researchers put into their calls: public, changed when it is misused; the old one lasts a while.

It is no part of what a policy promises, so a change reaches the pages at once and no version of a policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, make_marker
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.policy_document import ScopeLine

LONGEST = 90
"""Days for which an earlier word may be honoured."""
MOST = 5
"""Earlier words that may be honoured at a time."""


@dataclass(frozen=True, kw_only=True)
class Former:
    """An earlier word, and until when the guards still honour it."""

    word: str
    until: datetime


def former(program: Program) -> list[Former]:
    """The earlier words that are still honoured, the newest first."""
    rows = [Former(word=row["word"], until=datetime.fromisoformat(row["until"])) for row in program.former_markers]
    return [row for row in rows if row.until > clock.now()]


def change(program: Program, *, by: Person, days: int) -> Program:
    """Make a new word; the one before is honoured for so many days more, 0 for not at all. Raises Invalid(days=…)."""
    if not roles_of(by, program) & {Role.PROGRAM_MANAGER, Role.ADMIN}:
        raise NotAllowed(_("The program is changed by its manager or an admin."))
    if not 0 <= days <= LONGEST:
        raise Invalid(days=_("Give a whole number from 0 to %(most)s.") % {"most": LONGEST})
    with transaction.atomic():
        row = Program.objects.select_for_update().get(pk=program.pk)
        held = former(row)
        if days and len(held) >= MOST:
            raise Conflict(
                _("%(most)s earlier words are honoured already. Wait until one of them ends.") % {"most": MOST}
            )
        if days:
            held = [Former(word=row.research_marker, until=clock.now() + timedelta(days=days)), *held]
        row.former_markers = [{"word": one.word, "until": one.until.isoformat()} for one in held]
        row.research_marker = make_marker()
        row.save(update_fields=["research_marker", "former_markers"])
        events.record(f"program:{row.pk}", "marker.changed", actor=by.actor, human=True, days=days)
    program.research_marker, program.former_markers = row.research_marker, row.former_markers
    return program


def with_word(program: Program, lines: Iterable[ScopeLine]) -> list[ScopeLine]:
    """Lines of a published scope with the word that holds today in the place of the one of that day."""
    return [replace(line, marker_word=program.research_marker) if line.marker_word else line for line in lines]
