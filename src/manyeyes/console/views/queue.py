"""The queue: what must be done next?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from manyeyes.cases import assignment, lists, preflight, saved, sleeping
from manyeyes.cases import queue as work
from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.http import PAGE_SIZE, paged_far
from manyeyes.rules import clock, severity, taxonomy, words
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import Status


class SelectedForm(TeamForm):
    """What to do with the ticked cases, and until when they sleep."""

    what = forms.ChoiceField(choices=[(name, name) for name in ("sleep", "wake", "assign", "together", "group")])
    until = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        """A sleep needs its day."""
        given = super().clean() or {}
        if given.get("what") == "sleep" and not given.get("until") and "until" not in self.errors:
            self.add_error("until", _("Give the day on which they are to be there again."))
        return given


FACETS = ("kind", "target", "status", "band", "origin", "arrival")
ORIGINS = (
    ("outside", gettext_lazy("outside")),
    ("staff", gettext_lazy("staff")),
    ("red_team", gettext_lazy("red team")),
)
HINTS = {
    "answer": "promised in calendar hours",
    "team": "an answer, a replay, a sign-off or a decision",
    "wait": "the researcher, an owner or a replay",
    "ended": "nothing is owed",
}


@require_safe
@team
def queue(request: HttpRequest) -> HttpResponse:
    """The cases of one view, the most urgent first, with counts that equal their lists."""
    search, sort = request.GET.get("q", ""), request.GET.get("sort", "")
    facets = lists.Facets(**{name: request.GET.get(name, "") for name in FACETS})
    desk = work.desk(request.user, view=request.GET.get("view", "all"), search=search, sort=sort, facets=facets)
    page = paged_far(request, desk.rows, counted=lists.COUNTED)
    context = {
        "desk": desk,
        "page": page,
        "groups": _groups(list(page.object_list)),
        "q": search,
        "total": desk.counts["all"] + desk.counts["ended"],
        "facets": facets,
        "choices": _choices(request.user, facets, sort),
        "saved": saved.listed(request.user),
        "query": request.GET.urlencode(),
        "opened": clock.now().isoformat(),
        "program_url": reverse("console:program"),
        "here": "queue",
    }
    return render(request, "console/queue.html", context)


@require_POST
@team
def selected(request: HttpRequest) -> HttpResponse:
    """Do one thing with the cases that were ticked: assign them to me, let them sleep, or wake them."""
    form = SelectedForm(request.POST)
    refs = list(dict.fromkeys(request.POST.getlist("case")))[:PAGE_SIZE]
    if not form.is_valid():
        raise Invalid({name: str(problems[0]) for name, problems in form.errors.items()})
    if not refs:
        raise Invalid(case=_("Tick at least one case: x ticks the one you are on."))
    if form.cleaned_data["what"] in ("together", "group"):
        page = reverse(f"console:{form.cleaned_data['what']}")
        return redirect(f"{page}?{urlencode([('case', ref) for ref in refs])}")
    done = [_one(request, desk_case(request, ref), form.cleaned_data) for ref in refs]
    messages.success(request, " ".join(done))
    view, place = request.POST.get("view", ""), reverse("console:queue")
    return redirect(f"{place}?{urlencode({'view': view})}" if view in lists.FILTERS else place)


def _choices(viewer: Any, facets: lists.Facets, sort: str) -> list[tuple[str, Any, str, list[tuple[str, Any]]]]:
    """(field, label, what is chosen, what there is to choose) of everything a list is narrowed and sorted by."""
    return [
        ("kind", _("Kind"), facets.kind, [(kind.code, kind.name) for kind in taxonomy.KINDS.values()]),
        ("target", _("Target"), facets.target, [(str(pk), name) for pk, name in lists.targets_of(viewer)]),
        ("status", _("Status"), facets.status, [(str(one), words.status_words(one)) for one in Status]),
        ("band", _("Severity"), facets.band, [(one, one) for one in reversed(severity.BANDS)]),
        ("origin", _("From"), facets.origin, list(ORIGINS)),
        ("arrival", _("On arrival"), facets.arrival, list(preflight.FACETS.items())),
        ("sort", _("Order"), sort, [(name, label) for name, (label, _by) in lists.SORTS.items()]),
    ]


def _one(request: HttpRequest, case: Case, given: dict[str, Any]) -> str:
    """Do it to one case; what came of it, in words."""
    me, what = request.user, given["what"]
    try:
        if what == "assign":
            assignment.take(case, by=me)
            return _("%(ref)s is yours.") % {"ref": case.ref}
        if what == "wake":
            sleeping.wake(case, by=me)
            return _("%(ref)s is awake.") % {"ref": case.ref}
        row = sleeping.sleep(case, by=me, until=given["until"])
        return _("%(ref)s sleeps until %(day)s.") % {"ref": case.ref, "day": words.time_words(row.until)}
    except NotAllowed as refused:
        return f"{case.ref}: {refused.message}"


def _groups(rows: list[work.Row]) -> list[tuple[str, str, str, list[Any]]]:
    """The rows of the page under their headings, empty headings left out."""
    found = [
        (name, label, HINTS[name], [row for row in rows if row.group == name]) for name, label in work.GROUPS.items()
    ]
    return [group for group in found if group[3]]
