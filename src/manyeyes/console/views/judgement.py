"""Sign-off: do both disciplines agree with the rating?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from manyeyes.cases import signing
from manyeyes.cases.models import Case
from manyeyes.console.forms import SayForm, TeamForm
from manyeyes.console.gate import team
from manyeyes.console.signoff_form import DecisionForm, SignOffForm
from manyeyes.console.views.case import desk_case, show, version
from manyeyes.rules.errors import Invalid
from manyeyes.rules.signoff import DISCIPLINES


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
    given, was = form.cleaned_data, version(request)
    seen = case.ratings.filter(pk=given["rating"]).first() if given["rating"] else None
    if given["rating"] and seen is None:
        raise Invalid(rating=_("There is no such rating of this case. Look at the case again."))
    if isinstance(form, SignOffForm):
        signing.sign_off(
            case, by=request.user, discipline=form.discipline, agrees=given["agrees"] == "yes",
            assessment=form.assessment(), note=given["note"] or "", rating=seen, expected_version=was,
        )  # fmt: skip
    else:
        signing.override(case, by=request.user, note=given["note"] or "", rating=seen, expected_version=was)
