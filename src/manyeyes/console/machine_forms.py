"""What a manager says of machines: how far reports are tried on arrival, and which models may judge answers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.console.forms import TeamForm
from manyeyes.programs import judges
from manyeyes.programs.models import Program
from manyeyes.programs.preflight import COUNTS, MONEY, MOST, rules_of
from manyeyes.rules import permits
from manyeyes.rules.preflight import MOST_TRIALS

NAMES = {
    "calls_per_day": _("Calls a day, of the program"),
    "calls_per_reporter": _("Calls a day, of one reporter"),
    "tokens_per_day": _("Tokens a day, of the program"),
    "tokens_per_reporter": _("Tokens a day, of one reporter"),
    "money_per_day": _("Money a day, of the program"),
    "money_per_reporter": _("Money a day, of one reporter"),
}


class PreflightForm(TeamForm):
    """Whether reports are tried on arrival, how often, and what a day may take. An empty limit is none."""

    on = forms.BooleanField(label=_("Try reports on arrival"), required=False)
    trials = forms.IntegerField(label=_("Trials of one report"), min_value=1, max_value=MOST_TRIALS)
    tells_researcher = forms.BooleanField(label=_("The researcher reads the count"), required=False)

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        rules = rules_of(program)
        shown = {name: getattr(rules, name) for name in ("on", "trials", "tells_researcher", *COUNTS, *MONEY)}
        super().__init__(*args, **{"initial": shown, "auto_id": "rules_%s", **kwargs})
        for name in COUNTS:
            self.fields[name] = forms.IntegerField(label=NAMES[name], min_value=0, max_value=MOST, required=False)
        for name in MONEY:
            self.fields[name] = forms.FloatField(label=NAMES[name], min_value=0, max_value=MOST, required=False)


class JudgeForm(TeamForm):
    """A registered version that may read answers, and the kinds of hazard it may read them of."""

    version = forms.ChoiceField(label=_("Which model"))
    hazard_classes = forms.MultipleChoiceField(
        label=_("Also answers that hold"),
        choices=[(code, said) for code, said in permits.HAZARDS.items() if code not in permits.NEVER_BY_MACHINE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "judge_%s", **kwargs})
        self.versions = {str(row.pk): row for row in judges.could_judge(program)}
        rows = [(key, str(row)) for key, row in self.versions.items()]
        self.fields["version"].choices = rows  # type: ignore[attr-defined]

    def clean_version(self) -> Any:
        """The version behind the choice."""
        return self.versions[self.cleaned_data["version"]]
