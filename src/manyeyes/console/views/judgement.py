"""Severity and sign-off: how bad is it, metric by metric, and do both disciplines agree?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.cases import judgement, severity, signing
from manyeyes.cases.models import Case
from manyeyes.console.forms import RatingForm, SayForm, TeamForm
from manyeyes.console.gate import team
from manyeyes.console.signoff_form import DecisionForm, SignOffForm
from manyeyes.console.views.case import desk_case, show
from manyeyes.console.views.case import version as _version
from manyeyes.rules import severity as rubric
from manyeyes.rules.errors import Invalid
from manyeyes.rules.signoff import DISCIPLINES


@require_http_methods(["GET", "HEAD", "POST"])
@team
def rate(request: HttpRequest, ref: str) -> HttpResponse:
    """Letters with reasons; how often it works is measured and never typed."""
    case = desk_case(request, ref)
    start = severity.prefill(case)
    form = RatingForm(request.POST or None, letters=dict(start.letters), reasons=dict(start.reasons))
    if request.method == "POST" and form.is_valid():
        try:
            severity.rate(
                case, by=request.user, letters=form.letters(), reasons=form.reasons(), why=form.cleaned_data["why"],
                expected_version=_version(request),
            )  # fmt: skip
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            for name, problem in error.fields.items():
                place = f"why_{name}" if f"why_{name}" in form.fields and name in form.letters() else name
                form.add_error(place if place in form.fields else None, problem)
    standing = judgement.standing(case)
    context = {
        "case": case,
        "form": form,
        "start": start,
        "standing": standing,
        "groups": form.groups(),
        "curve": rubric.curve(standing.rating.vector) if standing else (),
    }
    return render(request, "console/severity.html", context, status=422 if form.errors else 200)


@require_POST
@team
def sign_off(request: HttpRequest, ref: str) -> HttpResponse:
    """One discipline's word on the rating the signer saw, or the manager's decision."""
    case = desk_case(request, ref)
    discipline = request.POST.get("discipline", "")
    if discipline not in DISCIPLINES and discipline != "manager":
        raise Invalid(discipline=_("Choose security or ML."))
    decides = discipline == "manager"
    form = DecisionForm(request.POST) if decides else SignOffForm(request.POST, discipline=discipline)
    if form.is_valid():
        try:
            _sign(request, case, form)
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    return show(request, case, SayForm(), status=422, **{"decision_form" if decides else "refused_word": form})


def _sign(request: HttpRequest, case: Case, form: TeamForm) -> None:
    given = form.cleaned_data
    seen = case.ratings.filter(pk=given["rating"]).first() if given["rating"] else None
    if given["rating"] and seen is None:
        raise Invalid(rating=_("There is no such rating of this case. Look at the case again."))
    if isinstance(form, SignOffForm):
        signing.sign_off(
            case, by=request.user, discipline=form.discipline, agrees=given["agrees"] == "yes",
            assessment=form.assessment(), note=given["note"] or "", rating=seen,
        )  # fmt: skip
    else:
        signing.override(case, by=request.user, note=given["note"] or "", rating=seen)
