"""A person's API tokens: made, shown once, listed with their last use, and ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.accounts import tokens
from manyeyes.portal.token_form import TokenForm
from manyeyes.portal.views.page import page
from manyeyes.rules.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def my_tokens(request: HttpRequest) -> HttpResponse:
    """What may my programs do for me? One that may take everything along is made as the page for that is reached."""
    if "export" in request.POST.getlist("scopes"):
        proved: HttpResponse = _proved(request)
        return proved
    return _my_tokens(request)


def _my_tokens(request: HttpRequest) -> HttpResponse:
    me: Any = request.user
    form = TokenForm(request.POST or None)
    made: str | None = None
    if request.method == "POST" and me.kind == "receipt":
        raise NotFound  # a receipt is exchanged over the API, for an hour
    if request.method == "POST" and form.is_valid():
        try:
            _row, made = tokens.issue(me, **form.asked())
            form = TokenForm()
        except Invalid as error:
            for name, problem in error.fields.items():
                form.add_error(name, problem)
    # The token is in this answer alone: a redirect would have to keep it somewhere in the clear.
    context = {"form": form, "made": made, "tokens": tokens.listed(me), "scopes": tokens.SCOPES, "here": "settings"}
    return page(request, "portal/tokens.html", context, 422 if form.errors else 201 if made else 200)


_proved = reauthentication_required(allow_get=False)(_my_tokens)


@require_POST
@login_required
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of them at once."""
    row = tokens.revoke(request.user, token_id)
    messages.success(request, _("“%(name)s” opens nothing any more.") % {"name": row.name})
    return redirect("portal:tokens")
