"""The people of a team: how do I work, who can do what, who is away, and how does the program triage?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from manyeyes import events
from manyeyes.accounts import working
from manyeyes.cases import assignment, exposure
from manyeyes.console.forms import TeamForm
from manyeyes.console.gate import team
from manyeyes.console.people_forms import AbsenceForm, DisciplinesForm, ExpertiseForm, TriageRulesForm, WorkForm
from manyeyes.console.views.program import manages, own_program
from manyeyes.programs import triaging
from manyeyes.programs.access import disciplines_in
from manyeyes.programs.models import Membership
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound
from manyeyes.rules.signoff import BANDS, DISCIPLINES


@require_http_methods(["GET", "HEAD", "POST"])
@team
def me(request: HttpRequest) -> HttpResponse:
    """How do I work?"""
    person: Any = request.user
    rows = Membership.objects.filter(person=person).exclude(roles=[]).select_related("program").order_by("created_at")
    found = _forms(request, person, list(rows), own=True)
    if request.method == "POST" and _done(request, person, found):
        messages.success(request, _("Kept."))
        return redirect("console:me")
    context = {**_about(person), **found, "weeks": exposure.weeks(person), "own": True, "here": "me"}
    return _page(request, "console/me.html", context, found)


@require_safe
@team
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is on the team, for what, how busy, and away until when?"""
    program = own_program(request, slug)
    members = list(program.memberships.select_related("person__at_work", "expertise").order_by("created_at"))
    ids = [row.person_id for row in members]
    busy, out = assignment.load(ids), working.away(ids)
    rows = [
        {"member": row, "disciplines": [DISCIPLINES[name] for name in sorted(disciplines_in(row), reverse=True)],
         "open": busy[row.person_id], "away": out.get(row.person_id)}
        for row in members
    ]  # fmt: skip
    context = {"program": program, "rows": rows, "manages": manages(request, program), "here": "program"}
    return render(request, "console/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def member(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """What can somebody hold, and what should not be given to them?"""
    program = own_program(request, slug)
    if not manages(request, program):
        raise NotAllowed(_("How people work is changed by themselves, or by the program's manager or an admin."))
    row = program.memberships.filter(person_id=person_id).select_related("person", "program").first()
    if row is None:
        raise NotFound
    found = _forms(request, row.person, [row], own=False)
    if request.method == "POST" and _done(request, row.person, found):
        events.record(
            f"program:{program.pk}", "member.changed", actor=request.user.actor, human=True,  # type: ignore[union-attr]
            person=row.person.actor, part=request.POST.get("action", "").partition(":")[0],
        )  # fmt: skip
        messages.success(request, _("Kept."))
        return redirect("console:member", slug=program.slug, person_id=row.person_id)
    context = {**_about(row.person), **found, "program": program, "member": row, "own": False, "here": "program",
               "weeks": exposure.weeks(row.person, program=program)}  # fmt: skip
    return _page(request, "console/member.html", context, found)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Who must sign off what, and how do reports find their people?"""
    program = own_program(request, slug)
    may, row = manages(request, program), triaging.rules_of(program)
    form = TriageRulesForm(request.POST if request.method == "POST" else None, row=row)
    if request.method == "POST":
        if not may:
            raise NotAllowed(_("How a program triages is set by its manager or an admin."))
        if form.is_valid():
            given = form.cleaned_data
            triaging.set_rules(
                program, by=request.user, sign_off={band: given[band] for band in BANDS},
                independent=given["independent"], assigns=given["assigns"], revision=given["revision"],
            )  # fmt: skip
            messages.success(request, _("Kept. Cases that are open go by it from now on."))
            return redirect("console:triage_rules", slug=program.slug)
    context = {"program": program, "form": form, "row": row, "manages": may, "here": "program"}
    return render(request, "console/triage_rules.html", context, status=422 if form.errors else 200)


def _about(person: Any) -> dict[str, Any]:
    return {"person": person, "absences": working.absences(person), "open": assignment.load([person.pk])[person.pk]}


def _forms(request: HttpRequest, person: Any, rows: list[Membership], *, own: bool) -> dict[str, Any]:
    """Every form of the page; the one that was sent is filled with what was sent."""
    action, __, which = request.POST.get("action", "").partition(":")
    zone = person.zone or (rows[0].program.zone if rows else "UTC")
    sent = request.POST

    def data(name: str, pk: Any = "") -> Any:
        return sent if action == name and which == str(pk) else None

    know = [
        ExpertiseForm(data("know", row.pk), membership=row, row=triaging.expertise_of(row))
        for row in rows
        if disciplines_in(row)
    ]
    found: dict[str, Any] = {
        "work": WorkForm(data("work"), row=working.of(person), own=own),
        "away": AbsenceForm(data("away"), initial={"zone": zone}),
        "know": know,
    }
    if not own:
        found["hats"] = DisciplinesForm(data("hats"), initial={"disciplines": sorted(disciplines_in(rows[0]))})
        found["rows"] = rows
    return found


def _sent(found: dict[str, Any]) -> TeamForm | None:
    forms = [found["work"], found["away"], *found["know"], *([found["hats"]] if "hats" in found else [])]
    return next((form for form in forms if form.is_bound), None)


def _done(request: HttpRequest, person: Any, found: dict[str, Any]) -> bool:
    """Do what was sent; False where something is wrong with it, which its form then says. Raises NotFound."""
    action, __, which = request.POST.get("action", "").partition(":")
    if action == "back":
        working.drop_absence(person, _uuid(which))
        return True
    form = _sent(found)
    if form is None:
        raise NotFound
    if not form.is_valid():
        return False
    given = form.cleaned_data
    try:
        if isinstance(form, WorkForm):
            working.say(person, **given)
            assignment.relieve_everywhere(person)
        elif isinstance(form, AbsenceForm):
            working.note_absence(person, by=request.user, **given)
        elif isinstance(form, ExpertiseForm):
            triaging.know(form.membership, **given)
        else:
            triaging.give_disciplines(found["rows"][0], by=request.user, disciplines=given["disciplines"])
    except Invalid as error:
        form.refuse_all(error)
        return False
    return True


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise NotFound from None


def _page(request: HttpRequest, template: str, context: dict[str, Any], found: dict[str, Any]) -> HttpResponse:
    sent = _sent(found)
    status = 422 if sent is not None and sent.errors else 200
    return render(request, template, {**context, "form": sent}, status=status)
