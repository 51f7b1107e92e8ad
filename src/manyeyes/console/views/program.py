"""The program itself: what do we promise and cover, which versions can we still replay, who may do what?"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from manyeyes.console.forms import PermitForm, PersonForm, TargetForm, TeamForm, VersionForm
from manyeyes.console.gate import team
from manyeyes.console.marker_form import MarkerForm
from manyeyes.console.stop_form import StopForm
from manyeyes.programs import guests, launch, marker, scope, targets
from manyeyes.programs.access import programs_of, roles_of
from manyeyes.programs.models import Program
from manyeyes.programs.setup import invite
from manyeyes.programs.stopping import set_stop_rule
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role

FORMS: dict[str, type[TeamForm]] = {
    "target": TargetForm,
    "version": VersionForm,
    "permit": PermitForm,
    "person": PersonForm,
    "stop": StopForm,
    "marker": MarkerForm,
}

WORDS = {
    "target": ("Add a target", "A system that researchers may attack under this program."),
    "version": (
        "Add a version",
        "One pinned deployment. A replay names the version it tested, so it is not changed later.",
    ),
    "permit": ("Grant a permit", "Without one no machine attacks the target. You answer for it by name."),
    "person": (
        "Bring in a person",
        "They see what their roles open. A new account gets a password, shown to you once; they add a second factor.",
    ),
    "marker": (
        _("Change the research marker"),
        _("A new word for testers to show. Everybody sees it at once; the present one goes on being honoured."),
    ),
    "stop": (
        "Material that is never taken",
        "What researchers read who hold material that shows sexual abuse of children. Let counsel write it.",
    ),
}


def own_program(request: HttpRequest, slug: str) -> Program:
    """A program the viewer works in. Raises NotFound."""
    found = programs_of(request.user).filter(slug=slug).first()
    if found is None:
        raise NotFound
    return found


@require_safe
@team
def program(request: HttpRequest) -> HttpResponse:
    """The viewer's program, or a list where there are several."""
    rows = list(programs_of(request.user).order_by("name"))
    if len(rows) == 1:
        return redirect("console:one_program", slug=rows[0].slug)
    return render(request, "console/programs.html", {"programs": rows})


@require_safe
@team
def one(request: HttpRequest, slug: str) -> HttpResponse:
    """Policy, scope, targets with versions and permits, people."""
    found = own_program(request, slug)
    context = {
        "program": found,
        "policies": found.policies.all(),
        "targets": found.targets.prefetch_related("versions", "permits"),
        "members": found.memberships.select_related("person"),
        "scope_lines": scope.lines(found),
        "scope_waits": scope.unpublished(found, found.policy),
        "manages": manages(request, found),
        "guests": guests.standing(found).count(),
        "unready": _unready(found),
        "passed_over": launch.passed_over(found, launch.standing(found)),
        "here": "program",
    }
    return render(request, "console/program.html", context)


def _unready(found: Program) -> list[str]:
    """What a new program still lacks, as steps."""
    rows = list(found.targets.prefetch_related("versions", "permits"))
    steps = {
        "Publish a policy.": found.policy is not None,
        "Add a target.": bool(rows),
        "Register a version of a target.": any(row.versions.all() for row in rows),
        "Grant a permit, so that a machine may replay.": any(row.permits.all() for row in rows),
        "Bring in a second person: High and Critical need two for the sign-off.": found.memberships.count() > 1,
        "Open the program to the public.": found.state not in (Program.State.DRAFT, Program.State.PRIVATE),
    }
    return [words for words, done in steps.items() if not done]


def manages(request: HttpRequest, found: Program) -> bool:
    """Whether the viewer may change the program: its manager, or an admin."""
    return bool(roles_of(request.user, found) & {Role.PROGRAM_MANAGER, Role.ADMIN})


@require_http_methods(["GET", "HEAD", "POST"])
@team
def add(request: HttpRequest, slug: str, part: str) -> HttpResponse:
    """Add a target, a version, a permit or a person, or open the program; for managers and admins."""
    found = own_program(request, slug)
    if part == "open":  # the way to the public leads past the launch checklist
        return redirect("console:launch", slug=found.slug)
    if part not in FORMS:
        raise Http404
    if not manages(request, found):
        raise NotAllowed(str(_("The program is changed by its manager or an admin.")))
    form = FORMS[part](request.POST if request.method == "POST" else None)
    form.name_targets(found)
    form.initial.update(stop_text=found.stop_text, stop_contact=found.stop_contact)
    if request.method == "POST" and form.is_valid():
        try:
            shown = _store(request, found, part, form.cleaned_data)
            return shown or redirect("console:one_program", slug=found.slug)
        except Invalid as error:
            form.refuse_all(error)
    heading, lead = WORDS[part]
    context = {"program": found, "form": form, "part": part, "heading": heading, "lead": lead, "here": "program"}
    return render(request, "console/program_add.html", context, status=422 if form.errors else 200)


def _bring_in(request: HttpRequest, found: Program, given: dict[str, Any]) -> HttpResponse | None:
    """The password stands in this answer alone: a redirect would have to keep it somewhere."""
    person, password = invite(found, **given)
    if not password:
        return None
    context = {"program": found, "person": person, "password": password, "here": "program"}
    return render(request, "console/invited.html", context, status=201)


def _store(request: HttpRequest, found: Program, part: str, given: dict[str, Any]) -> HttpResponse | None:
    if part == "person":
        return _bring_in(request, found, given)
    if part == "stop":
        set_stop_rule(found, by=request.user, text=given["stop_text"], contact=given["stop_contact"])  # type: ignore[arg-type]
        return None
    if part == "marker":
        marker.change(found, by=request.user, days=given["days"])  # type: ignore[arg-type]
        return None
    if part == "target":
        targets.add_target(found, owner=None, **given)
        return None
    chosen = found.targets.get(pk=given.pop("target"))
    if part == "version":
        targets.add_version(chosen, **{**given, "api_key": given["api_key"] or None})
    else:
        targets.grant(chosen, by=request.user, **given)
    return None
