"""The policy for its readers: each version that was ever in force, all in a row, and what changed between two."""

from __future__ import annotations

from itertools import pairwise

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from manyeyes.cases.access import reported_by
from manyeyes.portal.views.page import page
from manyeyes.programs import policy, scope
from manyeyes.programs.access import program_for
from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.rules.errors import NotFound
from manyeyes.rules.policy_document import terms_text

SHOWN = 200
"""The most versions that the history lists; a program with more has changed its mind every day."""


@require_safe
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Which rules held when, and what changed from one to the next?"""
    found = _whose(request, slug)
    versions = list(policy.published(found)[:SHOWN])
    older = {new.pk: old for new, old in pairwise(versions)}
    later = {old.pk: new for new, old in pairwise(versions)}
    rows = [
        {
            "version": one,
            "until": later[one.pk].published_at if one.pk in later else None,
            "before": older.get(one.pk),
            "changes": policy.differences(older[one.pk], one) if one.pk in older else [],
            "reading": policy.reading(one),
        }
        for one in versions
    ]
    return page(request, "portal/policy_history.html", {"program": found, "rows": rows, "versions": versions})


@require_safe
def one(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What exactly are the rules, and which version is this?"""
    found = _whose(request, slug)
    version = policy.published_version(found, number)
    around = policy.published(found)
    current = found.policy
    lines = scope.kept(version)
    if lines and version == current:
        lines = scope.in_force(found, version)
    context = {
        "program": found,
        "version": version,
        "current": current,
        "before": around.filter(number__lt=number).first(),
        "after": around.filter(number__gt=number).last(),
        "lines": lines,
        "inside": [line for line in lines or () if line.in_scope],
        "outside": [line for line in lines or () if not line.in_scope],
        "pays": version.terms.get("pays"),
        "figures": terms_text(version.terms),
        "reading": policy.reading(version),
        "digest": policy.digest(version),
    }
    return page(request, "portal/policy.html", context)


@require_safe
def download(request: HttpRequest, slug: str, number: int, form: str) -> HttpResponse:
    """The version to keep: as Markdown, which is plain text, or as data."""
    version = policy.published_version(_whose(request, slug), number)
    document = policy.document(version)
    name = f"{slug}-policy-{number}.{form}"
    if form == "json":
        answer: HttpResponse = JsonResponse(document.to_json(), json_dumps_params={"ensure_ascii": False, "indent": 2})
    elif form == "md":
        answer = HttpResponse(document.markdown(), content_type="text/plain; charset=utf-8")
    else:
        raise NotFound
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


@require_safe
def changes(request: HttpRequest, slug: str) -> HttpResponse:
    """What changed between two versions, word by word?"""
    found = _whose(request, slug)
    old, new = _two(request, found)
    if old is None or new is None:
        return redirect("portal:policy_history", slug=slug)
    context = {
        "program": found,
        "old": old,
        "new": new,
        "changes": policy.differences(old, new),
        "versions": policy.published(found)[:SHOWN],
    }
    return page(request, "portal/policy_changes.html", context)


@require_safe
def changes_text(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as plain text, [-taken out-] and {+put in+}."""
    old, new = _two(request, _whose(request, slug))
    if old is None or new is None:
        raise NotFound
    parts = [f"Policy of {new.program.organisation}: from version {old.number} to version {new.number}"]
    for change in policy.differences(old, new):
        parts += [f"## {change.heading} ({change.kind})", change.text()]
    parts += [] if len(parts) > 1 else ["Nothing differs in the words."]
    return HttpResponse("\n\n".join(parts) + "\n", content_type="text/plain; charset=utf-8")


def _whose(request: HttpRequest, slug: str) -> Program:
    """The program; also for who reported to it and sees it no more, because their report came under its rules."""
    try:
        return program_for(request.user, slug)
    except NotFound:
        own = reported_by(request.user).filter(program__slug=slug).select_related("program").first()
        if own is None:
            raise
        return own.program


def _two(request: HttpRequest, program: Program) -> tuple[PolicyVersion | None, PolicyVersion | None]:
    """The versions that the query names, the older first. Raises NotFound for a number that was never in force."""
    asked = [request.GET.get("from", ""), request.GET.get("to", "")]
    if not all(one.isascii() and one.isdigit() and len(one) < 10 for one in asked):
        return None, None
    numbers = sorted(int(one) for one in asked)
    return policy.published_version(program, numbers[0]), policy.published_version(program, numbers[1])
