"""One case: what is it, what happened, and what is my next move?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from manyeyes import events
from manyeyes.cases import (
    access,
    attachments,
    choices,
    claiming,
    conversation,
    disclosure,
    holds,
    intake,
    judgement,
    kinship,
    progress,
    remediation,
    restricted,
    rootcause,
    senders,
    signing,
    signoffs,
    sleeping,
    timeline,
    triage,
    verification,
)
from manyeyes.cases import queue as work
from manyeyes.cases.clocks import clocks
from manyeyes.cases.intake_report import OPEN_HAZARDS
from manyeyes.cases.models import Case
from manyeyes.cases.sketch import sketch
from manyeyes.console import signoff_form
from manyeyes.console.acts import desk
from manyeyes.console.forms import CauseForm, CloseForm, ReproducerForm, SayForm, TeamForm, WordsForm
from manyeyes.console.gate import team
from manyeyes.http import as_download
from manyeyes.programs.access import members_with
from manyeyes.rules.deadlines import FIX_KINDS
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import MOVES, TRIAGERS, Role


def desk_case(request: HttpRequest, ref: str) -> Case:
    """A case the viewer works on. Raises NotFound for what they may not see, and for a report of their own."""
    case = access.case_for(request.user, ref)
    if not access.sees_inside(request.user, case):
        raise NotFound
    return case


@require_safe
@team
def case(request: HttpRequest, ref: str) -> HttpResponse:
    """The whole case on one page."""
    return show(request, desk_case(request, ref), SayForm())


def show(request: HttpRequest, row: Case, form: TeamForm, status: int = 200, **more: Any) -> HttpResponse:
    """The case page, also when the composer or the cause was refused."""
    mine = desk(row, request.user)
    context = {
        "case": row,
        "row": work.rows([row])[0],
        "desk": mine,
        "steps": progress.steps(row),
        "entries": timeline.entries(row, request.user),
        "since": conversation.last_read(row, request.user),
        "sleeps": sleeping.until(row, request.user),
        "mail": events.chosen(request.user.pk, row.ref),  # type: ignore[arg-type]
        "clocks": clocks(row),
        "fix_kinds": FIX_KINDS.items(),
        **_judged(request, row, mine.signs, more),
        "cause": rootcause.standing(row),
        "kin": kinship.beside(row, request.user),
        "reproducer": row.reproducers.order_by("-at").first(),
        "owners": owners(row),
        "seats": row.seats.select_related("person", "backup").order_by("-discipline"),
        "may_open": restricted.may_open(request.user, row),
        "declines": restricted.declined(request.user, row),
        "openings": restricted.openings(row, request.user),
        "hazards": OPEN_HAZARDS.items(),
        "origins": triage.ORIGINS.items(),
        "others": claiming.beside(row),
        "form": form,
        "cause_form": CauseForm(),
        **_report(row),
        **_embargo(row),
        **more,
    }
    response = render(request, "console/case.html", context, status=status)
    conversation.mark_read(row, request.user)
    return response


def _report(row: Case) -> dict[str, Any]:
    report = row.reports.order_by("sent_at").first()
    counted = report is not None and not report.claim_biased
    claimed = (report.claim_k or 0) / report.claim_n if report and counted and report.claim_n else None
    return {"report": report, "claimed": claimed, "sender": senders.of(report), "held": holds.standing(row)}


def _judged(request: HttpRequest, row: Case, signs: list[str], more: dict[str, Any]) -> dict[str, Any]:
    """The rating, the words on it that the viewer may know, and their own forms; a refused one keeps what was typed."""
    standing, refused = judgement.standing(row), more.get("refused_word")
    forms = [
        refused if refused is not None and refused.discipline == form.discipline else form
        for form in signoff_form.unsent(signs, standing)
    ]
    seen = standing and replace(standing, sign_offs=standing.sign_offs.seen_by(request.user))
    return {
        "severity": seen,
        "signing": forms,
        "decision_form": signoff_form.DecisionForm(initial={"rating": standing.rating.pk} if standing else None),
        "may_decide": signing.may_decide(row, request.user),
        "disagreements": [] if seen and seen.sign_offs.sealed else signoffs.disagreements(row),
    }


def _embargo(row: Case) -> dict[str, Any]:
    proposal = disclosure.open_proposal(row)
    return {"proposal": proposal, "embargo": disclosure.in_force(row) or proposal}


def owners(row: Case) -> list[Any]:
    """Who may own a fix, each once."""
    found = members_with(row.program, Role.TARGET_OWNER) + members_with(row.program, Role.PROGRAM_MANAGER)
    return list({person.pk: person for person in found}.values())


@require_POST
@team
def say(request: HttpRequest, ref: str) -> HttpResponse:
    """A word to the team, or to both sides when the reply tab was chosen."""
    row = desk_case(request, ref)
    form, upload = SayForm(request.POST), request.FILES.get("file")
    form.is_valid()
    public, words = form.cleaned_data.get("audience") == "public", form.cleaned_data.get("text") or ""
    try:
        attachments.take(row, by=request.user, upload=upload, public=public)
        if words.strip() or upload is None:
            conversation.say(row, by=request.user, text=words, public=public)
    except Invalid as error:
        form.refuse_all(error)
        return show(request, row, form, status=422)
    return redirect("console:case", ref=row.ref)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def file(request: HttpRequest, file_id: UUID) -> HttpResponseBase:
    """A file of a case, for saving; never shown."""
    row = access.attachment_for(request.user, file_id)
    if not access.sees_inside(request.user, row.case):
        raise NotFound
    return as_download(attachments.content(row), row.stored.name)


@require_POST
@team
def acknowledge(request: HttpRequest, ref: str) -> HttpResponse:
    """A human has read it; the first clock stops."""
    row = desk_case(request, ref)
    intake.acknowledge(row, by=request.user)
    return redirect("console:case", ref=row.ref)


FORMS: dict[str, type[TeamForm]] = {
    "ask_researcher": WordsForm,
    "fix_refuted": WordsForm,
    "reopen": WordsForm,
    "close": CloseForm,
}
ELSEWHERE = {"deploy_fix": "console:fix_new", "request_verification": "console:verify_new"}


@require_http_methods(["GET", "HEAD", "POST"])
@team
def move(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Make a move of the table. Those that speak to the researcher or close the case ask for the words first."""
    row = desk_case(request, ref)
    if name not in MOVES or name in ("answer", "withdraw"):
        raise Http404
    if name in ELSEWHERE:
        return redirect(ELSEWHERE[name], ref=row.ref)
    form = FORMS[name](request.POST or None) if name in FORMS else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            _make(request, row, name, form.cleaned_data if form else {})
            messages.success(request, _("%(move)s: done.") % {"move": MOVES[name].label})
            return redirect("console:case", ref=row.ref)
        except Invalid as error:
            if form is None:
                raise
            form.refuse_all(error)
    offer = next((one for one in choices.offers(row, request.user) if one.move.name == name), None)
    context = {"case": row, "move": MOVES[name], "offer": offer, "form": form}
    return render(request, "console/move.html", context, status=422 if form and form.errors else 200)


def _make(request: HttpRequest, row: Case, name: str, given: dict[str, Any]) -> None:
    by, seen = request.user, version(request)
    if name == "accept":
        triage.accept(row, by=by, expected_version=seen)
    elif name == "confirm":
        triage.confirm(row, by=by, expected_version=seen)
    elif name == "start_fix":
        remediation.start(row, by=by, expected_version=seen)
    elif name == "resolve":
        disclosure.resolve(row, by=by, expected_version=seen)
    elif name == "ask_researcher":
        triage.ask_researcher(row, by=by, text=given["words"], expected_version=seen)
    elif name == "fix_refuted":
        verification.send_back(row, by=by, words=given["words"], expected_version=seen)
    elif name == "reopen":
        triage.reopen(row, by=by, words=given["words"], expected_version=seen)
    elif name == "close":
        triage.close(row, by=by, reason=given["reason"], words=given["words"], expected_version=seen)


def version(request: HttpRequest) -> int | None:
    """The version of the case that a form was made from; None where it says none."""
    typed = request.POST.get("version", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None


@require_POST
@team
def cause(request: HttpRequest, ref: str) -> HttpResponse:
    """Say where the cause lies."""
    row = desk_case(request, ref)
    form = CauseForm(request.POST)
    if form.is_valid():
        try:
            rootcause.conclude(
                row, by=request.user, category=form.cleaned_data["category"], text=form.cleaned_data["text"]
            )
            return redirect("console:case", ref=row.ref)
        except Invalid as error:
            form.refuse_all(error)
    return show(request, row, SayForm(), status=422, cause_form=form)


@require_POST
@team
def fact(request: HttpRequest, ref: str) -> HttpResponse:
    """A dated fact beside the status: the risk was lowered, or the flaw is being exploited."""
    row = desk_case(request, ref)
    if request.POST.get("what") == "exploited":
        triage.exploited(row, by=request.user)
    elif request.POST.get("what") == "origin":
        triage.came_from(row, by=request.user, origin=request.POST.get("origin", ""))
    elif request.POST.get("what") == "fix_kind":
        remediation.say_kind(row, by=request.user, kind=request.POST.get("kind", ""))
    elif request.POST.get("what") == "hazard":
        restricted.restrict(row, by=request.user, hazard=request.POST.get("hazard", ""))
    else:
        remediation.mitigated(row, by=request.user, words=request.POST.get("words", ""))
    return redirect("console:case", ref=row.ref)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def reproducer(request: HttpRequest, ref: str) -> HttpResponse:
    """Give the case a reproducer, or a better one; the report itself stays as it was sent."""
    row = desk_case(request, ref)
    if not access.roles_in(request.user, row) & TRIAGERS:
        raise NotAllowed(_("Attach a reproducer: this belongs to the triagers and the program manager."))
    newest = row.reproducers.order_by("-at").first()
    form = ReproducerForm(request.POST or None, initial={"reproducer": newest.text if newest else sketch(row)})
    if request.method == "POST" and form.is_valid():
        try:
            intake.attach_reproducer(row, by=request.user, text=form.cleaned_data["reproducer"])
            return redirect("console:case", ref=row.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {"case": row, "form": form}
    return render(request, "console/reproducer.html", context, status=422 if form.errors else 200)
