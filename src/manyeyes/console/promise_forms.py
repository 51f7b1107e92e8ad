"""What a manager promises beside the first answer, the decision and the publication, and how the days are counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes.console.forms import TeamForm
from manyeyes.programs.policy import Editing
from manyeyes.rules import promises, sharing
from manyeyes.rules.calendars import DAY_NAMES

SHARED = {
    "none": gettext_lazy("The first report alone counts"),
    "equal": gettext_lazy("All within the time count alike"),
    "order": gettext_lazy("All within the time count, in the order in which they came"),
}
HOURS, DAYS = gettext_lazy("In hours"), gettext_lazy("In days")


class PromisesForm(TeamForm):
    """The figures and the calendar. `number` and `revision` say which draft it began from."""

    number = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    working_days_for = forms.MultipleChoiceField(
        label=gettext_lazy("Counted in working days"),
        help_text=gettext_lazy("Everything else counts every hour. An attacker does not wait for Monday."),
        widget=forms.CheckboxSelectMultiple, required=False,
    )  # fmt: skip
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Working days"), choices=[(name, name) for name in DAY_NAMES],
        widget=forms.CheckboxSelectMultiple, required=False,
    )  # fmt: skip
    zone = forms.CharField(
        label=gettext_lazy("Time zone"), help_text=gettext_lazy("A day begins at midnight there, like Europe/Berlin."),
        max_length=60,
    )  # fmt: skip
    holidays = forms.CharField(
        label=gettext_lazy("Holidays"),
        help_text=gettext_lazy("One date on each line, like 2026-12-25. One added later holds for later reports."),
        widget=forms.Textarea(attrs={"rows": 6}), required=False, max_length=4000,
    )  # fmt: skip
    weekend_rota = forms.BooleanField(
        label=gettext_lazy("Somebody reads new reports on weekends and holidays too"), required=False
    )
    share_days = forms.IntegerField(
        label=gettext_lazy("Days after the first report"), min_value=sharing.LEAST, max_value=sharing.MOST,
        help_text=gettext_lazy("Who reports the same flaw within these days shares as you say below."),
    )  # fmt: skip
    share_credit = forms.ChoiceField(label=gettext_lazy("Credit"), choices=list(SHARED.items()))
    share_reward = forms.ChoiceField(
        label=gettext_lazy("Reward"), help_text=gettext_lazy("Said only where the program pays."),
        choices=list(SHARED.items()),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["working_days_for"].choices = [  # type: ignore[attr-defined]
            (name, _(label)) for name, label in promises.WORKING.items()
        ]
        for name, figure in promises.FIGURES.items():
            self.fields[name] = forms.IntegerField(
                label=_(figure.label), help_text=DAYS if figure.days else HOURS, min_value=figure.least,
                max_value=figure.most,
            )  # fmt: skip

    @classmethod
    def of(cls, now: Editing) -> PromisesForm:
        """The form as the draft stands."""
        lists = {name: str(now.terms[name]).split() for name in ("working_days_for", "weekdays")}
        days = {"holidays": "\n".join(str(now.terms["holidays"]).split())}
        return cls(initial={**now.terms, **lists, **days, "number": now.number, "revision": now.revision})

    def figures(self) -> list[forms.BoundField]:
        """The fields of hours and days."""
        return [self[name] for name in promises.FIGURES]

    def counting(self) -> list[forms.BoundField]:
        """The fields of the calendar."""
        return [self[name] for name in promises.COUNTING]

    def shared(self) -> list[forms.BoundField]:
        """The fields of the sharing rule."""
        return [self[name] for name in sharing.DEFAULTS]

    def terms(self) -> Mapping[str, Any]:
        """What was filled in, as a policy version keeps it."""
        given = {name: self.cleaned_data[name] for name in (*promises.DEFAULTS, *sharing.DEFAULTS)}
        lists = {name: " ".join(given[name]) for name in ("working_days_for", "weekdays")}
        return {**given, **lists, "holidays": " ".join(sorted(given["holidays"].split()))}
