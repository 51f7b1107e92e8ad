"""Many cases at once, lists to come back to, and word of what an open page does not show yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from manyeyes.cases import lists, many, saved
from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm, words
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TEAM_CLOSE_REASONS

DOINGS = (
    ("accept", gettext_lazy("Take into work")),
    ("reply", gettext_lazy("Reply")),
    ("close", gettext_lazy("Close")),
)


class TogetherForm(TeamForm):
    """What to do with all of them, and the words that each researcher reads."""

    do = forms.ChoiceField(choices=DOINGS)
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), required=False)
    words = words(
        gettext_lazy("What each researcher reads"),
        gettext_lazy("{researcher}, {ref}, {target} and {status} are filled in for each."),
        rows=7,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = [("", _("Choose a reason")), *((str(one), one.words) for one in TEAM_CLOSE_REASONS)]
        self.fields["reason"].choices = reasons  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Words are needed but for taking into work, a reason for closing."""
        given = super().clean() or {}
        if given.get("do") in ("reply", "close") and not (given.get("words") or "").strip():
            self.add_error("words", _("Please fill this in."))
        if given.get("do") == "close" and not given.get("reason"):
            self.add_error("reason", _("Choose a reason."))
        return given


@require_http_methods(["GET", "HEAD", "POST"])
@team
def together(request: HttpRequest) -> HttpResponse:
    """Read what the law allows of each ticked case and who reads what, then do it."""
    asked = request.POST if request.method == "POST" else request.GET
    refs = list(dict.fromkeys(asked.getlist("case")))[: many.MOST]
    cases = [desk_case(request, ref) for ref in refs]
    if not cases:
        return redirect("console:queue")
    form = TogetherForm(request.POST if request.method == "POST" else None)
    came: list[many.Came] = []
    if request.method == "POST" and form.is_valid():
        try:
            came = _done(request, cases, form.cleaned_data)
        except Invalid as error:
            form.refuse_all(error)
    if came and all(one.done for one in came):
        messages.success(request, _("Done in %(n)d cases.") % {"n": len(came)})
        return redirect("console:queue")
    if came:  # what was refused may have been changed by somebody else
        cases = [desk_case(request, ref) for ref in refs]
    rows = many.ahead(cases, by=request.user)
    context = {"form": form, "rows": rows, "came": came, "opened": clock.now().isoformat(), "here": "queue"}
    return render(request, "console/together.html", context, status=422 if form.errors else 200)


@require_POST
@team
def save_list(request: HttpRequest) -> HttpResponse:
    """Keep the list that is open under a name."""
    query = request.POST.get("query", "")[:2000]
    row = saved.save(request.user, name=request.POST.get("name", "")[:200], query=query)
    messages.success(request, _("Kept as “%(name)s”.") % {"name": row.name})
    return redirect(f"{reverse('console:queue')}?{row.query}")


@require_POST
@team
def forget_list(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Forget a list."""
    saved.remove(request.user, list_id)
    return redirect("console:queue")


@require_safe
@team
def news(request: HttpRequest) -> HttpResponse:
    """How many cases somebody else changed since the page was made: a line with a link, or nothing."""
    since = _moment(request.GET.get("since", ""))
    found = lists.news(request.user, since=since) if since is not None else 0
    return render(request, "parts/desk/news.html", {"found": found, "most": lists.COUNTED})


def _done(request: HttpRequest, cases: list[Case], given: dict[str, Any]) -> list[many.Came]:
    seen = {case.ref: _version(request, case.ref) for case in cases}
    if given["do"] == "accept":
        return many.accept(cases, by=request.user, seen=seen)
    if given["do"] == "close":
        return many.close(cases, by=request.user, seen=seen, reason=given["reason"], words=given["words"])
    since = _moment(request.POST.get("opened", "")) or clock.now()
    return many.reply(cases, by=request.user, since=since, words=given["words"])


def _version(request: HttpRequest, ref: str) -> int:
    told = request.POST.get(f"version_{ref}", "")
    return int(told) if told.isdecimal() and len(told) < 9 else 0  # a page that names none has seen nothing


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text[:40])
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
