"""The fix and the end: what was deployed, when may we speak, what will the public read?"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.cases import access, disclosure, remediation, verification
from manyeyes.cases.models import Case
from manyeyes.console.forms import AdvisoryForm, DateForm, FixForm
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.publications import advisory as paper
from manyeyes.publications import credit
from manyeyes.publications.models import AdvisoryDraft
from manyeyes.rules.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@team
def fix_new(request: HttpRequest, ref: str) -> HttpResponse:
    """Record which version carries the fix."""
    case = desk_case(request, ref)
    form = FixForm(request.POST or None, case=case)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        version = case.target.versions.get(pk=given["version"])
        try:
            remediation.deploy_fix(case, by=request.user, version=version, kind=given["kind"], summary=given["summary"])
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {
        "case": case,
        "form": form,
        "versions": form.versions,
        "statements": [one for one in verification.statements(case) if one.fix.version_id],
        "add_version": reverse("console:program_add", args=[case.program.slug, "version"]),
    }
    return render(request, "console/fix_new.html", context, status=422 if form.errors else 200)


@require_POST
@team
def embargo(request: HttpRequest, ref: str) -> HttpResponse:
    """Propose a date to the researcher, accept theirs, or end the embargo in force."""
    case = desk_case(request, ref)
    action = request.POST.get("action")
    if action == "agree":
        seen = disclosure.proposal_seen(case, request.POST.get("proposal", ""))
        disclosure.agree(case, by=request.user, seen=seen)
    elif action == "end":
        disclosure.end_embargo(case, by=request.user)
    else:
        form = DateForm(request.POST)
        if not form.is_valid():
            raise Invalid(until=_("Give a date as year-month-day."))
        until = datetime.combine(form.cleaned_data["until"], time(14), tzinfo=UTC)
        disclosure.propose_embargo(case, by=request.user, until=until)
    return redirect("console:case", ref=case.ref)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def advisory(request: HttpRequest, ref: str) -> HttpResponse:
    """What will the public read? Draft, preview, publish."""
    case = desk_case(request, ref)
    form = AdvisoryForm(request.POST or None, initial=_written(case))
    if request.method == "POST" and form.is_valid():
        try:
            paper.draft(case, by=request.user, **form.cleaned_data)
            if request.POST.get("action") == "publish":
                done = paper.publish(case, by=request.user)
                messages.success(request, _("Published."))
                return redirect("portal:advisory", slug=done.slug)
            messages.success(request, _("Draft saved."))
            return redirect("console:advisory", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    return render(request, "console/advisory.html", _around(request, case, form), status=422 if form.errors else 200)


def _around(request: HttpRequest, case: Case, form: AdvisoryForm) -> dict[str, Any]:
    """The draft with what the platform adds to it, and what stands in its way."""
    return {
        "case": case,
        "form": form,
        "facts": paper.facts(case),
        # A draft is not missing: pressing "publish" stores what stands in the form first.
        "blocked": [one for one in paper.what_is_missing(case) if one != "a draft"],
        "embargo": disclosure.in_force(case),
        "published": getattr(case, "advisory", None),
        "credits": [(row, credit.byline(row)[0]) for row in credit.of_flaw(case)],
        "desk_publishes": bool(access.roles_in(request.user, case) & paper.PUBLISHERS),
    }


def _written(case: Case) -> dict[str, str]:
    row = AdvisoryDraft.objects.filter(case=case).first()
    names = ("title", "summary", "details", "advice")
    return {name: getattr(row, name) or "" for name in names} if row else {}
