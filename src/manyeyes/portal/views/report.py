"""Sending a report: one form, a look at what was understood, the receipt; no account, script or cookie is needed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from manyeyes.accounts import receipts
from manyeyes.cases import access, intake
from manyeyes.cases.understood import understood
from manyeyes.engine import exact_interval
from manyeyes.http import forbidden, from_this_site, within_limit
from manyeyes.portal.forms import ReceiptForm, ReportForm
from manyeyes.portal.views.page import page
from manyeyes.programs.access import program_for
from manyeyes.programs.models import Program
from manyeyes.rules import clock, taxonomy
from manyeyes.rules.errors import Conflict, Invalid


def reporter(request: HttpRequest) -> Any:
    """The signed-in person, or None; a receipt's bearer may send further reports under the same receipt."""
    return request.user if request.user.is_authenticated else None


@csrf_exempt  # the form must work without cookies; `from_this_site` guards it by what browsers say of themselves
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """What did you find?"""
    program = program_for(request.user, slug)
    who = reporter(request)
    if request.method != "POST":
        form = ReportForm(program=program, signed_in=who is not None, anonymous="without" in request.GET)
        return _form(request, program, form)
    if not from_this_site(request):
        return forbidden(request)
    form = ReportForm(request.POST, program=program, signed_in=who is not None)
    if not within_limit(request, "report", settings.MANYEYES_REPORTS_PER_HOUR):
        form.add_error(None, "Many reports came from your network this hour. Nothing is lost: send it again later.")
        return _form(request, program, form, status=429)
    if not form.is_valid():
        return _form(request, program, form, status=422)
    if request.POST.get("action") == "check":
        return _check(request, program, form)
    if request.POST.get("action") == "edit":
        return _form(request, program, form)
    return _send(request, program, form, who)


def _check(request: HttpRequest, program: Program, form: ReportForm) -> HttpResponse:
    k, n = form.report.claim_k, form.report.claim_n
    context = {
        "program": program,
        "form": form,
        "rows": understood(form.report),
        "system": dict(form.fields["target"].choices).get(form.report.target, ""),  # type: ignore[attr-defined]
        "claim": (k, n, *exact_interval(k, n)) if k is not None and n else None,
        "answer_by": answer_by(program),
        "here": "report",
    }
    return page(request, "portal/report_check.html", context)


def _send(request: HttpRequest, program: Program, form: ReportForm, who: Any) -> HttpResponse:
    try:
        sent = intake.submit(program, form.report, by=who)
    except Invalid as error:
        form.refuse_all(error)
        return _form(request, program, form, status=422)
    except Conflict as error:
        form.add_error(None, error.message)
        return _form(request, program, form, status=409)
    if who is None and sent.receipt:
        receipts.sign_in_receipt(request, sent.receipt)
    # The digits are in this answer alone: a redirect would have to keep them somewhere in the clear.
    context: dict[str, Any] = {"program": program, "case": sent.case, "receipt": sent.receipt, "again": sent.again}
    context["answer_by"] = sent.case.created_at + timedelta(hours=program.first_response_hours)
    return page(request, "portal/receipt.html", context, status=201)


def _form(request: HttpRequest, program: Program, form: ReportForm, status: int = 200) -> HttpResponse:
    context = {
        "program": program,
        "form": form,
        "policy": program.policy,
        "kinds": taxonomy.KINDS.values(),
        "answer_by": answer_by(program),
        "here": "report",
    }
    return page(request, "portal/report.html", context, status=status)


def answer_by(program: Program) -> datetime:
    """When a person will have answered a report that is sent now."""
    return clock.now() + timedelta(hours=program.first_response_hours)


@csrf_exempt  # as above: whoever returns may hold no cookie yet
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Where is my case? A wrong receipt, a spent one and none at all get the same answer."""
    form = ReceiptForm(request.POST or None)
    if request.method != "POST":
        return _return(request, form, 200)
    if not from_this_site(request):
        return forbidden(request)
    if not within_limit(request, "return", 30):
        form.add_error(None, "Too many tries from your network this hour. Try again later.")
        return _return(request, form, 429)
    if form.is_valid():
        person = receipts.sign_in_receipt(request, form.cleaned_data["digits"])
        if person is not None:
            mine = list(access.reported_by(person)[:2])
            return redirect("portal:my_case", ref=mine[0].ref) if len(mine) == 1 else redirect("portal:my")
        form.add_error("digits", "No case belongs to these digits. Check them, group by group.")
    return _return(request, form, 422)


def _return(request: HttpRequest, form: ReceiptForm, status: int) -> HttpResponse:
    return page(request, "portal/return.html", {"form": form, "here": "return"}, status)
