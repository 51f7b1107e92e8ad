"""A replay that ended without an answer: how far should it go on, and what would that cost?"""

from __future__ import annotations

from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from manyeyes.cases import longer
from manyeyes.console.forms import LongerForm
from manyeyes.console.gate import team
from manyeyes.console.views.replay import desk_link
from manyeyes.rules.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@team
def go_on(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """What would a larger cap take? Then go on."""
    link = desk_link(request, replay_id)
    form = LongerForm(request.POST or None)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    wanted = chosen.get("request_id") or uuid4()
    going = longer.propose(link)
    try:
        if chosen:
            going = longer.propose(link, cap=chosen["cap"], max_calls=chosen["max_calls"])
        if chosen and request.POST.get("action") == "start":
            made = longer.request(
                link, by=request.user, cap=chosen["cap"], max_calls=chosen["max_calls"], request_id=wanted
            )
            return redirect("console:replay", replay_id=made.replay_id)
    except Invalid as error:
        form.refuse_all(error)
    if not form.is_bound:
        form = LongerForm(initial={"cap": going.document.plan.cap, "max_calls": going.document.caps.max_calls})
    context = {"link": link, "case": link.case, "going": going, "form": form, "request_id": wanted}
    return render(request, "console/longer.html", context, status=422 if form.errors else 200)
