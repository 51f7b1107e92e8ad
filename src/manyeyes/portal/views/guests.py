"""The answer to an invitation to a program that is not public."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from manyeyes.http import may_try
from manyeyes.portal.views.page import page
from manyeyes.programs import guests
from manyeyes.rules.errors import NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def guest(request: HttpRequest, secret: str) -> HttpResponse:
    """Do I take part? Tells who asks; the rules are read once the answer is yes."""
    if not may_try(request, "join", times=2):
        raise NotFound
    row = guests.by_link(secret, request.user)
    if row.accepted_at is not None:
        return redirect("portal:program", slug=row.program.slug)
    if request.method == "POST" and request.user.is_authenticated:
        return redirect("portal:program", slug=guests.accept(row, by=request.user).slug)
    if not request.user.is_authenticated:
        request.session["invited"] = True  # an account may be made, even where that is closed to the public
    context = {"program": None, "asking": row.program, "until": row.invited_at + guests.LASTS}
    return page(request, "portal/guest.html", context)
