"""The legal hold of a case: who proposed it, who placed it, what waits for a second person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from manyeyes.cases import holds
from manyeyes.cases.access import roles_in
from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm, words
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed


class HoldForm(TeamForm):
    """Why nothing may be destroyed, or why it may again."""

    why = words(
        gettext_lazy("Why"),
        gettext_lazy("Kept encrypted with the case; the second person reads it."),
        required=True,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@team
def hold(request: HttpRequest, ref: str) -> HttpResponse:
    """Propose a hold, place it, propose to lift it, lift it: each step by another person than the one before."""
    case = desk_case(request, ref)
    form = HoldForm(request.POST if request.POST.get("action", "").startswith("propose") else None)
    if request.method == "POST":
        try:
            said = _act(request, case, form)
            if said:
                messages.success(request, said)
                return redirect("console:hold", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    row, roles = holds.standing(case), roles_in(request.user, case)
    context: dict[str, Any] = {"case": case, "held": row, "ended": holds.ended(case), "form": form}
    context |= {"may": bool(roles & holds.HOLDERS), "reads": bool(roles & holds.READERS)}
    context["own"] = row is not None and row.asker == request.user
    return render(request, "console/hold.html", context, status=422 if form.errors else 200)


def _act(request: HttpRequest, case: Case, form: HoldForm) -> str:
    """Do what the button says; empty where the form was not filled in."""
    if not roles_in(request.user, case) & holds.HOLDERS:
        raise NotAllowed(_("A legal hold is kept by the program's manager or an admin."))
    action, me = request.POST.get("action", ""), request.user
    if action == "propose":
        return _propose(form, lambda why: holds.propose(case, by=me, why=why))
    row = _seen(case, request.POST.get("hold", ""))
    if action == "propose_lift":
        return _propose(form, lambda why: holds.propose_lift(row, by=me, why=why))
    steps = {"place": holds.place, "lift": holds.lift, "refuse": holds.refuse}
    if action not in steps:
        raise Invalid(action=_("Choose one of the buttons."))
    steps[action](row, by=me)
    return _("Done, and on record.")


def _propose(form: HoldForm, step: Any) -> str:
    if not form.is_valid():
        return ""
    step(form.cleaned_data["why"] or "")
    return _("Proposed. It holds once another manager or admin confirms it.")


def _seen(case: Case, typed: str) -> Any:
    """The hold that the person had before them. Raises Conflict where it ended meanwhile."""
    row = holds.standing(case)
    try:
        if row is not None and UUID(typed) == row.pk:
            return row
    except ValueError:
        pass
    raise Conflict(_("This hold has ended. Look again."))
