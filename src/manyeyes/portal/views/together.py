"""Reporting together: who else reports a case, invitations by handle and by link, and the answer to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.accounts import receipts
from manyeyes.cases import coreporters
from manyeyes.cases.models import Case
from manyeyes.http import forbidden, from_this_site, may_try
from manyeyes.portal.forms import CoReporterForm
from manyeyes.portal.views.my import case_page, own_case
from manyeyes.portal.views.page import page
from manyeyes.rules.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def co_reporters(request: HttpRequest, ref: str) -> HttpResponse:
    """Who reports this with me?"""
    case = own_case(request, ref)
    form = CoReporterForm(request.POST if request.POST.get("action") == "name" else None)
    if request.method != "POST":
        return _people(request, case, form)
    try:
        return _act(request, case, form)
    except Invalid as error:
        form = CoReporterForm(request.POST)
        form.is_valid()
        form.add_error("handle", " ".join(error.fields.values()))
        return _people(request, case, form, status=422)


def _act(request: HttpRequest, case: Case, form: CoReporterForm) -> HttpResponse:
    action, __, which = request.POST.get("action", "").partition(":")
    if action == "end":
        row = next((one for one in coreporters.standing(case) if str(one.pk) == which), None)
        if row is None:
            raise NotFound
        coreporters.end(row, by=request.user)
        return redirect("portal:co_reporters", ref=case.ref)
    if action == "link":
        secret = coreporters.invite(case, by=request.user)
        link = request.build_absolute_uri(reverse("portal:join", args=[secret]))
        # In this answer alone: the link is kept nowhere in the clear.
        return _people(request, case, CoReporterForm(), link=link, status=201)
    form.is_valid()
    if not str(form.cleaned_data.get("handle") or "").strip():
        raise Invalid(handle=_("Give a handle, or make a link."))
    coreporters.invite(case, by=request.user, handle=form.cleaned_data["handle"])
    return redirect("portal:co_reporters", ref=case.ref)


def _people(request: HttpRequest, case: Case, form: CoReporterForm, link: str = "", status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "link": link,
        "standing": coreporters.standing(case),
        "days": coreporters.LASTS.days,
        "sender": case.reporter_id == request.user.pk,
    }
    return case_page(request, case, "co_reporters", context, status)


@require_POST
@login_required
def invited(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Yes or no to an invitation by handle."""
    row = coreporters.own_invitation(request.user, invitation_id)
    if request.POST.get("action") == "decline":
        coreporters.end(row, by=request.user)
        return redirect("portal:my")
    return redirect("portal:my_case", ref=coreporters.accept(row, by=request.user).ref)


@csrf_exempt  # whoever comes by a link may hold no cookie yet
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Do I report this as well? Tells nothing of the case before the answer is yes."""
    if not may_try(request, "join", times=2):
        raise NotFound
    row = coreporters.by_link(secret)
    if request.method != "POST":
        return page(request, "portal/join.html", {"invitation": row, "program": row.case.program})
    if not from_this_site(request):
        return forbidden(request)
    if request.user.is_authenticated:
        return redirect("portal:my_case", ref=coreporters.accept(row, by=request.user).ref)
    person, digits = receipts.new_bearer()
    case = coreporters.accept(row, by=person)
    receipts.sign_in_bearer(request, person)
    context: dict[str, Any] = {"program": case.program, "case": case, "receipt": digits, "joined": True}
    return page(request, "portal/receipt.html", context, status=201)
