"""The door of the console: signed in, member of a team, second factor set up; to everybody else nothing is here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from manyeyes.cases import access
from manyeyes.console import stale
from manyeyes.programs.access import programs_of
from manyeyes.rules.errors import NotFound, Stale

View = Callable[..., HttpResponseBase]


def team(view: View) -> View:
    """Only members of a team get further; others are told the same as about an address that does not exist.

    Whoever acts on a case that changed meanwhile gets both versions in place of a refusal.
    """

    @functools.wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not programs_of(request.user).exists():
            raise NotFound
        if settings.MANYEYES_REQUIRE_MFA and not is_mfa_enabled(request.user):
            messages.info(request, _("People on a team set up a second factor before they see cases."))
            return redirect("mfa_index")
        try:
            return view(request, *args, **kwargs)
        except Stale as error:
            if request.method != "POST" or "ref" not in kwargs:
                raise
            case = access.case_for(request.user, kwargs["ref"])
            return stale.page(request, case, error, move=kwargs.get("name", ""))

    return gated
