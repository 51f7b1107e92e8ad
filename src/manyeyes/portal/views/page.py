"""Renders a page of the portal with what each of them shows: the program whose site this is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from manyeyes.programs.access import sees, visible_to
from manyeyes.programs.models import Program


def page(request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """The page, headed by its program; where none is named, by the one that the reader may see, if it is one."""
    known = context.get("program") or the_program(request)
    shown = {**context, "program": known, "may_see_program": known is not None and sees(request.user, known)}
    return render(request, template, shown, status=status)


def the_program(request: HttpRequest) -> Program | None:
    """The program of a site that shows this reader exactly one."""
    found = list(visible_to(request.user)[:2])
    return found[0] if len(found) == 1 else None
