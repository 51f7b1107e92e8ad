"""What machines say of a report beside its replays, for the page of its case."""

from __future__ import annotations

from typing import Any

from django import template

from manyeyes.cases import preflight, signals
from manyeyes.cases.models import Case
from manyeyes.cases.preflight import Tried
from manyeyes.rules.signals import Signal

register = template.Library()

WHY = {
    "permit": "no permit that covers it",
    "production": "production without an approval",
    "hazard": "a hazard class that is not covered",
    "effects": "effects that may not happen there",
    "budget": "the budget of the day",
    "judge": "no judge that may read answers",
}


@register.simple_tag
def tried_on_arrival(case: Case) -> Tried | None:
    """`{% tried_on_arrival case as arrival %}`: the newest try, or None for a case from before there were any."""
    return preflight.tried([case]).get(case.pk)


@register.simple_tag
def reasons_to_look(case: Case, viewer: Any) -> list[Signal]:
    """`{% reasons_to_look case user as reasons %}`: the signals, as this viewer may read them."""
    return signals.of(case, viewer)


@register.filter
def refused_because(why: list[str]) -> str:
    """`{{ entry.data.why|refused_because }}`: the kinds of a refusal in words."""
    return ", ".join(WHY.get(one, one) for one in why)
