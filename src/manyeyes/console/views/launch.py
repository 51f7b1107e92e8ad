"""The launch of a program and its key: what is missing before strangers find it, and what machines read about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes import events
from manyeyes.cases import rehearsal
from manyeyes.cases.models import Case
from manyeyes.console.gate import team
from manyeyes.console.launch_forms import ImportKeyForm, SayForm
from manyeyes.console.views.case import desk_case
from manyeyes.console.views.program import own_program
from manyeyes.programs import launch, openpgp, securitytxt
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotFound
from manyeyes.rules.launch import Kind
from manyeyes.vault import openpgp as pgp
from manyeyes.vault import postkeys

MOVES = {
    "private": launch.make_private, "public": launch.go_public, "pause": launch.pause, "resume": launch.resume,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@team
def checklist(request: HttpRequest, slug: str) -> HttpResponse:
    """What is missing before strangers may find this program, and who said the rest?"""
    found = own_program(request, slug)
    if request.method != "POST":
        return _checklist(request, found)
    action = request.POST.get("action", "")
    rehearsal.settle(found)
    if action in MOVES:
        MOVES[action](found, by=request.user)
    elif action == "test":
        sent = rehearsal.send(found, by=request.user)
        return _checklist(request, found, status=201, sent=sent)  # the receipt stands in this answer alone
    elif action.startswith("remove:"):
        rehearsal.remove(_test(found, action.partition(":")[2]), by=request.user)
    else:
        return _say(request, found, action.partition(":")[2])
    return redirect("console:launch", slug=found.slug)


def _test(found: Program, ref: str) -> Case:
    case = next((row for row in rehearsal.of(found) if row.ref == ref), None)
    if case is None:
        raise NotFound
    return case


def _say(request: HttpRequest, found: Program, item: str) -> HttpResponse:
    form = SayForm(request.POST, program=found, item=item)
    form.is_valid()
    try:
        launch.say(found, item=item, by=request.user, **form.given())
    except Invalid as error:
        form.refuse_all(error)
        return _checklist(request, found, status=422, refused=form)
    return redirect(f"{request.path}#{item}")


def _checklist(
    request: HttpRequest, found: Program, status: int = 200, refused: SayForm | None = None, sent: Any = None
) -> HttpResponse:
    rehearsal.settle(found)
    standing = launch.standing(found)
    manages = bool(roles_of(request.user, found) & openpgp.MANAGERS)
    rows = [(row, _form_of(found, row, refused) if manages else None) for row in standing.lines]
    context = {
        "program": found,
        "standing": standing,
        "passed_over": launch.passed_over(found, standing),
        "rows": rows,
        "form": refused,
        "manages": manages,
        "tests": rehearsal.of(found),
        "sent": sent,
        "here": "program",
    }
    return render(request, "console/launch.html", context, status=status)


def _form_of(found: Program, row: launch.Said, refused: SayForm | None) -> SayForm | None:
    if row.line.item.kind == Kind.FACT and (not row.line.item.skippable or row.line.state == "done"):
        return None
    if refused is not None and refused.item.name == row.name:
        return refused
    said = row.answer
    start = {"person": str(said.person_id or ""), "hours": said.hours} if said else None
    return SayForm(program=found, item=row.name, initial=start)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def key(request: HttpRequest, slug: str) -> HttpResponse:
    """Which key signs for us, and what do machines read about us?"""
    found = own_program(request, slug)
    action, form = request.POST.get("action", ""), ImportKeyForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _key(request, found, ImportKeyForm())
    if action == "make":
        openpgp.make_key(found, by=request.user)
    elif action == "drop":
        openpgp.drop_key(found, by=request.user)
    elif action == "export":
        return _private(openpgp.export_key(found, by=request.user), found)
    else:
        if not form.is_valid():
            return _key(request, found, form, status=422)
        try:
            openpgp.import_key(found, by=request.user, **form.given())
        except Invalid as error:
            form.refuse_all(error)
            return _key(request, found, form, status=422)
    messages.success(request, _("Done. It holds from the next mail on."))
    return redirect("console:program_key", slug=found.slug)


def _private(text: str, found: Program) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-private.asc"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _key(request: HttpRequest, found: Program, form: ImportKeyForm, status: int = 200) -> HttpResponse:
    row, base = openpgp.key_of(found), settings.MANYEYES_BASE_URL
    context = {
        "program": found,
        "key": row,
        "fingerprint": pgp.grouped(row.fingerprint) if row else "",
        "trouble": postkeys.trouble_of(row) if row else "",
        "security_txt": securitytxt.signed(found, base, clock.now()),
        "dns_text": securitytxt.dns_text(found, base),
        "held": events.held(found.cases.values_list("ref", flat=True)),
        "manages": bool(roles_of(request.user, found) & openpgp.MANAGERS),
        "form": form,
        "here": "program",
    }
    return render(request, "console/program_key.html", context, status=status)


@require_POST
@team
def case_mail(request: HttpRequest, ref: str) -> HttpResponse:
    """Mail about this case: follow it, mute it, or as it comes."""
    row = desk_case(request, ref)
    wanted = {"follow": True, "mute": False}.get(request.POST.get("mail", ""))
    me: Any = request.user
    events.choose(me.pk, row.ref, wanted)
    return redirect("console:case", ref=row.ref)
