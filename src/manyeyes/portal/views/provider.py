"""Sign-in of the team through the organisation's own OpenID provider: off to it, and back."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from manyeyes.accounts import oidc
from manyeyes.http import within_limit
from manyeyes.portal.views.page import page
from manyeyes.rules.errors import NotFound

TRIES_PER_HOUR = 60
BACK = "/sign-in/provider/back/"


@require_POST
def begin(request: HttpRequest) -> HttpResponseBase:
    """Off to the provider."""
    if not oidc.is_on():
        raise NotFound
    try:
        begun = oidc.begin(settings.MANYEYES_BASE_URL + BACK)
    except oidc.NoEntry as refused:
        return _no_entry(request, refused)
    request.session[oidc.SLOT] = begun.kept
    return HttpResponseRedirect(begun.address)


@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """Back from it: a member of a team is signed in, and asked for their second factor like everybody."""
    if not oidc.is_on():
        raise NotFound
    kept = request.session.pop(oidc.SLOT, None)
    given = request.GET
    try:
        if not within_limit(request, "oidc", TRIES_PER_HOUR):
            kept = None
        callback = settings.MANYEYES_BASE_URL + BACK
        person = oidc.finish(kept, state=given.get("state", ""), code=given.get("code", ""), callback=callback)
    except oidc.NoEntry as refused:
        return _no_entry(request, refused)
    answer: HttpResponseBase = perform_login(request, person, email_verification="none")
    return answer


def _no_entry(request: HttpRequest, refused: oidc.NoEntry) -> HttpResponse:
    return page(request, "portal/no_entry.html", {"why": refused.message}, 403)
