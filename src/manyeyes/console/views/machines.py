"""Machines: what may attack which target on whose word, how far reports are tried on arrival, which model may judge."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from manyeyes.console.gate import team
from manyeyes.console.machine_forms import JudgeForm, PreflightForm
from manyeyes.console.views.program import manages, own_program
from manyeyes.programs import judges, preflight, targets
from manyeyes.programs.models import Program
from manyeyes.programs.permitted import JudgeAllowance, Permit
from manyeyes.rules.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@team
def machines(request: HttpRequest, slug: str) -> HttpResponse:
    """What may machines do here?"""
    found = own_program(request, slug)
    if request.method != "POST":
        return _page(request, found)
    action = request.POST.get("action", "")
    if action == "approve":
        targets.approve(_permit(found, request.POST.get("permit", "")), by=request.user)
    elif action == "end":
        judges.end(_judge(found, request.POST.get("judge", "")), by=request.user)
    elif action in ("rules", "judge"):
        return _changed(request, found, action)
    else:
        raise Http404
    return redirect("console:machines", slug=found.slug)


def _changed(request: HttpRequest, found: Program, action: str) -> HttpResponse:
    form = PreflightForm(request.POST, program=found) if action == "rules" else JudgeForm(request.POST, program=found)
    if form.is_valid():
        try:
            if action == "rules":
                preflight.set_rules(found, by=request.user, **form.cleaned_data)
            else:
                given = form.cleaned_data
                judges.allow(given["version"], by=request.user, hazard_classes=given["hazard_classes"])
            return redirect("console:machines", slug=found.slug)
        except Invalid as error:
            form.refuse_all(error)
    return _page(request, found, 422, **{"rules_form" if action == "rules" else "judge_form": form})


def _page(request: HttpRequest, found: Program, status: int = 200, **more: Any) -> HttpResponse:
    rows = Permit.objects.filter(target__program=found).select_related(
        "target", "granted_by", "budget_owner", "approved_by"
    )
    context = {
        "program": found,
        "permits": [(row, targets.may_approve(row, request.user)) for row in rows],
        "rules": preflight.rules_of(found),
        "judges": judges.allowed(found),
        "manages": manages(request, found),
        "rules_form": PreflightForm(program=found),
        "judge_form": JudgeForm(program=found),
        "here": "program",
        **more,
    }
    return render(request, "console/machines.html", context, status=status)


def _permit(found: Program, typed: str) -> Permit:
    row = Permit.objects.filter(target__program=found, pk=_uuid(typed)).first()
    if row is None:
        raise NotFound
    return row


def _judge(found: Program, typed: str) -> JudgeAllowance:
    row = JudgeAllowance.objects.filter(program=found, pk=_uuid(typed)).select_related("program").first()
    if row is None:
        raise NotFound
    return row


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise NotFound from None
