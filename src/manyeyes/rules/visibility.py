"""What each side sees of an event: the researcher sees public acts, without cost, assignments and internal names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEAM_ONLY = frozenset(
    {"assigned", "assigned.by_rule", "assigned.relieved", "owner_assigned", "signed_off", "root_cause.concluded"}
)
"""Kinds that stay inside whatever their flag says: who works on it, what the disciplines wrote, cause experiments."""

OUTSIDE_FIELDS = frozenset(
    {
        "before", "after", "reason", "message", "attachment", "reproducer", "reproduction", "retest", "advisory",
        "replay", "purpose", "mode", "fix", "verdict", "n", "k", "agrees", "until", "side", "target_version",
        "vector", "sec", "saf", "bundle", "split",
    }
)  # fmt: skip
"""Fields of an event that may cross to the researcher. A new field stays inside until it is added here."""


def shown_to_researcher(kind: str, public: bool) -> bool:
    """Whether the researcher sees the event at all; what a family does never, for it speaks of other reporters."""
    return public and kind not in TEAM_ONLY and not kind.startswith("family.")


def fields_for_researcher(kind: str, public: bool, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of an event as the researcher may see them; None for an event that stays inside."""
    if not shown_to_researcher(kind, public):
        return None
    return {name: value for name, value in data.items() if name in OUTSIDE_FIELDS}


def result_for_researcher(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without what it cost and without the addresses that were called.

    >>> result_for_researcher({"n": 3, "cost": 1.5, "currency": "EUR", "target": {"url": "https://x", "label": "v1"}})
    {'n': 3, 'target': {'label': 'v1'}}
    """
    kept = {name: value for name, value in result.items() if name not in ("cost", "currency")}
    for target in ("target", "old_target"):
        if isinstance(kept.get(target), Mapping):
            kept[target] = {name: value for name, value in kept[target].items() if name != "url"}
    return kept


def name_outside(name: str) -> str:
    """A team member's name as the researcher sees it: first name and initial.

    >>> name_outside("Theo van Lindt"), name_outside("Mina A."), name_outside("Olga")
    ('Theo L.', 'Mina A.', 'Olga')
    """
    first, *others = name.split() or [""]
    return f"{first} {others[-1][0].upper()}." if others else first
