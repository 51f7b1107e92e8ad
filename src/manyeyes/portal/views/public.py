"""Pages that anybody may read: the program, its policy, what was published, who is thanked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from manyeyes.charts.dots import NARROW, waiting_dots
from manyeyes.http import paged
from manyeyes.portal.views.page import page
from manyeyes.programs import openpgp, policy, scope, securitytxt
from manyeyes.programs.access import program_for, visible_to
from manyeyes.programs.models import Program
from manyeyes.publications import advisory, credit, figures, hall
from manyeyes.publications.markdown import markdown
from manyeyes.publications.measures import measures
from manyeyes.rules import clock, promises, words


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The one program, a list where there are several, or the next step where there is none."""
    programs = list(visible_to(request.user).order_by("name"))
    if len(programs) == 1:
        return redirect("portal:program", slug=programs[0].slug)
    return page(request, "portal/home.html", {"programs": programs, "here": "program"})


@require_safe
def program(request: HttpRequest, slug: str) -> HttpResponse:
    """What may I test, what do you promise, do you keep it?"""
    found = program_for(request.user, slug)
    in_force = found.policy
    lines = scope.in_force(found, in_force)
    kept = figures.first_responses(found)
    context = {
        "program": found,
        "policy": in_force,
        "reading": policy.reading(in_force) if in_force else None,
        "protections": policy.protections(in_force) if in_force else [],
        "pays": bool(in_force and in_force.terms.get("pays")),
        "inside": [line for line in lines if line.in_scope],
        "outside": [line for line in lines if not line.in_scope],
        "key": openpgp.key_of(found),
        "kept": kept,
        "promised": _promised(found),
        "kept_chart": waiting_dots(kept.hours, kept.promised),
        "kept_chart_narrow": waiting_dots(kept.hours, kept.promised, width=NARROW),
        "security_txt": securitytxt.signed(found, settings.MANYEYES_BASE_URL, clock.now()),
        "here": "program",
    }
    return page(request, "portal/program.html", context)


def _promised(found: Program) -> dict[str, Any]:
    """What the policy in force promises beside the figures of the program, for the page that strangers read."""
    held = promises.read(policy.terms_of(found, found.policy))
    first = held.calendar_of("first_answer")
    return {
        "calendar": first,
        "counted": promises.counted_words(first),
        "word_hours": held.word_hours,
        "word": words.duration_words(timedelta(hours=held.word_hours)),
    }


@require_safe
def advisories(request: HttpRequest) -> HttpResponse:
    """What was found and fixed, newest first."""
    return page(request, "portal/advisories.html", {"page": paged(request, advisory.published()), "here": "advisories"})


@require_safe
def one_advisory(request: HttpRequest, slug: str) -> HttpResponse:
    """Am I affected, how sure are they, and who found it?"""
    found = advisory.public(slug)
    context = {
        "program": found.case.program,
        "advisory": found,
        "measures": measures(found.facts),
        "bylines": credit.bylines(found.case),
        "here": "advisories",
    }
    return page(request, "portal/advisory.html", context)


@require_safe
def advisory_text(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as Markdown."""
    return HttpResponse(markdown(advisory.public(slug)), content_type="text/markdown; charset=utf-8")


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Who found it: in the order of confirmation, without ranks or money."""
    rows = [line for program in visible_to(request.user) for line in hall.of_fame(program)]
    rows.sort(key=lambda line: line.confirmed_on, reverse=True)
    return page(request, "portal/thanks.html", {"page": paged(request, rows), "here": "thanks"})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The mark, for browsers that ask for it where no page names it."""
    return redirect(static("mark.svg"))


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
