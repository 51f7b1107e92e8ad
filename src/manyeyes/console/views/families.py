"""Cases about the same flaw: close one because of another, split a report, and the page of a family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from manyeyes.cases import duplicates, families, kinship, merging, splitting
from manyeyes.cases.kin import Family
from manyeyes.cases.models import Case
from manyeyes.console.family_forms import FamilyForm, GroupForm, MemberForm, SameFlawForm, SplitForm
from manyeyes.console.gate import team
from manyeyes.console.views.case import desk_case, version
from manyeyes.rules.errors import Conflict, Invalid, NotFound, Refused, Stale
from manyeyes.rules.families import Part

WAYS: dict[str, tuple[Part, Callable[..., Case], str]] = {
    "duplicate": (Part.DUPLICATE, duplicates.mark, "of"),
    "merge": (Part.MERGED, merging.merge, "into"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@team
def same_flaw(request: HttpRequest, ref: str, how: str) -> HttpResponse:
    """Name the other case, read what the researcher will read, then close this one."""
    row = desk_case(request, ref)
    if how not in WAYS:
        raise Http404
    part, act, name = WAYS[how]
    form = SameFlawForm(request.POST if request.method == "POST" else None, initial={"of": request.GET.get("of", "")})
    first, said, refused = _ahead(request, row, part, form)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            act(
                row, by=request.user, **{name: _other(request, given["of"])}, words=given["words"] or "",
                why=given["why"] or "", expected_version=version(request),
            )  # fmt: skip
            messages.success(request, _("%(ref)s is closed, and its researcher was told.") % {"ref": row.ref})
            return redirect("console:case", ref=row.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {
        "case": row, "how": how, "form": form, "first": first, "said": said, "refused": refused,
        "suggested": families.suggested(row, request.user),
    }  # fmt: skip
    return render(request, "console/same_flaw.html", context, status=422 if form.errors else 200)


def _ahead(request: HttpRequest, row: Case, part: Part, form: SameFlawForm) -> tuple[Case | None, str, str]:
    """The case that would be followed and our words for it, or why it cannot be; nothing while none is named."""
    typed = str((request.POST if form.is_bound else request.GET).get("of", "")).strip()
    if not typed:
        return None, "", ""
    try:
        return *duplicates.ahead(row, _other(request, typed), part), ""
    except Invalid as error:
        return None, "", " ".join(error.fields.values())
    except Refused as error:
        return None, "", error.message


def _other(request: HttpRequest, typed: str) -> Case:
    """The case that was named; one that the viewer may not know of is refused in the words of one that is not there."""
    try:
        return desk_case(request, typed)
    except NotFound:
        raise duplicates.absent() from None


@require_http_methods(["GET", "HEAD", "POST"])
@team
def split(request: HttpRequest, ref: str) -> HttpResponse:
    """Make a case out of one of several flaws of a report."""
    row = desk_case(request, ref)
    form = SplitForm(request.POST if request.method == "POST" else None, initial={"vuln_class": row.vuln_class})
    if request.method == "POST" and form.is_valid():
        given = {name: value or "" for name, value in form.cleaned_data.items()}
        try:
            new = splitting.split(row, by=request.user, **given, expected_version=version(request))
            messages.success(request, _("%(ref)s is open, and its researcher was told.") % {"ref": new.ref})
            return redirect("console:case", ref=new.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {"case": row, "form": form, "may": kinship.may_act(row, request.user)}
    return render(request, "console/split.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@team
def group(request: HttpRequest) -> HttpResponse:
    """Put cases into one family."""
    asked = request.POST if request.method == "POST" else request.GET
    cases = [desk_case(request, ref) for ref in list(dict.fromkeys(asked.getlist("case")))[: families.MOST]]
    form = GroupForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            more = [_other(request, ref) for ref in form.refs()]
            row = families.group(
                [*cases, *more], by=request.user, name=form.cleaned_data["name"],
                note=form.cleaned_data["note"] or "", why=form.cleaned_data["why"] or "",
            )  # fmt: skip
            messages.success(request, _("They are in one family now."))
            return redirect("console:family", family=row.ref)
        except Invalid as error:
            form.refuse_all(_about(error, {"case": "more", "of": "more"}))
        except Conflict as error:
            if isinstance(error, Stale):
                raise
            form.add_error(None, error.message)
    context = {"form": form, "cases": cases, "known": kinship.known(cases), "here": "queue"}
    return render(request, "console/group.html", context, status=422 if form.errors else 200)


def _about(error: Invalid, names: dict[str, str]) -> Invalid:
    """The same refusal beside the fields of this form."""
    return Invalid({names.get(name, name): words for name, words in error.fields.items()})


@require_http_methods(["GET", "HEAD", "POST"])
@team
def family(request: HttpRequest, family: str) -> HttpResponse:
    """Everything about a family on one page."""
    row = families.family_for(request.user, family)
    if request.method != "POST":
        return _family(request, row)
    try:
        _change(request, row)
    except Invalid as error:
        return _family(request, row, status=422, problems=list(error.fields.values()))
    except Refused as error:
        fresh = families.family_for(request.user, family)
        return _family(request, fresh, status=409, problems=[error.message], typed=True)
    messages.success(request, _("Done, and on record."))
    try:
        return redirect("console:family", family=families.family_for(request.user, family).ref)
    except NotFound:  # one case alone is no family
        return redirect("console:queue")


def _change(request: HttpRequest, row: Family) -> None:
    """Do what the button says, on the family as the person saw it."""
    me, asked = request.user, request.POST
    seen = int(asked["revision"]) if asked.get("revision", "").isdecimal() and len(asked["revision"]) < 9 else 0
    if asked.get("act") == "describe":
        form = FamilyForm(asked)
        if not form.is_valid():
            raise Invalid({name: str(problems[0]) for name, problems in form.errors.items()})
        families.describe(row, by=me, name=form.cleaned_data["name"], note=form.cleaned_data["note"] or "", seen=seen)
        return
    chosen = MemberForm(asked)
    if not chosen.is_valid():
        raise Invalid(act=_("Choose one of the buttons."))
    held = chosen.cleaned_data
    case = next((one.case for one in families.members(row, me) if one.case.ref == held["case"]), None)
    if case is None:
        raise Conflict(_("This case is not in the family any more. Look again."))
    act = {"take_out": families.take_out, "lead": families.lead}[held["act"]]
    act(case, by=me, why=held["why"] or "", seen=seen)


def _family(request: HttpRequest, row: Family, status: int = 200, **more: Any) -> HttpResponse:
    asked, typed = request.POST, more.get("typed", False)
    shown = kinship.page(row, request.user)
    refs = [("case", one.case.ref) for one in shown.members]
    held = {"name": row.name or "", "note": row.note or ""}
    if asked.get("act") == "describe" and status != 200:
        held = {name: asked.get(name, "") for name in held}
    since = int(asked["revision"]) if typed and asked.get("revision", "").isdecimal() else None
    context = {
        "family": row, "shown": shown, "form": FamilyForm(initial=held), "may": families.triages(request.user, row),
        "together": f"{reverse('console:together')}?{urlencode(refs)}", "here": "queue",
        "asked": {"act": asked.get("act", ""), "why": asked.get("why", ""), "case": asked.get("case", "")},
        "happened": [one for one in shown.events if since is not None and one.revision > since], **more,
    }  # fmt: skip
    return render(request, "console/family.html", context, status=status)
