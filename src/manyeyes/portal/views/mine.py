"""What somebody says about themselves, whichever face they work on: name, mail, the way to second factors."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from manyeyes.accounts.people import change_settings
from manyeyes.portal.forms import SettingsForm
from manyeyes.portal.views.page import page
from manyeyes.rules.errors import Invalid, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: HttpRequest) -> HttpResponse:
    """How do I appear, when do you write to me, how do I sign in?"""
    me: Any = request.user
    by_receipt = me.kind == "receipt"
    if request.method == "POST" and by_receipt:
        raise NotFound  # nothing of a receipt's bearer can be set
    form = SettingsForm(
        request.POST or None,
        initial={"handle": me.handle, "display_name": me.display_name, "wants_mail": me.wants_mail},
    )
    if request.method == "POST" and form.is_valid():
        try:
            change_settings(me, **form.cleaned_data)
            messages.success(request, _("Saved. It shows everywhere from now on."))
            return redirect("portal:settings")
        except Invalid as error:
            for name, problem in error.fields.items():
                form.add_error(name, f"{form.fields[name].label}: {problem}")
    context = {"form": form, "by_receipt": by_receipt, "here": "settings"}
    return page(request, "portal/settings.html", context, 422 if form.errors else 200)
