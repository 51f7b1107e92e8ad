"""How bad is it? Letter by letter with reasons, or in a minute by five plain answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from manyeyes.cases import disputes, judgement, raters, rescoring, severity
from manyeyes.charts.retries import RetryPoint, retry_curve
from manyeyes.console.gate import team
from manyeyes.console.rating_form import BlindForm, DecisionOnScoreForm, DisputeAnswerForm, QuickForm, RatingForm
from manyeyes.console.views.case import desk_case
from manyeyes.console.views.case import version as _version
from manyeyes.rules import crosswalk, five
from manyeyes.rules import severity as scale
from manyeyes.rules.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@team
def rate(request: HttpRequest, ref: str) -> HttpResponse:
    """Letters with reasons; how often it works is measured and never typed."""
    case = desk_case(request, ref)
    start = severity.prefill(case)
    form = RatingForm(request.POST or None, start=start)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            severity.rate(
                case, by=request.user, letters=form.letters(), reasons=form.reasons(), why=given["why"],
                tries=given["tries"], tries_source=given["tries_source"], in_service=given["in_service"],
                cvss=form.beside(), expected_version=_version(request),
            )  # fmt: skip
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    standing = judgement.standing(case)
    context = {
        "case": case,
        "form": form,
        "start": start,
        "standing": standing,
        "groups": form.groups(),
        "quick_fits": five.fits(start.rubric),
        **(_explained(standing.rating) if standing else {}),
    }
    return render(request, "console/severity.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def quick(request: HttpRequest, ref: str) -> HttpResponse:
    """Five questions: a look at the band first, then the rating."""
    case = desk_case(request, ref)
    start = severity.prefill(case)
    form = QuickForm(request.POST or None, start=start)
    found = None
    if request.method == "POST" and form.is_valid():
        try:
            found = five.assess(
                form.answers(), observed=start.observed, retry_budget=start.retry_budget, rubric=start.rubric
            )
            if request.POST.get("action") == "rate":
                severity.rate_quickly(
                    case, by=request.user, answers=form.answers(), why=form.cleaned_data["why"],
                    expected_version=_version(request),
                )  # fmt: skip
                return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {"case": case, "form": form, "start": start, "found": found, "standing": judgement.standing(case)}
    return render(request, "console/quick.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def blind(request: HttpRequest, ref: str) -> HttpResponse:
    """One's own letters before a rating is on the case; they are compared, and never shown there."""
    case = desk_case(request, ref)
    form = BlindForm(request.POST or None, start=severity.prefill(case))
    if request.method == "POST" and form.is_valid():
        try:
            raters.rate_blind(case, by=request.user, letters=form.cleaned_data)
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {
        "case": case,
        "form": form,
        "done": raters.has_rated(case, request.user),
        "late": judgement.standing(case) is not None,
    }
    return render(request, "console/blind.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def proposed(request: HttpRequest, ref: str, rescoring_id: UUID) -> HttpResponse:
    """New evidence would change the score: take it or not, with a reason."""
    case = desk_case(request, ref)
    row = rescoring.one(case, rescoring_id)
    form = DecisionOnScoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        rescoring.decide(row, by=request.user, accept=given["accept"] == "yes", why=given["why"])
        return redirect("console:case", ref=case.ref)
    context = {"case": case, "form": form, "row": row}
    return render(request, "console/proposed.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def disputed(request: HttpRequest, ref: str, dispute_id: UUID) -> HttpResponse:
    """What the researcher says against the rating, and the answer of a person who did not make it."""
    case = desk_case(request, ref)
    row = disputes.one(case, dispute_id)
    form = DisputeAnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        disputes.answer(row, by=request.user, text=given["text"], will_change=given["will_change"] == "yes")
        return redirect("console:severity" if given["will_change"] == "yes" else "console:case", ref=case.ref)
    context = {"case": case, "form": form, "row": row, "own": disputes.own(case), "mine": row.rating.by == request.user}
    return render(request, "console/disputed.html", context, status=422 if form.errors else 200)


def _explained(rating: Any) -> dict[str, Any]:
    """The rating that stands: the curve over the tries, and what it would be called elsewhere."""
    vector = rating.parsed
    return {
        "curve": scale.curve(vector),
        "drawn": _curve(vector),
        "elsewhere": crosswalk.suggested(rating.score, vector),
        "cvss_start": crosswalk.cvss_letters(vector),
    }


def _curve(vector: scale.Vector) -> Any:
    if vector.observed is None or not vector.observed[0]:
        return None
    low, high = scale.wilson(*vector.observed)
    points = [
        RetryPoint(tries=tries, low=scale.at_tries(low, tries), high=scale.at_tries(high, tries))
        for tries in sorted({*vector.rubric.curve, vector.tries})
    ]
    return retry_curve(points, [(row.band, row.least) for row in vector.rubric.reliability], vector.tries)
