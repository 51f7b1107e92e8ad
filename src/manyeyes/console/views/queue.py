"""The queue: what must be done next?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from manyeyes.cases import queue as work
from manyeyes.console.gate import team
from manyeyes.http import paged

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


def _groups(rows: list[work.Row]) -> list[tuple[str, str, str, list[Any]]]:
    """The rows of the page under their headings, empty headings left out."""
    found = [
        (name, label, HINTS[name], [row for row in rows if row.group == name]) for name, label in work.GROUPS.items()
    ]
    return [group for group in found if group[3]]
