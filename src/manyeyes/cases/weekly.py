"""The weekly word: reminds the people at work on a case that the researcher waits. Only people write to researchers."""

from __future__ import annotations

import logging
from datetime import timedelta

from manyeyes import events
from manyeyes.cases import people
from manyeyes.cases.clocks import clocks
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.rules import clock

log = logging.getLogger("manyeyes.weekly")
AHEAD = timedelta(days=2)
"""How long before the promise ends somebody is reminded; a second time when it has ended."""


def remind() -> int:
    """Remind the team of every case whose next word to the researcher is due soon, or overdue. Returns how many.

    Each promise is reminded of twice at most, however often this runs. The researcher is sent nothing: an empty mail
    in a person's name would be a lie.
    """
    soon = Case.objects.filter(due_at__lt=clock.now() + AHEAD, acknowledged_at__isnull=False)
    told = 0
    for case in soon.select_related("program", "key", "assignee", "owner"):
        try:
            told += _remind(case)
        except Exception:
            log.exception("reminding of a case failed")  # one case must not silence the others
    return told


def _remind(case: Case) -> bool:
    rows = list(events.log(case.subject))
    word = next((one for one in clocks(case, log=rows) if one.name == "next_word" and one.running), None)
    if word is None or word.due > clock.now() + AHEAD:
        return False
    said = [row.data.get("late", False) for row in rows if row.kind == "word.due" and row.data["due"] == _day(word.due)]
    if any(late or not word.late for late in said):
        return False
    with acting(case, "word.due", by=None, allowed=None, tell=people.team(case), due=_day(word.due), late=word.late):
        pass
    return True


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"
