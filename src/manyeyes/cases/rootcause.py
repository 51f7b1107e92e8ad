"""Why it works: a category, reasons in words, and the evidence they lean on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from manyeyes.cases import people
from manyeyes.cases.conversation import checked
from manyeyes.cases.models import Case, RootCause
from manyeyes.cases.moves import acting
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role

CATEGORIES: dict[str, str] = {
    "tokenizer": "Tokenizer: how text is cut into pieces",
    "context": "Context: what the model sees, in which order, at which length",
    "alignment": "Alignment: what the model was trained to do or refuse",
    "guardrail": "Guardrail: a filter or classifier around the model",
    "wiring": "Wiring: how prompts, tools, data and rights are put together",
    "other": "Something else",
}


def conclude(case: Case, *, by: Any, category: str, text: str, evidence: Iterable[str] = ()) -> RootCause:
    """Say what makes it work. `evidence` names replays of this case; earlier conclusions stay on record."""
    if category not in CATEGORIES:
        raise Invalid(category=f"Choose one of: {', '.join(CATEGORIES)}.")
    words = checked("text", text)
    known = {str(replay) for replay in case.reproductions.values_list("replay_id", flat=True)}
    named = [str(one) for one in evidence]
    if strange := [one for one in named if one not in known]:
        raise Invalid(evidence=f"{strange[0]} is no replay of this case.")
    row = RootCause(by=by, category=category, text=words, evidence=named, at=clock.now())
    with acting(
        case, "root_cause.concluded", by=by, allowed=TRIAGERS | {Role.TARGET_OWNER}, tell=people.team(case),
        category=category, root_cause=str(row.pk),
    ) as locked:  # fmt: skip
        row.case, row.key = locked, locked.key
        row.save()
    return row


def standing(case: Case) -> RootCause | None:
    """The conclusion that stands."""
    return max(case.root_causes.all(), key=lambda row: row.at, default=None)
