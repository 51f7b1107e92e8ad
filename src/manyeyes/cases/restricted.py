"""Hazardous content of a case: closed until somebody with the right opens it, and each opening is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from manyeyes import events
from manyeyes.accounts import working
from manyeyes.accounts.models import Person
from manyeyes.cases import assignment
from manyeyes.cases.access import roles_in
from manyeyes.cases.intake_report import OPEN_HAZARDS
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import TRIAGERS, Role

OPENED = "restricted.opened"
OPENERS = frozenset(TRIAGERS | {Role.TARGET_OWNER})
"""Roles that need the content for their work."""
READERS = frozenset({Role.PROGRAM_MANAGER, Role.AUDITOR, Role.ADMIN})
"""Roles that see who opened it."""
THINGS = {
    "report": _("the report"),
    "reproducer": _("a reproducer"),
    "retest": _("the transcript of a retest"),
    "file": _("a file"),
    "plan": _("the wordings of a plan"),
    "replay": _("the transcripts of a replay"),
}


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Who opened what, and when."""

    at: datetime
    who: str
    what: str


def may_open(viewer: Any, case: Case) -> bool:
    """Whether this viewer may open what is restricted in the case; true also where nothing is."""
    return not case.hazard or (bool(roles_in(viewer, case) & OPENERS) and not declined(viewer, case))


def declined(viewer: Any, case: Case) -> bool:
    """Whether the viewer said that they do not view content of this kind."""
    return bool(case.hazard) and case.hazard in working.declines(viewer)


def access_restricted(case: Case, *, by: Any, what: str, item: object = "") -> None:
    """Open one thing of the case: put on record who did it and when, before a byte is handed out.

    `what` is one of `THINGS`, `item` the id of the row it speaks of. Raises NotAllowed for whoever lacks the right, and
    for whoever said that they do not view this kind of content.
    """
    if declined(by, case):
        raise NotAllowed(
            str(_("You said that you do not view this kind of content. Your own page changes that.")),
        )
    with acting(case, OPENED, by=by, allowed=OPENERS, what=what, item=str(item), hazard=case.hazard):
        pass


def restrict(case: Case, *, by: Any, hazard: str) -> Case:
    """Close the case, because it holds hazardous content of this kind; empty opens it again, which the manager does."""
    if hazard and hazard not in OPEN_HAZARDS:
        raise Invalid(hazard=str(_("Choose one of the kinds of hazard, or none.")))
    allowed = TRIAGERS if hazard else {Role.PROGRAM_MANAGER}
    with acting(case, "restricted.set", by=by, allowed=allowed, hazard=hazard) as row:
        row.hazard = hazard
    if hazard:
        _hold(case)
    assignment.relieve(case)
    return case


def _hold(case: Case) -> None:
    """Stop what machines do with the case: it was permitted for what the case was taken to be. Resuming asks again."""
    for link in case.reproductions.select_related("replay").filter(replay__mode=Replay.Mode.RUNNER):
        if link.replay.state in (Replay.State.QUEUED, Replay.State.RUNNING):
            (queue.pause if link.replay.requested_by_id else queue.cancel)(link.replay)


def openings(case: Case, viewer: Any) -> list[Opening] | None:
    """Every opening, the newest first; None for those who do not see them, and where nothing is restricted."""
    if not roles_in(viewer, case) & READERS:
        return None
    rows = list(events.log(case.subject).filter(kind=OPENED).order_by("-seq"))
    if not case.hazard and not rows:
        return None
    people = Person.objects.in_bulk({UUID(row.actor.partition(":")[2]) for row in rows})
    return [
        Opening(at=row.at, who=people[UUID(row.actor.partition(":")[2])].name, what=str(THINGS[row.data["what"]]))
        for row in rows
    ]
