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
from django.views.decorators.http import require_POST, require_safe

from manyeyes.cases import queue as work
from manyeyes.cases import sleeping, triage
from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.http import PAGE_SIZE, paged
from manyeyes.rules import words
from manyeyes.rules.errors import Invalid, NotAllowed


class SelectedForm(TeamForm):
    """What to do with the ticked cases, and until when they sleep."""

    what = forms.ChoiceField(choices=[(name, name) for name in ("sleep", "wake", "assign")])
    until = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        """A sleep needs its day."""
        given = super().clean() or {}
        if given.get("what") == "sleep" and not given.get("until") and "until" not in self.errors:
            self.add_error("until", _("Give the day on which they are to be there again."))
        return given


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
    search = request.GET.get("q", "")
    desk = work.desk(request.user, view=request.GET.get("view", "all"), search=search)
    page = paged(request, desk.rows)
    context = {
        "desk": desk,
        "page": page,
        "groups": _groups(list(page.object_list)),
        "q": search,
        "total": desk.counts["all"] + desk.counts["ended"],
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
    done = [_one(request, desk_case(request, ref), form.cleaned_data) for ref in refs]
    messages.success(request, " ".join(done))
    view, place = request.POST.get("view", ""), reverse("console:queue")
    return redirect(f"{place}?{urlencode({'view': view})}" if view in work.FILTERS else place)


def _one(request: HttpRequest, case: Case, given: dict[str, Any]) -> str:
    """Do it to one case; what came of it, in words."""
    me, what = request.user, given["what"]
    try:
        if what == "assign":
            triage.assign(case, by=me, to=me)
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
