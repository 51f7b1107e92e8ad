"""What needs me today? The page that the mail of the morning leads to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from manyeyes.cases import digests, queue
from manyeyes.console.gate import team


@require_safe
@team
def today(request: HttpRequest) -> HttpResponse:
    """The cases in groups by the reason, each once, with the clock that ends next."""
    groups = [(group, queue.rows(group.cases)) for group in digests.today(request.user)]
    return render(request, "console/today.html", {"groups": groups, "here": "queue"})
