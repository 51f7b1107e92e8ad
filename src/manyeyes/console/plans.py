"""A proposal as its page lists it: settings, wordings, price and permit."""

from __future__ import annotations

from typing import Any

from manyeyes.cases.proposals import Proposal
from manyeyes.programs.targets import permit_of
from manyeyes.replays.evidence import setting_words
from manyeyes.runs.document import PlanDocument

KNOBS = {"temperature": "Temperature", "top_p": "Top-p", "max_tokens": "Token limit", "seed": "Seed"}


def shown(proposal: Proposal) -> dict[str, Any]:
    """What the page needs beside the proposal itself."""
    document = proposal.document
    return {
        "permit": permit_of(proposal.case.target),
        "grid": _grid(document) if document else [],
        "wordings": _wordings(document) if document else [],
        "price": _price(proposal),
    }


def knobs(trial: Any) -> list[tuple[str, Any]]:
    """The settings of one trial made by hand, those that were stated."""
    if trial is None:
        return []
    return [(label, trial.params[name]) for name, label in KNOBS.items() if trial.params.get(name) is not None]


def _grid(document: PlanDocument) -> list[dict[str, Any]]:
    scored = {cell.setting for cell in document.plan.cells}
    fixed: dict[str, int] = {}
    for row in document.plan.score:
        fixed[row.cell.setting] = fixed.get(row.cell.setting, 0) + row.n
    names = dict.fromkeys([*[cell.setting for cell in document.plan.cells], *fixed])
    rated = document.plan.rated.partition("/")[0]
    return [
        {
            "words": setting_words(document, name),
            "scored": name in scored,
            "fixed": fixed.get(name, 0),
            "rated": name == rated,
        }
        for name in names
    ]


def _wordings(document: PlanDocument) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cell in document.plan.cells:
        request = document.requests[cell.key]
        found.setdefault(request.wording, {"part": request.part, "text": request.asked})
    return list(found.values())


def _price(proposal: Proposal) -> str:
    """The most it can cost; empty where no price is known."""
    most = proposal.most_cost
    price = proposal.document.price if proposal.document else None
    return f"{most:.2f} {price.currency}" if most is not None and price is not None else ""
