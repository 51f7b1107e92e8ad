"""Who from outside takes part in a program that is not public, and who is asked to?"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from manyeyes.console.gate import team
from manyeyes.console.guest_form import GuestForm
from manyeyes.console.views.program import own_program
from manyeyes.programs import guests as guests_
from manyeyes.programs.models import Program
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound


@require_http_methods(["GET", "HEAD", "POST"])
@team
def guests(request: HttpRequest, slug: str) -> HttpResponse:
    """Invite a researcher by mail, and take an invitation back; for the manager and admins, who alone see addresses."""
    found = own_program(request, slug)
    if not guests_.manages(request.user, found):
        raise NotAllowed(_("The program is changed by its manager or an admin."))
    action, __, which = request.POST.get("action", "").partition(":")
    form = GuestForm(request.POST if action == "invite" else None)
    if action == "end":
        return _end(request, found, which)
    if form.is_bound and form.is_valid():
        try:
            guests_.invite(found, by=request.user, email=form.cleaned_data["email"])
        except Invalid as error:
            form.refuse_all(error)
        else:
            messages.success(request, _("The invitation goes out by mail."))
            return redirect("console:guests", slug=found.slug)
    rows = [{"guest": one, "overdue": guests_.overdue(one)} for one in guests_.standing(found)]
    context = {"program": found, "form": form, "rows": rows, "days": guests_.LASTS.days, "here": "program"}
    return render(request, "console/guests.html", context, status=422 if form.errors else 200)


def _end(request: HttpRequest, program: Program, which: str) -> HttpResponse:
    try:
        row = guests_.standing(program).filter(pk=UUID(which)).first()
    except ValueError:
        row = None
    if row is None:
        raise NotFound
    guests_.end(row, by=request.user)
    messages.success(request, _("The invitation has ended."))
    return redirect("console:guests", slug=program.slug)
