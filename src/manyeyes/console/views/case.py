"""One case: what is it, what happened, and what is my next move?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from manyeyes.cases import (
    access,
    choices,
    conversation,
    disclosure,
    intake,
    judgement,
    remediation,
    rootcause,
    timeline,
    triage,
)
from manyeyes.cases.clocks import clocks
from manyeyes.cases.models import Case
from manyeyes.console.forms import CauseForm, CloseForm, SayForm, TeamForm, WordsForm
from manyeyes.console.gate import team
from manyeyes.programs.access import members_with
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.rules.lifecycle import MOVES, Role


def desk_case(request: HttpRequest, ref: str) -> Case:
    """A case the viewer works on. Raises NotFound for what they may not see, and for a report of their own."""
    case = access.case_for(request.user, ref)
    if not access.sees_inside(request.user, case):
        raise NotFound
    return case


@require_GET
@team
def case(request: HttpRequest, ref: str) -> HttpResponse:
    """The whole case on one page."""
    return show(request, desk_case(request, ref), SayForm())


def show(request: HttpRequest, row: Case, form: SayForm, status: int = 200) -> HttpResponse:
    """The case page, also when the composer was refused."""
    context = {
        "case": row,
        "roles": access.roles_in(request.user, row),
        "entries": timeline.entries(row, request.user),
        "since": conversation.last_read(row, request.user),
        "offers": choices.offers(row, request.user),
        "clocks": clocks(row),
        "severity": judgement.standing(row),
        "cause": rootcause.standing(row),
        "embargo": disclosure.in_force(row) or disclosure.open_proposal(row),
        "owners": members_with(row.program, Role.TARGET_OWNER) + members_with(row.program, Role.PROGRAM_MANAGER),
        "form": form,
        "cause_form": CauseForm(),
    }
    response = render(request, "console/case.html", context, status=status)
    conversation.mark_read(row, request.user)
    return response


@require_POST
@team
def say(request: HttpRequest, ref: str) -> HttpResponse:
    """A word to the team, or to both sides when the reply tab was chosen."""
    row = desk_case(request, ref)
    form = SayForm(request.POST)
    form.is_valid()
    try:
        public = form.cleaned_data.get("audience") == "public"
        conversation.say(row, by=request.user, text=form.cleaned_data.get("text") or "", public=public)
    except Invalid as error:
        form.refuse_all(error)
        return show(request, row, form, status=422)
    return redirect("console:case", ref=row.ref)


@require_POST
@team
def acknowledge(request: HttpRequest, ref: str) -> HttpResponse:
    """A human has read it; the first clock stops."""
    row = desk_case(request, ref)
    intake.acknowledge(row, by=request.user)
    return redirect("console:case", ref=row.ref)


FORMS: dict[str, type[TeamForm]] = {"ask_researcher": WordsForm, "reopen": WordsForm, "close": CloseForm}
ELSEWHERE = {"deploy_fix": "console:fix_new", "request_verification": "console:verify_new"}


@require_http_methods(["GET", "HEAD", "POST"])
@team
def move(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Make a move of the table. Those that speak to the researcher or close the case ask for the words first."""
    row = desk_case(request, ref)
    if name not in MOVES or name in ("answer", "withdraw", "fix_refuted"):
        raise Http404
    if name in ELSEWHERE:
        return redirect(ELSEWHERE[name], ref=row.ref)
    form = FORMS[name](request.POST or None) if name in FORMS else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            _make(request, row, name, form.cleaned_data if form else {})
            messages.success(request, f"{MOVES[name].label}: done.")
            return redirect("console:case", ref=row.ref)
        except Invalid as error:
            if form is None:
                raise
            form.refuse_all(error)
    context = {"case": row, "move": MOVES[name], "form": form}
    return render(request, "console/move.html", context, status=422 if form and form.errors else 200)


def _make(request: HttpRequest, row: Case, name: str, given: dict[str, Any]) -> None:
    by, version = request.user, _version(request)
    if name == "accept":
        triage.accept(row, by=by, expected_version=version)
    elif name == "confirm":
        triage.confirm(row, by=by, expected_version=version)
    elif name == "start_fix":
        remediation.start(row, by=by, expected_version=version)
    elif name == "resolve":
        disclosure.resolve(row, by=by, expected_version=version)
    elif name == "ask_researcher":
        triage.ask_researcher(row, by=by, text=given["words"], expected_version=version)
    elif name == "reopen":
        triage.reopen(row, by=by, words=given["words"], expected_version=version)
    elif name == "close":
        other = access.case_for(by, given["duplicate_of"]) if given["duplicate_of"] else None
        triage.close(
            row, by=by, reason=given["reason"], words=given["words"], duplicate_of=other, expected_version=version
        )


def _version(request: HttpRequest) -> int | None:
    typed = request.POST.get("version", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None


@require_POST
@team
def assign(request: HttpRequest, ref: str) -> HttpResponse:
    """Take the case, or name the owner of the fix."""
    row = desk_case(request, ref)
    if request.POST.get("what") == "owner":
        people = members_with(row.program, Role.TARGET_OWNER) + members_with(row.program, Role.PROGRAM_MANAGER)
        chosen = next((one for one in people if str(one.pk) == request.POST.get("person")), None)
        triage.assign_owner(row, by=request.user, to=chosen)
    else:
        triage.assign(row, by=request.user, to=request.user)
    return redirect("console:case", ref=row.ref)


@require_POST
@team
def cause(request: HttpRequest, ref: str) -> HttpResponse:
    """Say where the cause lies."""
    row = desk_case(request, ref)
    form = CauseForm(request.POST)
    if form.is_valid():
        rootcause.conclude(row, by=request.user, category=form.cleaned_data["category"], text=form.cleaned_data["text"])
    return redirect("console:case", ref=row.ref)
