"""Sign-in of the team through the organisation's own OpenID provider: off to it, and back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from manyeyes.accounts import oidc
from manyeyes.http import within_limit
from manyeyes.portal.views.page import page

TRIES_PER_HOUR = 60


@require_POST
def begin(request: HttpRequest) -> HttpResponseBase:
    """Off to the provider."""
    try:
        return oidc.begin(request)
    except oidc.NoEntry as refused:
        return _no_entry(request, refused)


@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """Back from it: a member of a team is signed in, and asked for their second factor like everybody."""
    try:
        if not within_limit(request, "oidc", TRIES_PER_HOUR):
            raise oidc.NoEntry(_("Too many sign-ins from here. Wait an hour, or sign in with your password."))
        return oidc.finish(request)
    except oidc.NoEntry as refused:
        return _no_entry(request, refused)


def _no_entry(request: HttpRequest, refused: oidc.NoEntry) -> HttpResponse:
    return page(request, "portal/no_entry.html", {"why": refused.message}, 403)
