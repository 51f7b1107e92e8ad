"""The queue: what must be done next?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from manyeyes.cases import queue as work
from manyeyes.console.gate import team
from manyeyes.http import paged


@require_GET
@team
def queue(request: HttpRequest) -> HttpResponse:
    """The cases of one view, the most urgent first, with counts that equal their lists."""
    chosen = request.GET.get("view", "all")
    desk = work.desk(request.user, view=chosen, search=request.GET.get("q", ""))
    context = {"desk": desk, "page": paged(request, desk.rows), "chosen": chosen, "q": request.GET.get("q", "")}
    return render(request, "console/queue.html", context)
