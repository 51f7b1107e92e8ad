"""By which rubric is severity rated, what changed between its versions, and how far do raters agree?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from manyeyes.cases import raters as stage
from manyeyes.console.forms import TeamForm, words
from manyeyes.console.gate import team
from manyeyes.console.views.program import manages, own_program
from manyeyes.programs import rubrics
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.rubric import Rubric, difference, text_of


class RubricForm(TeamForm):
    """The weights of the levels one by one, or the whole rubric as a file; and why it changes."""

    why = forms.CharField(label=_("Why it changes"), max_length=400, help_text=_("One line, shown beside the version."))
    text = words(_("The whole rubric as a file"), _("JSON. What is written here wins over the weights above."), rows=14)
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, rubric: Rubric, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"seen": rubric.version}, **kwargs})
        self.rubric = rubric
        for metric in rubric.metrics:
            for option in metric.levels:
                self.fields[f"weight_{metric.code}_{option.letter}"] = forms.DecimalField(
                    label=f"{metric.code}:{option.letter} {option.words}", initial=option.weight, required=False,
                    min_value=0, max_value=10, decimal_places=2,
                )  # fmt: skip

    def weights(self) -> list[dict[str, Any]]:
        """The metrics with a field for each level."""
        return [
            {"metric": metric, "levels": [self[f"weight_{metric.code}_{option.letter}"] for option in metric.levels]}
            for metric in self.rubric.metrics
        ]

    def edited(self) -> str:
        """The rubric as a file: the one that was typed, else the present one with the weights of the form."""
        typed = self.cleaned_data["text"].strip()
        if typed:
            return str(typed)
        metrics = []
        for metric in self.rubric.metrics:
            levels = []
            for option in metric.levels:
                weight = self.cleaned_data[f"weight_{metric.code}_{option.letter}"]
                levels.append(option.model_copy(update={"weight": option.weight if weight is None else weight}))
            metrics.append(metric.model_copy(update={"levels": tuple(levels)}))
        return text_of(self.rubric.model_copy(update={"metrics": tuple(metrics)}))


@require_http_methods(["GET", "HEAD", "POST"])
@team
def rubric(request: HttpRequest, slug: str) -> HttpResponse:
    """The rubric in force with its versions; a manager publishes the next one, and none ever changes."""
    found = own_program(request, slug)
    form = RubricForm(request.POST or None, rubric=rubrics.in_force(found))
    if request.method == "POST" and form.is_valid():
        try:
            rubrics.publish(
                found, by=request.user, text=form.edited(), why=form.cleaned_data["why"], seen=form.cleaned_data["seen"]
            )
            return redirect("console:rubric", slug=found.slug)
        except Invalid as error:
            form.refuse_all(Invalid({{"rubric": "text"}.get(name, name): said for name, said in error.fields.items()}))
    known = rubrics.versions(found)
    before, after = _compared(request, known)
    context = {
        "program": found, "form": form, "versions": known, "manages": manages(request, found), "here": "program",
        "rubric": known[0][1], "file": text_of(known[0][1]), "before": before, "after": after,
        "changes": difference(before, after) if before and after else None,
    }  # fmt: skip
    return render(request, "console/rubric.html", context, status=422 if form.errors else 200)


def _compared(request: HttpRequest, known: list[Any]) -> tuple[Rubric | None, Rubric | None]:
    """The two versions that are held against each other: those asked for, else the two newest."""
    by_name = {name: rubric for name, rubric, _row in known}
    if len(known) < 2:
        return None, None
    before = by_name.get(request.GET.get("from", ""), known[1][1])
    return before, by_name.get(request.GET.get("to", ""), known[0][1])


@require_safe
@team
def raters(request: HttpRequest, slug: str) -> HttpResponse:
    """How far do people agree who rated the same case without seeing each other? For managers."""
    found = own_program(request, slug)
    if not manages(request, found):
        raise NotAllowed
    return render(request, "console/raters.html", {"program": found, "raters": stage.agreed(found), "here": "program"})
