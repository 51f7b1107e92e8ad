"""The promises of a program: how long each clock of a case may run, and which days it counts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from manyeyes.console.gate import team
from manyeyes.console.promise_forms import PromisesForm
from manyeyes.console.views.policy import managed_program
from manyeyes.programs import policy
from manyeyes.programs.models import Program
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.promises import unkept


@require_http_methods(["GET", "HEAD", "POST"])
@team
def promises(request: HttpRequest, slug: str) -> HttpResponse:
    """Change them in the draft of the policy: they hold for reports that come once it is published."""
    found = managed_program(request, slug)
    now = policy.editing(found)
    if request.method != "POST":
        return _page(request, found, now, PromisesForm.of(now))
    form = PromisesForm(request.POST)
    if not form.is_valid():
        return _page(request, found, now, form, status=422)
    held = form.cleaned_data
    try:
        policy.save_draft(
            found, by=request.user, number=held["number"], revision=held["revision"], texts=now.texts,
            terms={**now.terms, **form.terms()},
        )  # fmt: skip
    except Invalid as error:
        form.refuse_all(error)
        return _page(request, found, now, form, status=422)
    except Conflict as error:
        return _page(request, found, now, form, status=409, conflict=str(error))
    messages.success(
        request, _("Stored in the draft of the policy. Publish it, and reports from then on come under it.")
    )
    return redirect("console:promises", slug=found.slug)


def _page(
    request: HttpRequest, found: Program, now: policy.Editing, form: PromisesForm, *, status: int = 200,
    conflict: str = "",
) -> HttpResponse:  # fmt: skip
    context = {
        "program": found,
        "form": form,
        "now": now,
        "warning": unkept(now.terms),
        "conflict": conflict,
        "here": "program",
    }
    return render(request, "console/promises.html", context, status=status)
