"""The page for whoever acted on a case that changed meanwhile: what they wanted beside what happened."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes.accounts.models import Person
from manyeyes.cases import choices, timeline
from manyeyes.cases.facts import newest_rating
from manyeyes.cases.models import Case
from manyeyes.rules.assessment import ASSESSMENTS
from manyeyes.rules.errors import Stale
from manyeyes.rules.lifecycle import MOVES, CloseReason, Status
from manyeyes.rules.signoff import DISCIPLINES

NOT_TYPED = frozenset({"csrfmiddlewaretoken", "version"})
IN_WORDS = frozenset({"words", "note", "text", "why"})
"""Fields of many lines: they stay open to be changed, for what is written may read differently now."""
LABELS = {
    "words": gettext_lazy("What the researcher reads"),
    "note": gettext_lazy("Hand-over note"),
    "reason": gettext_lazy("Reason"),
    "of": gettext_lazy("The other case"),
    "title": gettext_lazy("Title"),
    "to": gettext_lazy("To"),
    "discipline": gettext_lazy("For"),
    "text": gettext_lazy("Your words"),
    "agrees": gettext_lazy("The rating"),
    **{asked.name: asked.label for questions in ASSESSMENTS.values() for asked in questions},
}
ACTS = {
    "reassign": gettext_lazy("Give the case to somebody else"),
    "assign": gettext_lazy("Assign the case"),
    "severity": gettext_lazy("Rate the case"),
    "say": gettext_lazy("Write"),
    "respond": gettext_lazy("Write to the researcher"),
    "appeal": gettext_lazy("Answer the appeal"),
    "same_flaw": gettext_lazy("Close it because of another case"),
    "split": gettext_lazy("Split off a flaw"),
    "signoff": gettext_lazy("Sign off"),
}
WHILE_OPEN = frozenset({"severity", "quick", "signoff"})
"""Acts that a case which ended meanwhile does not take any more."""


def page(request: HttpRequest, case: Case, error: Stale, *, move: str = "") -> HttpResponse:
    """Both versions, with everything that was typed, and the same form again on the version that stands (409)."""
    happened = meanwhile(case, request.user, error.seen)
    here = request.resolver_match.url_name if request.resolver_match else ""
    offers = {offer.move.name: offer for offer in choices.offers(case, request.user)}
    ended = here in WHILE_OPEN and not Status(case.status).is_open
    context = {
        "case": case,
        "error": error,
        "act": MOVES[move].label if move in MOVES else ACTS.get(here or "", _("What you wanted")),
        "typed": _typed(request),
        "hidden": [(name, _now(case, name, value)) for name, value in _sent(request) if name not in IN_WORDS],
        "happened": happened,
        "before": next((entry.before for entry in happened if entry.before), ""),
        "over": ended or (bool(move) and move not in offers),
        "offer": offers.get(move),
        "again": request.get_full_path(),
    }
    return render(request, "console/stale.html", context, status=409)


def meanwhile(case: Case, viewer: Any, seen: int) -> list[timeline.Entry]:
    """What happened to the case since the version that somebody saw, from the first change on, oldest first."""
    found = timeline.entries(case, viewer)
    newer = (place for place, entry in enumerate(found) if entry.data.get("version", 0) > seen)
    return found[next(newer, max(0, len(found) - 1)) :]


def _sent(request: HttpRequest) -> list[tuple[str, str]]:
    rows = [(name, str(value)) for name in request.POST for value in request.POST.getlist(name)]
    return [(name, value) for name, value in rows if name not in NOT_TYPED]


def _now(case: Case, name: str, value: str) -> str:
    """What is sent again for a field: a word on the rating is one on the rating that stands now, which is shown."""
    standing = newest_rating(case) if name == "rating" and value else None
    return str(standing.pk) if standing is not None else value


def _typed(request: HttpRequest) -> list[dict[str, Any]]:
    """Every field that says something, with its label; what was written in words, and what was chosen in words."""
    return [
        {"name": name, "label": LABELS.get(name, name.replace("_", " ")), "value": value,
         "words": _in_words(name, value), "open": name in IN_WORDS}
        for name, value in _sent(request)
        if value.strip() and name != "rating"
    ]  # fmt: skip


def _in_words(name: str, value: str) -> str:
    if name == "reason" and value in set(CloseReason):
        return CloseReason(value).words
    if name == "discipline":
        return str(DISCIPLINES.get(value, value))
    choices_of = {asked.name: dict(asked.choices) for questions in ASSESSMENTS.values() for asked in questions}
    if name in choices_of:
        return str(choices_of[name].get(value, value))
    if name == "agrees":
        return _("I agree with the rating") if value == "yes" else _("I do not agree")
    if name in ("to", "person"):
        try:
            return Person.objects.get(pk=value).name
        except (Person.DoesNotExist, ValidationError):
            return value
    return value
