"""The production log of a reported conversation: what does our own record say of it?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from manyeyes.cases import production
from manyeyes.console.gate import team
from manyeyes.console.log_form import LogForm
from manyeyes.console.views.case import desk_case
from manyeyes.rules.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
@team
def log(request: HttpRequest, ref: str) -> HttpResponse:
    """What was logged, held against the report; and a form for a further one."""
    row = desk_case(request, ref)
    form = LogForm(request.POST or None, case=row)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        settings = {name: given.pop(name) for name in production.SETTINGS}
        try:
            production.attach(row, by=request.user, settings=settings, **given)
            return redirect("console:log", ref=row.ref)
        except Invalid as error:
            form.refuse_all(error)
    context = {"case": row, "form": form, "matches": production.matches(row), "origin": production.ORIGIN}
    return render(request, "console/log.html", context, status=422 if form.errors else 200)
