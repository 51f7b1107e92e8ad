"""A researcher's own pages: the case, what was measured, the retest, the credit; the public half of every fact."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from manyeyes import events
from manyeyes.accounts import profiles
from manyeyes.accounts.models import Person
from manyeyes.cases import (
    access,
    attachments,
    choices,
    conversation,
    coreporters,
    disclosure,
    drafts,
    judgement,
    ownnumbers,
    progress,
    reproduction,
    senders,
    sharing,
    timeline,
    triage,
    verification,
)
from manyeyes.cases.clocks import clocks, terms
from manyeyes.cases.models import Case, Reproduction
from manyeyes.http import as_download, paged
from manyeyes.portal.forms import CreditForm, EmbargoForm, RetestForm, WordsForm
from manyeyes.portal.views.page import page
from manyeyes.programs.access import programs_of
from manyeyes.publications import credit
from manyeyes.replays import evidence
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.rules.policy_document import promised_words
from manyeyes.rules.visibility import result_for_researcher


def own_case(request: HttpRequest, ref: str) -> Case:
    """The viewer's own case. Raises NotFound for everybody else's, also for staff: they work under /desk/."""
    case = access.case_for(request.user, ref)
    if not access.is_reporter(request.user, case):
        raise NotFound
    return case


def case_page(
    request: HttpRequest, case: Case, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """One of the pages of a case, under the head of its program."""
    known = {"case": case, "program": case.program, "here": "my"}
    return page(request, f"portal/{template}.html", {**known, **context}, status)


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Where sign-in leads: the team to its queue, everybody else to their reports."""
    return redirect("/desk/" if programs_of(request.user).exists() else "portal:my")


@require_safe
@login_required
def my(request: HttpRequest) -> HttpResponse:
    """Where are my reports?"""
    context = {
        "page": paged(request, ownnumbers.search_own(request.user, request.GET.get("q", ""))),
        "q": request.GET.get("q", "")[:100],
        "drafts": [(row, row.saved_at + drafts.LASTS) for row in drafts.of(request.user)],
        "invitations": coreporters.waiting_for(request.user),
        "here": "my",
    }
    return page(request, "portal/my.html", context)


@require_safe
@login_required
def my_case(request: HttpRequest, ref: str) -> HttpResponse:
    """What is happening with this one?"""
    case = own_case(request, ref)
    return _case(request, case, WordsForm())


def _case(request: HttpRequest, case: Case, form: WordsForm, status: int = 200) -> HttpResponse:
    context = {
        "entries": timeline.entries(case, request.user),
        "own_ref": senders.of(case.reports.first()).own_ref if case.reporter_id == request.user.pk else "",
        "since": conversation.last_read(case, request.user),
        "mail": events.chosen(request.user.pk, case.ref),  # type: ignore[arg-type]
        "clocks": clocks(case),
        "promised": promised_words(terms(case)),
        "sharing": sharing.told(case),
        "steps": progress.steps(case),
        "judgement": judgement.standing(case) if case.confirmed_at else None,
        "form": form,
        "retest": case.status == "retesting",
        "embargo": disclosure.in_force(case),
        "proposal": disclosure.open_proposal(case),
        "may_withdraw": "withdraw" in {one.move.name for one in choices.offers(case, request.user) if not one.missing},
        "appeal_waits": triage.appeal_waits(case),
        "may_appeal": triage.may_appeal(case),
        "judged_by_another": case.status == "closed" and triage.judged_by_another(case),
    }
    response = case_page(request, case, "my_case", context, status)
    conversation.mark_read(case, request.user)
    return response


@require_POST
@login_required
def say(request: HttpRequest, ref: str) -> HttpResponse:
    """A word to the team; the answer where a question is open, the appeal where the case was closed."""
    case = own_case(request, ref)
    form, upload = WordsForm(request.POST), request.FILES.get("file")
    form.is_valid()
    words = str(form.cleaned_data.get("text") or "")
    try:
        attachments.take(case, by=request.user, upload=upload, public=True)
        if upload is not None and not words.strip():
            return redirect("portal:my_case", ref=case.ref)
        if case.status == "needs_info":
            triage.answer(case, by=request.user, text=words)
        elif request.POST.get("action") == "appeal":
            triage.appeal(case, by=request.user, words=words)
        else:
            conversation.say(case, by=request.user, text=words, public=True)
    except Invalid as error:
        form.add_error("text", " ".join(error.fields.values()))
        return _case(request, case, form, status=422)
    return redirect("portal:my_case", ref=case.ref)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def mend(request: HttpRequest, ref: str, message_id: UUID) -> HttpResponse:
    """Change one's own words within 15 minutes; how they read before stays beside them."""
    case = own_case(request, ref)
    row = conversation.own_message(case, request.user, message_id)
    seen = request.POST.get("seen", "")
    form = WordsForm(request.POST if request.method == "POST" else None, initial={"text": row.text})
    if request.method == "POST" and form.is_valid():
        try:
            known = int(seen) if seen.isdecimal() and len(seen) < 6 else None
            conversation.mend(row, by=request.user, text=form.cleaned_data["text"], seen=known)
            return redirect("portal:my_case", ref=case.ref)
        except Invalid as error:
            form.add_error("text", " ".join(error.fields.values()))
    may, until = conversation.may_mend(row, request.user), row.at + conversation.MENDABLE
    context = {"form": form, "message": row, "may": may, "until": until, "seen": seen or row.edits}
    return case_page(request, case, "mend", context, 422 if form.errors else 200)


@require_safe
@login_required
def file(request: HttpRequest, ref: str, file_id: UUID) -> HttpResponseBase:
    """A file of one's own case, for saving; never shown."""
    case, row = own_case(request, ref), access.attachment_for(request.user, file_id)
    if row.case_id != case.pk or not row.public:
        raise NotFound
    return as_download(attachments.content(row), row.stored.name)


@require_POST
@login_required
def withdraw(request: HttpRequest, ref: str) -> HttpResponse:
    """Take the report back before work has begun."""
    triage.withdraw(own_case(request, ref), by=request.user)
    return redirect("portal:my_case", ref=ref)


def own_replay(request: HttpRequest, ref: str, replay_id: UUID) -> tuple[Case, Reproduction]:
    """A replay of the viewer's own case, once it is published to them."""
    case = own_case(request, ref)
    link = access.reproduction_for(request.user, replay_id)
    if link.case_id != case.pk:
        raise NotFound
    return case, link


def _evidence(request: HttpRequest, ref: str, replay_id: UUID, template: str) -> HttpResponse:
    case, link = own_replay(request, ref, replay_id)
    context = {
        "link": link,
        "evidence": evidence.load(link.replay),
        "inside": False,
        "statements": [one for one in verification.statements(case) if one.fix.version_id],
        "finding": reproduction.finding(case),
    }
    return case_page(request, case, template, context)


@require_safe
@login_required
def my_replay(request: HttpRequest, ref: str, replay_id: UUID) -> HttpResponse:
    """What did you measure?"""
    return _evidence(request, ref, replay_id, "my_replay")


@require_safe
@login_required
def my_fix(request: HttpRequest, ref: str, replay_id: UUID) -> HttpResponse:
    """Does the fix hold?"""
    return _evidence(request, ref, replay_id, "my_fix")


@require_safe
@login_required
def my_result(request: HttpRequest, ref: str, replay_id: UUID) -> JsonResponse:
    """The result as one JSON object, with what the researcher may read of it."""
    _, link = own_replay(request, ref, replay_id)
    if not link.replay.verdict or link.concluded_at is None:
        raise NotFound
    return JsonResponse(result_for_researcher(evidence.result(link.replay)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def retest(request: HttpRequest, ref: str) -> HttpResponse:
    """Can I still do it?"""
    case = own_case(request, ref)
    form = RetestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            verification.researcher_retests(
                case,
                by=request.user,
                k=given["claim_k"],
                n=given["claim_n"],
                transcript=given["transcript"],
                agrees=given["claim_k"] == 0,
            )
            return redirect("portal:my_case", ref=case.ref)
        except Invalid as error:
            _take_over(form, error)
    return case_page(request, case, "retest", {"form": form}, 422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def choose_credit(request: HttpRequest, ref: str) -> HttpResponse:
    """How shall we name you?"""
    case = own_case(request, ref)
    me: Any = request.user
    form = CreditForm(
        request.POST or None, initial=_chosen(case, me), has_handle=me.kind != Person.Kind.RECEIPT,
        shared=len(access.reporter_ids(case)) > 1,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            credit.choose(case, by=me, **given)
            return redirect("portal:my_case", ref=case.ref)
        except Invalid as error:
            _take_over(form, error)
    context = {
        "form": form,
        "others": [row for row in credit.standing(case) if row.person_id != me.pk],
        "sharing": sharing.told(case),
    }
    return case_page(request, case, "credit", context, 422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def embargo(request: HttpRequest, ref: str) -> HttpResponse:
    """When may I speak? Agree to the proposed date, or propose another."""
    case = own_case(request, ref)
    form = EmbargoForm(request.POST if request.POST.get("action") == "propose" else None)
    if request.method == "POST":
        if request.POST.get("action") == "agree":
            seen = disclosure.proposal_seen(case, request.POST.get("proposal", ""))
            disclosure.agree(case, by=request.user, seen=seen)
            return redirect("portal:my_case", ref=case.ref)
        if form.is_valid():
            try:
                until = datetime.combine(form.cleaned_data["until"], time(14), tzinfo=UTC)
                disclosure.propose_embargo(case, by=request.user, until=until)
                return redirect("portal:my_case", ref=case.ref)
            except Invalid as error:
                _take_over(form, error)
    context = {
        "form": form,
        "embargo": disclosure.in_force(case),
        "proposal": disclosure.open_proposal(case),
    }
    return case_page(request, case, "embargo", context, 422 if form.errors else 200)


def _chosen(case: Case, me: Any) -> dict[str, Any]:
    row = credit.of(case, me)
    if row is not None:
        return {"mode": row.mode, "name": row.name or "", "link": row.link or "", "share": row.share}
    # The name only: it counts with "by a name" alone. A link would go out with the handle too, and say who it is.
    return {"mode": "later", "name": profiles.of(me).credit_name}


def _take_over(form: Any, error: Invalid) -> None:
    names = {"k": "claim_k", "n": "claim_n"}
    for name, problem in error.fields.items():
        place = names.get(name, name)
        form.add_error(place if place in form.fields else None, problem)
