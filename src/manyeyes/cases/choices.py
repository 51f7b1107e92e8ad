"""What a viewer may do next with a case: the offers behind the buttons, refused ones with what is missing."""

from __future__ import annotations

from typing import Any

from manyeyes.cases.access import roles_in
from manyeyes.cases.facts import facts_of
from manyeyes.cases.models import Case
from manyeyes.rules import lifecycle
from manyeyes.rules.lifecycle import Offer, Status


def offers(case: Case, viewer: Any) -> list[Offer]:
    """The moves that the viewer's roles may make from here."""
    return lifecycle.open_to(Status(case.status), roles_in(viewer, case), facts_of(case))
