"""Sending a report: one form, a look at what was understood, the receipt; no account, script or cookie is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from manyeyes.accounts import receipts
from manyeyes.cases import access, coreporters, disputes, drafts, imported, intake
from manyeyes.cases.clocks import first_answer_due
from manyeyes.cases.keeping import brought
from manyeyes.http import database_busy, forbidden, from_this_site, may_try, reports_within, too_large
from manyeyes.portal.forms import ReceiptForm
from manyeyes.portal.report_form import asked_fields, overlong
from manyeyes.portal.views.page import page
from manyeyes.portal.views.sheet import Sheet
from manyeyes.programs.access import program_for
from manyeyes.rules.errors import Conflict, Invalid


@csrf_exempt  # the form must work without cookies; `from_this_site` guards it by what browsers say of themselves
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """What did you find?"""
    program = program_for(request.user, slug)
    if request.method != "POST":
        sheet = Sheet(request, program)
        return sheet.blank(anonymous="without" in request.GET)
    if not from_this_site(request):
        return forbidden(request)
    try:
        sheet = Sheet(request, program)
    except RequestDataTooBig as error:
        return too_large(request, overlong(error))
    if sheet.form.must_stop:
        return _stopped(sheet)
    try:
        sheet.settle()
    except Invalid as error:
        return sheet.refused_alone(" ".join(error.fields.values()))
    action, __, which = request.POST.get("action", "send").partition(":")
    if action in ACTIONS:
        return ACTIONS[action](sheet, which)
    if sheet.lost and not intake.known(request.POST.get("submission", "")):
        return sheet.refused({"form": sheet.lost}, status=409)
    if not sheet.form.is_valid():
        return sheet.kept_refused()
    return _check(sheet) if action == "check" else _send(sheet)


def _check(sheet: Sheet) -> HttpResponse:
    if sheet.request.FILES.getlist("files"):
        try:
            sheet.keep()
        except Invalid as error:
            return sheet.refused(error.fields)
        sheet.form.data = {**sheet.form.data, "draft": sheet.found.token if sheet.found else ""}
    return sheet.check()


def _send(sheet: Sheet) -> HttpResponse:
    request, program = sheet.request, sheet.program
    if sheet.overfull and not intake.known(request.POST.get("submission", "")):
        return sheet.kept_refused()
    over = not reports_within(request, sheet.sender)
    try:
        sent = intake.submit(
            program, sheet.form.report, by=sheet.sender, files=sheet.files(), deferred=over,
            draft=sheet.found.draft if sheet.found else None,
        )  # fmt: skip
    except Invalid as error:
        sheet.form.refuse_all(error)
        return sheet.kept_refused()
    except Conflict as error:
        sheet.form.add_error(None, error.message)
        return sheet.show(status=409)
    except OperationalError as error:
        if not database_busy(error):
            raise
        return sheet.busy()
    if sent.receipt:
        receipts.sign_in_bearer(request, sent.case.reporter)
    # The digits are in this answer alone: a redirect would have to keep them somewhere in the clear.
    context: dict[str, Any] = {"program": program, "case": sent.case, "receipt": sent.receipt, "again": sent.again}
    context |= {"answer_by": first_answer_due(sent.case), "own": disputes.own(sent.case)}
    context["invited"] = [row.named for row in coreporters.standing(sent.case) if row.named and not row.accepted_at]
    return page(request, "portal/receipt.html", context, status=201)


def _kind(sheet: Sheet, _which: str) -> HttpResponse:
    return sheet.again()


def _edit(sheet: Sheet, _which: str) -> HttpResponse:
    return sheet.again() if sheet.form.is_valid() else sheet.show(status=422)


def _save(sheet: Sheet, _which: str) -> HttpResponse:
    try:
        sheet.keep()
    except Invalid as error:
        return sheet.refused(error.fields)
    return sheet.again(said=_("Your draft is kept, encrypted, for 14 days."))


def _remove(sheet: Sheet, which: str) -> HttpResponse:
    if sheet.found is not None:
        drafts.remove_file(sheet.found, which)
    return sheet.again(said=_("The file was taken out."))


def _resume(sheet: Sheet, _which: str) -> HttpResponse:
    """By the code that somebody wrote down."""
    code = str(sheet.request.POST.get("code", ""))[:100]
    tries = may_try(sheet.request, "resume")
    found = drafts.find(sheet.program, code, by=sheet.who) if tries else None
    if found is None:
        said = _("No draft belongs to this code. Check it, group by group; drafts are kept for 14 days.")
        return sheet.refused_alone(said)
    sheet.found, sheet.lost = found, ""
    return sheet.again(found.draft.answers.get("typed") or {})


def _read(sheet: Sheet, _which: str) -> HttpResponse:
    """Fill the form in from a tool's file; with several findings, ask first which one."""
    upload = sheet.request.FILES.get("toolfile")
    try:
        if upload is None:
            raise Invalid(toolfile=_("Choose a file first, then press the button again."))
        sheet.keep()
        token = sheet.found.token if sheet.found else ""
        held = {**(sheet.found.draft.answers if sheet.found else {})}
        seen = imported.read(sheet.program, held, brought(upload), by=sheet.who, token=token)
    except Invalid as error:
        return sheet.refused_alone(" ".join(error.fields.values()))
    return _taken(sheet, seen, 0) if seen.clear else _findings(sheet, seen)


ACTIONS: dict[str, Callable[[Sheet, str], HttpResponse]] = {
    "kind": _kind, "edit": _edit, "save": _save, "remove": _remove, "resume": _resume, "read": _read,
}  # fmt: skip


def _taken(sheet: Sheet, seen: imported.Read, place: int) -> HttpResponse:
    typed = imported.take(seen, place)
    sheet.found = drafts.find(sheet.program, seen.found.token, by=sheet.who)
    sheet.lost = ""
    said = _("Your file was read. Look over what it filled in.")
    if seen.imported.questions:
        said = _("Your file was read. It leaves one thing open, which is asked beside it.")
    return sheet.again(typed, said=said)


def _findings(sheet: Sheet, seen: imported.Read, status: int = 200, problem: str = "") -> HttpResponse:
    context = {"program": sheet.program, "seen": seen, "problem": problem, "here": "report"}
    return page(sheet.request, "portal/report_import.html", context, status=status)


@csrf_exempt  # as the form itself
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def report_import(request: HttpRequest, slug: str) -> HttpResponse:
    """What is in my file? Answers what it could not tell, and takes one of its findings."""
    program = program_for(request.user, slug)
    if request.method != "POST":
        return redirect("portal:report", slug=program.slug)
    if not from_this_site(request):
        return forbidden(request)
    sheet = Sheet(request, program)
    if sheet.found is None:
        return sheet.again({}, status=409)
    try:
        seen = imported.read_again(sheet.found, request.POST.get("file", ""), sheet.answers)
    except Invalid as error:
        return sheet.refused_alone(" ".join(error.fields.values()))
    place = request.POST.get("finding", "")
    if seen.imported.questions or not (place.isdecimal() and int(place) < len(seen.imported.findings)):
        return _findings(sheet, seen, 422, _("Answer the question and choose one finding."))
    return _taken(sheet, seen, int(place))


@require_safe
def report_questions(request: HttpRequest, slug: str) -> HttpResponse:
    """What a kind asks, for the form to show in place."""
    program_for(request.user, slug)
    return render(request, "portal/report_questions.html", {"asked": asked_fields(request.GET.get("vuln_class", ""))})


@require_safe
def report_stop(request: HttpRequest, slug: str) -> HttpResponse:
    """What to do with material that must not be sent to anybody but the authorities."""
    program = program_for(request.user, slug)
    return page(request, "portal/report_stop.html", {"program": program, "here": "report"})


def _stopped(sheet: Sheet) -> HttpResponse:
    """Nothing of it is kept, and what was kept of a draft goes as well."""
    if sheet.found is not None:
        drafts.drop(sheet.found.draft)
    context: dict[str, Any] = {"program": sheet.program, "stopped": True, "here": "report"}
    return page(sheet.request, "portal/report_stop.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report_draft(request: HttpRequest, slug: str, draft_id: UUID) -> HttpResponse:
    """One's own draft: go on with it, or throw it away."""
    program, row = program_for(request.user, slug), drafts.own(request.user, draft_id)
    if request.method == "POST":
        drafts.drop(row)
        return redirect("portal:my")
    sheet = Sheet(request, program, found=drafts.Found(draft=row, token=str(row.pk)))
    return sheet.again(row.answers.get("typed") or {})


def _come_back(request: HttpRequest, form: ReceiptForm, status: int) -> HttpResponse:
    return page(request, "portal/return.html", {"form": form, "here": "return"}, status)


@csrf_exempt  # as above: whoever returns may hold no cookie yet
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Where is my case? A wrong receipt, a spent one and none at all get the same answer."""
    form = ReceiptForm(request.POST or None)
    if request.method != "POST":
        return _come_back(request, form, 200)
    if not from_this_site(request):
        return forbidden(request)
    if not may_try(request, "return"):
        form.add_error(None, _("Too many tries from your network this hour. Try again later."))
        return _come_back(request, form, 429)
    if form.is_valid():
        person = receipts.sign_in_receipt(request, form.cleaned_data["digits"])
        if person is not None:
            mine = list(access.reported_by(person)[:2])
            return redirect("portal:my_case", ref=mine[0].ref) if len(mine) == 1 else redirect("portal:my")
        form.add_error("digits", _("No case belongs to these digits. Check them, group by group."))
    return _come_back(request, form, 422)
