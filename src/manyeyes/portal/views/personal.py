"""What is kept of me: my profile, where I am signed in, my data to take along or to leave, a receipt to claim."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from manyeyes.accounts import profiles, receipts, sessions
from manyeyes.cases import claiming, personal
from manyeyes.http import within_limit
from manyeyes.portal.forms import text
from manyeyes.portal.views.page import page
from manyeyes.publications.personal import everything
from manyeyes.publications.personal import leave as end_for_good
from manyeyes.rules.errors import Invalid, NotFound

CLAIMS_PER_HOUR = 20


class ProfileForm(forms.Form):
    """How do you want to be named, and what do you read?"""

    use_required_attribute = False

    credit_name = text(gettext_lazy("Name for credits"), gettext_lazy("Proposed when you choose how to be named."))
    links = text(gettext_lazy("Links"), gettext_lazy("Addresses that begin with https://, one a line."), rows=3)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("What you would rather read; the team sees it beside your reports."),
        required=False,
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Times are shown in UTC, and below it in yours."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unsaid = [("", _("no preference"))]
        self.fields["language"].choices = unsaid + profiles.languages()  # type: ignore[attr-defined]
        self.fields["zone"].choices = [("", _("UTC only")), *profiles.zones_by_region()]  # type: ignore[attr-defined]
        self.fields["zone"].widget.attrs["data-likely"] = _("As this browser says")


class ClaimForm(forms.Form):
    """The 24 digits, and whether they stay good."""

    digits = text(
        gettext_lazy("The receipt"), gettext_lazy("24 digits; spaces do not matter."), needed=True, code=True,
        inputmode="numeric", autocomplete="off", spellcheck="false",
    )  # fmt: skip
    after = forms.ChoiceField(
        label=gettext_lazy("And afterwards"),
        widget=forms.RadioSelect,
        initial="end",
        choices=(
            ("end", gettext_lazy("The digits open nothing any more")),
            ("keep", gettext_lazy("The digits stay good beside my account")),
        ),
    )


class LeaveForm(forms.Form):
    """Are you sure?"""

    sure = forms.BooleanField(
        label=gettext_lazy("I have read what goes and what stays"), required=False,
    )  # fmt: skip
    keep_credit = forms.BooleanField(label=gettext_lazy("Leave my name where I am thanked in public"), required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """How shall I be named, and what do I read?"""
    me: Any = request.user
    if me.kind == "receipt":
        raise NotFound
    said = profiles.of(me)
    start = {"credit_name": said.credit_name, "links": "\n".join(said.links), "language": said.language}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial={**start, "zone": said.zone})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            new = {**given, "links": given["links"].splitlines()}
            profiles.say(me, profiles.Said(**new))
            messages.success(request, _("Saved."))
            return redirect("portal:profile")
        except Invalid as error:
            for name, problem in error.fields.items():
                form.add_error(name, problem)
    return page(request, "portal/profile.html", {"form": form, "here": "settings"}, 422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def my_sessions(request: HttpRequest) -> HttpResponse:
    """Where am I signed in?"""
    me, here = request.user, request.session.session_key
    if request.method == "POST":
        return _end(request, request.POST.get("end", ""))
    rows = [{"row": row, "here": same, "ways": sessions.ways_words(row)} for row, same in sessions.listed(me, here)]
    return page(request, "portal/sessions.html", {"sign_ins": rows, "here": "settings"})


def _end(request: HttpRequest, which: str) -> HttpResponse:
    me, here = request.user, request.session.session_key
    if which == "others":
        sessions.end_others(me, here)
        messages.success(request, _("Everybody else who used your account is signed out."))
        return redirect("portal:sessions")
    if which == "all":
        sessions.end_others(me, here)
    elif which != "here":
        sessions.end(me, _id(which))
        return redirect("portal:sessions")
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("portal:home")


def _id(typed: str) -> Any:
    try:
        return forms.UUIDField().clean(typed)
    except forms.ValidationError:
        raise NotFound from None


@require_safe
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    """What do you keep of me, and how do I take it along or away?"""
    context = {"why_not": personal.may_leave(request.user), "here": "settings"}
    return page(request, "portal/my_data.html", context)


@require_POST
@login_required
@reauthentication_required(allow_get=False)  # type: ignore[untyped-decorator]
def export(request: HttpRequest) -> HttpResponse:
    """Everything as one file that other programs can read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in everything(request.user).items():
            archive.writestr(f"{name}.json", json.dumps(data, default=str, ensure_ascii=False, indent=1))
    answer = HttpResponse(packed.getvalue(), content_type="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def leave(request: HttpRequest) -> HttpResponse:
    """End my account, after reading what goes and what stays."""
    me: Any = request.user
    form = LeaveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["sure"]:
            end_for_good(me, keep_credit=form.cleaned_data["keep_credit"])
            logout(request)
            return page(request, "portal/left.html", {})
        form.add_error("sure", _("Say that you have read it; this cannot be undone."))
    why_not = personal.may_leave(me)
    context = {"form": form, "why_not": why_not, "fates": personal.fates(me), "here": "settings"}
    return page(request, "portal/leave.html", context, 422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def claim(request: HttpRequest) -> HttpResponse:
    """Take what I sent with a receipt into this account."""
    me: Any = request.user
    if me.kind == "receipt":
        raise NotFound
    form = ClaimForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        bearer = None
        if within_limit(request, "receipt", CLAIMS_PER_HOUR):
            bearer = receipts.person_for(form.cleaned_data["digits"])
        if bearer is not None:
            ended = form.cleaned_data["after"] == "end"
            taken = claiming.claim(bearer, by=me, end_receipt=ended)
            messages.success(request, _("Yours now: %(refs)s.") % {"refs": ", ".join(one.ref for one in taken) or "–"})
            return redirect("portal:my")
        form.add_error(
            "digits", _("These digits open nothing. Look at each group again; after many tries, wait an hour.")
        )
    return page(request, "portal/claim.html", {"form": form, "here": "settings"}, 422 if form.errors else 200)
