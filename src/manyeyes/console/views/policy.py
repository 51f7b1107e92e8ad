"""The editor of the policy: what do we promise, is it readable, what is missing, and what goes into force?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from manyeyes.console.gate import team
from manyeyes.console.policy_forms import PolicyForm
from manyeyes.console.views.program import manages, own_program
from manyeyes.programs import policy, scope
from manyeyes.programs.models import Program
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.policy_clauses import CLAUSES, Clause
from manyeyes.rules.policy_difference import HEADINGS, Change, changes
from manyeyes.rules.policy_findings import Finding
from manyeyes.rules.policy_lint import LEAST_FLESCH, MOST_GRADE, MOST_MEAN, MOST_WORDS, Lint
from manyeyes.rules.policy_templates import SECTIONS, TEMPLATES
from manyeyes.rules.policy_wording import clause_of, inserted, wording

TEMPLATE_WORDS = {
    "no_bounty": gettext_lazy("Public, no money"),
    "bounty": gettext_lazy("Public, with rewards"),
    "private": gettext_lazy("By invitation"),
}


def managed_program(request: HttpRequest, slug: str) -> Program:
    """A program whose policy the viewer may change. Raises NotFound, NotAllowed."""
    found = own_program(request, slug)
    if not manages(request, found):
        raise NotAllowed(_("The policy is changed by the program manager or an admin."))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@team
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft, section by section, with what the linter says beside it. `do` names the button that was pressed."""
    found = managed_program(request, slug)
    now = policy.editing(found)
    if request.method != "POST":
        return _page(request, found, now, PolicyForm.holding(now, now.texts, now.terms))
    form = PolicyForm(request.POST)
    act, _colon, what = request.POST.get("do", "save").partition(":")
    texts, terms = form.texts(), form.terms(now.terms)
    if act == "look":
        return _page(request, found, now, form.unchecked())
    if act == "fill" and what in TEMPLATES:
        filled = policy.default_text(found, what)
        kept = form.restarted({**texts, **filled}, {**terms, "pays": what == "bounty"})
        return _page(request, found, now, kept, notice=_("The template stands in the fields. Nothing is stored yet."))
    if act == "take" and what in SECTIONS:
        return _page(request, found, now, form.restarted({**texts, what: now.texts[what]}, terms))
    place = ""
    if act == "insert" and (clause := clause_of(what)) is not None:
        texts, place = _with(clause, texts, found, pays=bool(terms["pays"]))
    return _save(request, found, form, texts, terms, place=place, then=act)


def _with(clause: Clause, texts: dict[str, str], program: Program, *, pays: bool) -> tuple[dict[str, str], str]:
    """The sections with the template's words for a clause, and where they went."""
    section, words = wording(clause, policy.default_text(program, "bounty" if pays else "no_bounty"))
    return {**texts, section: inserted(texts[section], words)}, section


def _save(
    request: HttpRequest, found: Program, form: PolicyForm, texts: Mapping[str, str], terms: Mapping[str, Any], *,
    place: str, then: str,
) -> HttpResponse:  # fmt: skip
    if not form.is_valid():
        return _page(request, found, policy.editing(found), form, status=422)
    held = form.cleaned_data
    try:
        policy.save_draft(
            found, by=request.user, number=held["number"], revision=held["revision"], texts=texts, terms=terms
        )
    except Invalid as error:
        form.refuse_all(error)
        return _page(request, found, policy.editing(found), form, status=422)
    except Conflict as error:
        return _both(request, found, form, texts, error)
    if then == "preview":
        return redirect("console:policy_preview", slug=found.slug)
    said = _("The template's words stand at the end of “%(place)s”.") % {"place": SECTIONS[place]} if place else ""
    messages.success(request, f"{_('The draft is stored.')} {said}".strip())
    return redirect(reverse("console:policy", args=[found.slug]) + (f"#id_{place}" if place else ""))


def _both(
    request: HttpRequest, found: Program, form: PolicyForm, texts: Mapping[str, str], error: Conflict
) -> HttpResponse:
    """Two people edited at once: theirs is stored, one's own stays in the fields, each section shows both."""
    now = policy.editing(found)
    mine = form.terms(now.terms)
    kept = PolicyForm.holding(now, texts, mine)
    figures = [(str(kept[name].label), now.terms[name], mine[name]) for name in mine if now.terms[name] != mine[name]]
    return _page(
        request, found, now, kept, status=409, conflict=str(error), apart=changes(now.texts, texts), figures=figures
    )


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of the linter with its limit."""

    label: str
    value: str
    limit: str
    ok: bool


def _page(
    request: HttpRequest, found: Program, now: policy.Editing, form: PolicyForm, *, status: int = 200,
    notice: str = "", conflict: str = "", apart: list[Change] | None = None,
    figures: list[tuple[str, Any, Any]] | None = None,
) -> HttpResponse:  # fmt: skip
    read = policy.linted(form.texts(), form.terms(now.terms), found)
    context = {
        "program": found,
        "form": form,
        "now": now,
        "read": linter(read),
        "templates": TEMPLATE_WORDS.items(),
        "scope_lines": scope.lines(found),
        "notice": notice,
        "conflict": conflict,
        "apart": apart or [],
        "figures": figures or [],
        "here": "program",
    }
    return render(request, "console/policy.html", context, status=status)


def linter(read: Lint) -> dict[str, Any]:
    """What the panel of the linter shows."""
    levels = (
        _("There is an address for reports"),
        _("There is a policy, with a scope"),
        _("We will not sue"),
        _("Research is authorised, with carve-outs and a word about others"),
        _("There is a window for publishing, and how it is extended"),
    )
    return {
        "found": read,
        "levels": list(enumerate(levels, 1)),
        "next": read.maturity + 1,
        "measures": measures(read),
        "groups": [
            (word, rows)
            for level, word in (
                ("error", _("Leaves researchers unprotected")),
                ("warning", _("Keeps people away")),
                ("note", _("Could be clearer")),
            )
            if (rows := [_row(one) for one in read.findings if one.level == level])
        ],
        "clauses": [
            (clause, HEADINGS.get(read.clauses[clause.code], ""), clause.code in read.taken_back) for clause in CLAUSES
        ],
    }


def _row(finding: Finding) -> dict[str, Any]:
    kind, _dot, code = finding.code.partition(".")
    return {
        "finding": finding,
        "heading": HEADINGS.get(finding.section, ""),
        "clause": code if kind == "missing" else "",
        "anchor": f"id_{finding.section}" if finding.section in SECTIONS else finding.section,
    }


def measures(read: Lint) -> list[Measure]:
    """The figures with their limits, in words."""
    found = read.measured
    if found.flesch is None or found.grade is None:
        return []
    rows = (
        (_("Words"), f"{found.words:,}", _("at most %s") % MOST_WORDS, found.words <= MOST_WORDS),
        (_("Minutes to read"), f"{found.minutes:.1f}", "", True),
        (_("Reading ease (Flesch)"), f"{found.flesch:.0f}", _("at least %.0f") % LEAST_FLESCH,
         found.flesch >= LEAST_FLESCH),
        (_("Years of school"), f"{found.grade:.1f}", _("at most %.0f") % MOST_GRADE, found.grade <= MOST_GRADE),
        (_("Words in a sentence"), f"{found.mean_sentence:.1f}", _("at most %.0f") % MOST_MEAN,
         found.mean_sentence <= MOST_MEAN),
    )  # fmt: skip
    return [Measure(label=label, value=value, limit=limit, ok=ok) for label, value, limit, ok in rows]


@require_http_methods(["GET", "HEAD", "POST"])
@team
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft as researchers will read it, what it changes, and the button that puts it into force."""
    found = own_program(request, slug)
    now = policy.editing(found)
    if request.method == "POST":
        return _publish(request, managed_program(request, slug), now)
    in_force = found.policy
    row = now.row or policy.next_version(found, now)
    lines = scope.lines(found)
    context = {
        "program": found,
        "now": now,
        "version": row,
        "in_force": in_force,
        "changes": policy.differences(in_force, row) if in_force else [],
        "unchanged": policy.unchanged(found, row),
        "inside": [line for line in lines if line.in_scope],
        "outside": [line for line in lines if not line.in_scope],
        "pays": now.terms["pays"],
        "terms": now.terms,
        "read": linter(policy.linted(now.texts, now.terms, found)),
        "manages": manages(request, found),
        "here": "program",
    }
    return render(request, "console/policy_preview.html", context)


def _publish(request: HttpRequest, found: Program, now: policy.Editing) -> HttpResponse:
    asked = (request.POST.get("number", ""), request.POST.get("revision", ""))
    if asked != (str(now.number), str(now.revision)):
        raise Conflict(_("The draft was changed since you looked at it. Look at it again, then publish."))
    with transaction.atomic():  # what is refused leaves no draft behind
        version = policy.publish(now.row or policy.draft(found), by=request.user, revision=now.revision)
    messages.success(request, _("Version %(number)s is in force.") % {"number": version.number})
    return redirect("console:one_program", slug=found.slug)
