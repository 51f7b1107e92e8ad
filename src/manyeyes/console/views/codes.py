"""Which codes of public catalogues does the case carry? Suggested from its kind, searched, chosen by a person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from manyeyes.cases import codes as stage
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.programs import editions
from manyeyes.rules import catalogue
from manyeyes.rules.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@team
def codes(request: HttpRequest, ref: str) -> HttpResponse:
    """What is on the case, what its kind suggests, and a search through every newest edition."""
    case = desk_case(request, ref)
    problem = ""
    if request.method == "POST":
        try:
            if request.POST.get("off"):
                stage.take_off(case, by=request.user, code=request.POST["off"])
            elif request.POST.getlist("codes"):
                stage.put(case, by=request.user, codes=request.POST.getlist("codes"))
            else:
                raise Invalid(codes=_("Choose a code."))
            return redirect("console:codes", ref=case.ref)
        except Invalid as error:
            problem = " ".join(error.fields.values())
    asked = request.GET.get("q", "")[:100]
    rows = editions.newest()
    context = {
        "case": case,
        "chosen": stage.chosen(case),
        "suggested": stage.suggestions(case),
        "q": asked,
        "found": catalogue.search(asked, rows),
        "catalogues": rows,
        "problem": problem,
    }
    return render(request, "console/codes.html", context, status=422 if problem else 200)
