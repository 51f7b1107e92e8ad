"""The severity rubric of a program: the standard, until its manager publishes a version of their own."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.programs.yardsticks import RubricVersion
from manyeyes.rules import clock, mes
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.rubric import LONGEST_FILE, Rubric, difference, read, text_of

MANAGERS = frozenset({Role.PROGRAM_MANAGER, Role.ADMIN})
WHY_LONGEST = 400


def current(program: Program) -> RubricVersion | None:
    """The version in force; None while the program goes by the standard."""
    return program.rubrics.order_by("-number").first()


def in_force(program: Program) -> Rubric:
    """What ratings are made by from now on."""
    row = current(program)
    return row.rubric if row else mes.STANDARD


def name_of_next(program: Program) -> str:
    """The name that the next version gets: the standard it stands on, the program, and its number."""
    row = current(program)
    return f"{mes.STANDARD.version}+{program.slug}.{row.number + 1 if row else 1}"


def versions(program: Program) -> list[tuple[str, Rubric, RubricVersion | None]]:
    """(name, rubric, row) of every version, the newest first, the standard last."""
    rows = [(row.version, row.rubric, row) for row in program.rubrics.select_related("by")]
    return [*rows, (mes.STANDARD.version, mes.STANDARD, None)]


def named(program: Program, version: str) -> Rubric:
    """The rubric of this name among the program's versions. Raises NotFound."""
    for name, rubric, _row in versions(program):
        if name == version:
            return rubric
    raise NotFound


@transaction.atomic
def publish(program: Program, *, by: Any, text: str, why: str, seen: str) -> RubricVersion:
    """Put a new version in force; ratings made so far keep theirs. `seen` names the version they edited.

    The file's own version is replaced by the name that is due. Raises Invalid with everything that is wrong, Conflict
    where another version came first, NotAllowed for all but the manager and admins.
    """
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed(_("The rubric of a program is set by its manager or an admin."))
    Program.objects.select_for_update().get(pk=program.pk)
    before = in_force(program)
    if seen != before.version:
        raise Conflict(_("Another version was published meanwhile. Look at it, then decide."))
    said = why.strip()
    if not said or len(said) > WHY_LONGEST:
        raise Invalid(why=_("Say in one line why it changes, in at most %(most)s characters.") % {"most": WHY_LONGEST})
    rubric = _renamed(text, name_of_next(program), before.version)
    changes = difference(before, rubric)
    if not changes:
        raise Invalid(rubric=_("Nothing differs from %(version)s.") % {"version": before.version})
    row = RubricVersion(
        program=program, number=int(rubric.version.rpartition(".")[2]), version=rubric.version, text=text_of(rubric),
        why=said, by=by, at=clock.now(),
    )  # fmt: skip
    row.save()
    events.record(
        f"program:{program.pk}", "rubric.published", actor=by.actor, human=True, version=row.version,
        based_on=before.version, changes=len(changes),
    )  # fmt: skip
    return row


def _renamed(text: str, version: str, based_on: str) -> Rubric:
    if len(text) > LONGEST_FILE:
        raise Invalid(rubric=_("The file is longer than %(most)s characters.") % {"most": LONGEST_FILE})
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Invalid(rubric=_("This is no JSON: %(error)s.") % {"error": error}) from error
    if not isinstance(data, dict):
        raise Invalid(rubric=_("A rubric is one JSON object."))
    return read({**data, "version": version, "based_on": based_on})
