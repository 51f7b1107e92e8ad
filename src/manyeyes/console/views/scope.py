"""The scope, line by line: what may be tested, in which versions, within which limits, and how testers show it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from manyeyes.console.gate import team
from manyeyes.console.policy_forms import ScopeForm
from manyeyes.console.views.policy import managed_program
from manyeyes.programs import policy, scope
from manyeyes.programs.models import Program, ScopeItem
from manyeyes.rules.errors import Conflict, Invalid


@require_safe
@team
def lines(request: HttpRequest, slug: str) -> HttpResponse:
    """All lines with their order."""
    found = managed_program(request, slug)
    items = found.scope.select_related("target", "program")
    context = {
        "program": found,
        "rows": [(item, scope.line_of(item)) for item in items],
        "pays": policy.editing(found).terms["pays"],
        "waits": scope.unpublished(found, found.policy),
        "here": "program",
    }
    return render(request, "console/scope.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def line(request: HttpRequest, slug: str, item_id: UUID | None = None) -> HttpResponse:
    """One line: change it, move it, take it out. Without an id a new one."""
    found = managed_program(request, slug)
    item = scope.line_for(found, item_id) if item_id else None
    if request.method != "POST":
        return _page(request, found, item, ScopeForm.of(item, found))
    act = request.POST.get("do", "save")
    if item is not None and act in ("up", "down"):
        scope.move_line(item, up=act == "up")
        return redirect("console:scope", slug=found.slug)
    if item is not None and act == "remove":
        scope.remove_line(item)
        messages.success(request, _("The line is gone. Published policies keep it."))
        return redirect("console:scope", slug=found.slug)
    return _save(request, found, item, ScopeForm(request.POST, program=found))


def _save(request: HttpRequest, found: Program, item: ScopeItem | None, form: ScopeForm) -> HttpResponse:
    if not form.is_valid():
        return _page(request, found, item, form, status=422)
    try:
        scope.save_line(found, item, revision=form.cleaned_data["revision"] or 0, **form.line(found))
    except Invalid as error:
        form.refuse_all(error)
        return _page(request, found, item, form, status=422)
    except Conflict as error:
        return _both(request, found, item, form, error)
    messages.success(request, _("The line is stored. It holds once the policy is published."))
    return redirect("console:scope", slug=found.slug)


def _both(
    request: HttpRequest, found: Program, item: ScopeItem | None, form: ScopeForm, error: Conflict
) -> HttpResponse:
    """Two people changed the line at once: theirs beside one's own, which stays in the fields."""
    stored = found.scope.select_related("target", "program").filter(pk=item.pk).first() if item else None
    theirs = ScopeForm.of(stored, found) if stored else None
    held = {**dict(form.data.items()), "revision": stored.revision if stored else 0}
    apart = [
        {"label": str(bound.label), "theirs": _shown(theirs, bound.name), "mine": _shown(form, bound.name)}
        for bound in (theirs or form)
        if not bound.is_hidden and theirs and _shown(theirs, bound.name) != _shown(form, bound.name)
    ]
    mine = ScopeForm(held, program=found)
    return _page(request, found, stored, mine, status=409, conflict=str(error), apart=apart)


def _shown(form: ScopeForm, name: str) -> str:
    """What a field holds, as its reader sees it."""
    value = form[name].value()
    choices: Any = getattr(form.fields[name], "choices", None)
    if choices is not None:
        return str(dict(choices).get(value or "", value or ""))
    return str(value if value is not None else "")


def _page(
    request: HttpRequest, found: Program, item: ScopeItem | None, form: ScopeForm, *, status: int = 200,
    conflict: str = "", apart: list[dict[str, str]] | None = None,
) -> HttpResponse:  # fmt: skip
    context = {
        "program": found,
        "item": item,
        "form": form,
        "conflict": conflict,
        "apart": apart or [],
        "pays": policy.editing(found).terms["pays"],
        "here": "program",
    }
    return render(request, "console/scope_line.html", context, status=status)
