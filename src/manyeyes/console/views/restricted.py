"""Opening what is restricted in a case, one thing at a time; each opening is on record."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from manyeyes.cases import restricted
from manyeyes.cases.models import Case
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.rules.errors import NotFound

OPENED_HERE = {"report": "reports", "reproducer": "reproducers", "retest": "retests"}
"""What is shown on a page of its own → where its rows are."""


@require_http_methods(["GET", "HEAD", "POST"])
@team
def opened(request: HttpRequest, ref: str) -> HttpResponse:
    """What does it say? Asked for by a form alone, so that no link, reload or prefetch opens it."""
    case = desk_case(request, ref)
    if request.method != "POST":
        return redirect("console:case", ref=case.ref)
    what, __, which = request.POST.get("what", "").partition(":")
    row = _row(case, what, which)
    restricted.access_restricted(case, by=request.user, what=what, item=row.pk)
    context = {"case": case, "what": what, "thing": restricted.THINGS[what], "row": row}
    return render(request, "console/opened.html", context)


def _row(case: Case, what: str, which: str) -> Any:
    rows = getattr(case, OPENED_HERE[what]).all() if what in OPENED_HERE else []
    found = next((row for row in rows if str(row.pk) == which), None)
    if found is None:
        raise NotFound
    return found
