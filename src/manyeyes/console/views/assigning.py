"""Who works on it: taking a case, giving it to somebody else with a note, naming the owner of the fix."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.accounts.models import Person
from manyeyes.cases import access, assignment, triage
from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm, words
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case, owners, version
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import TRIAGERS


class HandOverForm(TeamForm):
    """To whom the case goes, for what, and what they should know."""

    discipline = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=(
            ("", gettext_lazy("the case as a whole")),
            ("security", gettext_lazy("security")), ("ml", gettext_lazy("ML")),
        ),
        required=False,
    )  # fmt: skip
    to = forms.ChoiceField(label=gettext_lazy("To"), error_messages={"required": gettext_lazy("Choose somebody.")})
    note = words(
        gettext_lazy("Hand-over note"),
        gettext_lazy("What you know and what comes next. For the team; needed when somebody has it already."), rows=5,
    )  # fmt: skip

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [(str(one.person.pk), f"{one.person.name}: {one.words}") for one in assignment.choices(case)]
        self.fields["to"].choices = [("", _("Choose somebody")), *found]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@team
def reassign(request: HttpRequest, ref: str) -> HttpResponse:
    """Who should work on it, and what should they know?"""
    case = desk_case(request, ref)
    may = bool(access.roles_in(request.user, case) & TRIAGERS)
    if request.method == "POST" and not may:
        raise NotAllowed(_("Assign the case: this belongs to the triagers and the program manager."))
    start = {"discipline": request.GET.get("discipline", "")}
    form = HandOverForm(request.POST if request.method == "POST" else None, case=case, initial=start)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            to = Person.objects.get(pk=given["to"])
            assignment.give(
                case, by=request.user, to=to, discipline=given["discipline"], note=given["note"] or "",
                expected_version=version(request),
            )  # fmt: skip
            messages.success(request, _("%(name)s has it now, and is told.") % {"name": to.name})
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    seats = case.seats.select_related("person", "backup").order_by("-discipline")
    context = {"case": case, "form": form, "seats": seats, "may": may}
    return render(request, "console/reassign.html", context, status=422 if form.errors else 200)


@require_POST
@team
def assign(request: HttpRequest, ref: str) -> HttpResponse:
    """Take the case, or name the owner of the fix."""
    row = desk_case(request, ref)
    if request.POST.get("what") == "owner":
        chosen = next((one for one in owners(row) if str(one.pk) == request.POST.get("person")), None)
        triage.assign_owner(row, by=request.user, to=chosen)
    else:
        if not access.roles_in(request.user, row) & TRIAGERS:
            raise NotAllowed(_("Assign the case: this belongs to the triagers and the program manager."))
        assignment.take(row, by=request.user, expected_version=version(request))
    return redirect("console:case", ref=row.ref)
