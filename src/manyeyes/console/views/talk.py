"""Words with care: prepared answers read before they go, own words mended, appeals answered, a discipline called."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes.cases import conversation, prepared, triage
from manyeyes.cases.models import Case
from manyeyes.cases.spoken import PreparedAnswer
from manyeyes.console.forms import TeamForm, WordsForm, words
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case
from manyeyes.console.views.program import own_program
from manyeyes.programs.access import roles_of
from manyeyes.rules.errors import Invalid, NotAllowed

NAMELESS = {"required": gettext_lazy("Please fill this in.")}


class PreparedForm(TeamForm):
    """A prepared answer."""

    name = forms.CharField(label=gettext_lazy("What it is for"), max_length=200, error_messages=NAMELESS)
    text = words(gettext_lazy("The answer"), rows=10, required=True)


class SentForm(TeamForm):
    """The words as they will be sent."""

    text = words(gettext_lazy("The reply, as it will be sent"), rows=12, required=True)


class MendForm(TeamForm):
    """One's own words, to be changed."""

    text = words(gettext_lazy("Your words"), rows=8, required=True)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def respond(request: HttpRequest, ref: str) -> HttpResponse:
    """Choose a prepared answer, read it as this case fills it, change it, send it."""
    case = desk_case(request, ref)
    chosen = _chosen(case, request.GET.get("with", ""))
    start = {"text": prepared.filled(chosen, case, by=request.user)} if chosen else None
    form = SentForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            version = _number(request, "version")
            text = form.cleaned_data["text"]
            conversation.say(case, by=request.user, text=text, public=True, expected_version=version)
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    answers = prepared.listed(case.program)
    context = {"case": case, "answers": answers, "chosen": chosen, "form": form}
    return render(request, "console/respond.html", context, status=422 if form.errors else 200)


def _chosen(case: Case, typed: str) -> PreparedAnswer | None:
    try:
        return prepared.one(case.program, UUID(typed)) if typed else None
    except ValueError:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@team
def answers(request: HttpRequest, slug: str) -> HttpResponse:
    """What have we prepared to say?"""
    program = own_program(request, slug)
    form = PreparedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            prepared.add(program, by=request.user, **_given(form))
            messages.success(request, _("The answer is kept."))
            return redirect("console:answers", slug=program.slug)
        except Invalid as error:
            form.refuse_all(error)
    context = _about(request, program, form) | {"answers": prepared.listed(program)}
    return render(request, "console/answers.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def answer(request: HttpRequest, slug: str, answer_id: UUID) -> HttpResponse:
    """Change or remove a prepared answer."""
    program = own_program(request, slug)
    if not roles_of(request.user, program) & prepared.KEEPERS:
        raise NotAllowed(_("Prepared answers are kept by the program's manager or an admin."))
    row, seen = prepared.one(program, answer_id), _number(request, "seen")
    if request.POST.get("action") == "remove":
        prepared.remove(row, by=request.user, seen=seen)
        return redirect("console:answers", slug=program.slug)
    form = PreparedForm(
        request.POST if request.method == "POST" else None, initial={"name": row.name, "text": row.text}
    )
    if request.method == "POST" and form.is_valid():
        try:
            prepared.change(row, by=request.user, seen=seen, **_given(form))
            return redirect("console:answers", slug=program.slug)
        except Invalid as error:
            form.refuse_all(error)
    context = _about(request, program, form) | {"answer": row, "seen": seen or row.revision}
    return render(request, "console/answer.html", context, status=422 if form.errors else 200)


def _given(form: TeamForm) -> dict[str, str]:
    return {name: form.cleaned_data.get(name) or "" for name in ("name", "text")}


def _about(request: HttpRequest, program: Any, form: TeamForm) -> dict[str, Any]:
    keeps = bool(roles_of(request.user, program) & prepared.KEEPERS)
    return {"program": program, "form": form, "keeps": keeps, "names": prepared.NAMES.items(), "here": "program"}


@require_http_methods(["GET", "HEAD", "POST"])
@team
def mend(request: HttpRequest, ref: str, message_id: UUID) -> HttpResponse:
    """Change one's own words within 15 minutes."""
    case = desk_case(request, ref)
    row = conversation.own_message(case, request.user, message_id)
    form = MendForm(request.POST if request.method == "POST" else None, initial={"text": row.text})
    seen = _number(request, "seen")
    if request.method == "POST" and form.is_valid():
        try:
            conversation.mend(row, by=request.user, text=form.cleaned_data["text"] or "", seen=seen)
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    may, until = conversation.may_mend(row, request.user), row.at + conversation.MENDABLE
    context = {"case": case, "message": row, "form": form, "may": may, "until": until, "seen": seen or row.edits}
    return render(request, "console/mend.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def appeal(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer the appeal: it stays closed, and why."""
    case = desk_case(request, ref)
    form = WordsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            version = _number(request, "version")
            triage.uphold(case, by=request.user, words=form.cleaned_data["words"], expected_version=version)
            return redirect("console:case", ref=case.ref)
        except Invalid as error:
            form.refuse_all(error)
    said = case.messages.filter(purpose="appeal").order_by("at").last()
    closed = case.messages.filter(purpose="close").order_by("at").last()
    judge = request.user.pk in {person.pk for person in triage.judges(case)}
    context = {"case": case, "form": form, "said": said, "closed": closed, "judge": judge}
    context["waits"] = triage.appeal_waits(case)
    return render(request, "console/appeal.html", context, status=422 if form.errors else 200)


@require_POST
@team
def call(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask the other discipline for its word on the rating."""
    case = desk_case(request, ref)
    triage.ask_discipline(case, by=request.user, discipline=request.POST.get("discipline", ""))
    messages.success(request, _("They are told."))
    return redirect("console:case", ref=case.ref)


def _number(request: HttpRequest, name: str) -> int | None:
    typed = request.POST.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None
