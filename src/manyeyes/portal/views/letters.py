"""Mail to a reader: the key it is encrypted to, and whether they want it about a case."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from manyeyes import events
from manyeyes.accounts import postkey
from manyeyes.portal.forms import OpenPGPForm
from manyeyes.portal.views.my import own_case
from manyeyes.portal.views.page import page
from manyeyes.rules.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def key(request: HttpRequest) -> HttpResponse:
    """To which key is my mail encrypted?"""
    me: Any = request.user
    if me.kind == "receipt":
        raise NotFound  # nobody has an address of theirs, so no mail is ever sent
    form = OpenPGPForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and request.POST.get("action") == "remove":
        postkey.remove(me)
        messages.success(request, _("The key is gone. Mail comes unencrypted from now on; it never holds content."))
        return redirect("portal:settings_key")
    if request.method == "POST":
        form.is_valid()
        try:
            postkey.give(me, text=form.cleaned_data.get("openpgp_key") or "")
            messages.success(request, _("Saved. Every mail to you is encrypted to this key from now on."))
            return redirect("portal:settings_key")
        except Invalid as error:
            form.add_error("openpgp_key", " ".join(error.fields.values()))
    context = {"form": form, "standing": postkey.standing(me), "here": "settings"}
    return page(request, "portal/settings_key.html", context, 422 if form.errors else 200)


@require_POST
@login_required
def case_mail(request: HttpRequest, ref: str) -> HttpResponse:
    """No more mail about this case, or mail again."""
    me: Any = request.user
    case = own_case(request, ref)
    events.choose(me.pk, case.ref, False if request.POST.get("mail") == "mute" else None)
    return redirect("portal:my_case", ref=case.ref)
