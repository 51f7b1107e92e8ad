"""Pages that show restricted content: closed at first, opened by a deliberate act, which is on record."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from manyeyes.cases import access, restricted
from manyeyes.cases.models import Case
from manyeyes.console.gate import View, team
from manyeyes.rules.errors import NotFound

STAYS_OPEN = 900
"""Seconds for which a page of many parts stays open to whoever opened it, in their session."""


def opened_first(what: str, *, stays: bool = True) -> Callable[[View], View]:
    """The view behind a closed page, where its case is restricted. Without `stays` each look is an opening."""

    def around(view: View) -> View:
        @functools.wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            case, item = _case_of(request, kwargs)
            place = f"{what}:{item}"
            declines = restricted.declined(request.user, case)
            held_open = stays and not declines and request.session.get("opened", {}).get(place, 0) > time.time()
            if not case.hazard or held_open:
                return view(request, *args, **kwargs)
            if request.method != "POST" or request.POST.get("open") != what:
                context = {"case": case, "what": what, "thing": restricted.THINGS[what],
                           "may_open": restricted.may_open(request.user, case), "declines": declines}  # fmt: skip
                return render(request, "console/closed.html", context)
            restricted.access_restricted(case, by=request.user, what=what, item=item)
            if not stays:
                return view(request, *args, **kwargs)
            held = {name: until for name, until in request.session.get("opened", {}).items() if until > time.time()}
            request.session["opened"] = {**held, place: int(time.time()) + STAYS_OPEN}
            return redirect(request.get_full_path())

        return team(gated)

    return around


def _case_of(request: HttpRequest, place: dict[str, Any]) -> tuple[Case, str]:
    """The case that an address speaks of, with the id of what it shows. Raises NotFound, as the view would."""
    if "replay_id" in place:
        link = access.reproduction_for(request.user, place["replay_id"])
        case, item = link.case, str(link.replay_id)
    elif "file_id" in place:
        row = access.attachment_for(request.user, place["file_id"])
        case, item = row.case, str(row.pk)
    else:
        case = access.case_for(request.user, place["ref"])
        item = str(case.pk)
    if not access.sees_inside(request.user, case):
        raise NotFound
    return case, item
