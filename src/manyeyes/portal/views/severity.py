"""How severe is it? What the team says with its reasons, what the researcher says, and a word against a rating."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from manyeyes.cases import disputes, judgement
from manyeyes.cases.intake_report import BANDS
from manyeyes.portal.views.my import case_page, own_case
from manyeyes.rules.errors import Invalid


class OwnRatingForm(forms.Form):
    """The researcher's own rating."""

    band = forms.ChoiceField(label=_("How severe is it to you?"), choices=[(band, _(band)) for band in BANDS])
    vector = forms.CharField(
        label=_("A vector, if you have one"), required=False, max_length=disputes.VECTOR_LONGEST,
        help_text=_("CVSS v4 or MES; anything else goes into the reason."),
    )  # fmt: skip
    why = forms.CharField(label=_("Why"), required=False, widget=forms.Textarea(attrs={"rows": 3}), strip=False)


class DisputeForm(forms.Form):
    """A word against the rating."""

    text = forms.CharField(label=_("What the rating overlooks"), widget=forms.Textarea(attrs={"rows": 4}), strip=False)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def my_severity(request: HttpRequest, ref: str) -> HttpResponse:
    """Say how severe it is, or that the team's rating is wrong; both stay on record with the answers."""
    case = own_case(request, ref)
    disputing = request.POST.get("act") == "dispute"
    own = OwnRatingForm(request.POST if request.POST and not disputing else None)
    word = DisputeForm(request.POST if disputing else None)
    form = word if disputing else own
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if disputing:
                disputes.dispute(case, by=request.user, text=given["text"])
            else:
                disputes.say_own(case, by=request.user, band=given["band"], vector=given["vector"], why=given["why"])
            return redirect("portal:my_severity", ref=case.ref)
        except Invalid as error:
            for name, problem in error.fields.items():
                form.add_error(name if name in form.fields else None, problem)
    told = judgement.standing(case) if case.confirmed_at else None
    context = {
        "own_form": own, "dispute_form": word, "form": form, "told": told, "own": disputes.own(case),
        "said": disputes.said(case), "waits": disputes.waiting(case) is not None,
    }  # fmt: skip
    return case_page(request, case, "severity", context, status=422 if form.errors else 200)
