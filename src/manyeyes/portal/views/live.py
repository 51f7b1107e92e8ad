"""The panel beside the report form: what was understood so far. Read and forgotten; the form works without it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from manyeyes.cases.clocks import answer_by
from manyeyes.cases.so_far import REQUIRED, so_far
from manyeyes.http import forbidden, from_this_site, may_try
from manyeyes.portal.views.sheet import Sheet
from manyeyes.programs.access import program_for

LOOKS = 60
FIELD_OF = {"claim": "counted", "contact": "identity"}
"""Where an answer is given, where that is not a field of its own name."""


@csrf_exempt  # as the form itself
@sensitive_post_parameters()
@require_POST
def report_so_far(request: HttpRequest, slug: str) -> HttpResponse:
    """What have you understood so far?"""
    program = program_for(request.user, slug)
    if not from_this_site(request):
        return forbidden(request)
    if not may_try(request, "so-far", times=LOOKS):
        return HttpResponse(status=204)  # the panel stays as it is
    sheet = Sheet(request, program)
    form = sheet.form
    if form.must_stop:
        return render(request, "parts/so_far.html", {"program": program, "stop": True})
    form.is_valid()
    read = so_far(form.report, signed_in=form.signed_in or form.held)
    unsaid = ["contact"] if "identity" in form.fields and not request.POST.get("identity") else []
    missing = list(dict.fromkeys([*read.missing, *unsaid]))
    fields = [form[FIELD_OF.get(name, name)] for name in missing if FIELD_OF.get(name, name) in form.fields]
    context = {
        "program": program, "read": read, "missing": fields, "there": len(REQUIRED) - len(missing),
        "answer_by": answer_by(program),
    }  # fmt: skip
    return render(request, "parts/so_far.html", context)
