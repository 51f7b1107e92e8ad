"""How people on a team work, as forms: what they can hold and view, when they are away, what they know."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.accounts import profiles
from manyeyes.accounts.at_work import AtWork
from manyeyes.cases.intake_report import OPEN_HAZARDS
from manyeyes.console.forms import TeamForm
from manyeyes.programs.models import Membership
from manyeyes.programs.triage_rules import Expertise, TriageRules
from manyeyes.rules.signoff import BANDS, DISCIPLINES, RULE_WORDS
from manyeyes.rules.taxonomy import KINDS


def ticks(label: Any, choices: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    """Any number of choices out of a few."""
    return forms.MultipleChoiceField(
        label=label, help_text=help_text, choices=choices, widget=forms.CheckboxSelectMultiple, required=False
    )


class WorkForm(TeamForm):
    """What somebody can hold and will not view; `keys` is theirs alone to set."""

    most_cases = forms.IntegerField(
        label=_("Open cases at most"), min_value=0, max_value=999, required=False,
        help_text=_("A case counts while it needs triage. Empty: say hours, or nothing."),
    )  # fmt: skip
    hours_a_week = forms.IntegerField(
        label=_("Or hours a week"), min_value=0, max_value=168, required=False,
        help_text=_("Counted as two hours for each open case."),
    )  # fmt: skip
    declined = ticks(
        _("Content that is not for them"), list(OPEN_HAZARDS.items()),
        _("Such cases are given to others, and such content stays closed. It needs no reason."),
    )  # fmt: skip
    keys = forms.ChoiceField(
        label=_("Single keys in the console"), choices=AtWork.Keys.choices, widget=forms.RadioSelect,
    )  # fmt: skip

    def __init__(self, *args: Any, row: AtWork, own: bool, **kwargs: Any) -> None:
        start = {
            "most_cases": row.most_cases, "hours_a_week": row.hours_a_week, "declined": row.declines or [],
            "keys": row.keys,
        }  # fmt: skip
        super().__init__(*args, **{"auto_id": "work_%s", "initial": start, **kwargs})
        if own:
            self.fields["declined"].label = _("Content I will not view")
        else:
            del self.fields["keys"]


class AbsenceForm(TeamForm):
    """From a day to a day."""

    first_day = forms.DateField(label=_("First day away"), widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(label=_("Last day away"), widget=forms.DateInput(attrs={"type": "date"}))
    zone = forms.ChoiceField(label=_("Days of which time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "away_%s", **kwargs})
        self.fields["zone"].choices = [("UTC", "UTC"), *profiles.zones_by_region()]  # type: ignore[attr-defined]


class ExpertiseForm(TeamForm):
    """What somebody knows well in one program; it decides who is asked first."""

    classes = ticks(_("Kinds of flaw"), [(code, kind.name) for code, kind in KINDS.items()])
    targets = ticks(_("Targets"), [])

    def __init__(self, *args: Any, membership: Membership, row: Expertise, **kwargs: Any) -> None:
        start = {"classes": row.classes, "targets": row.targets}
        super().__init__(*args, **{"auto_id": f"know_{membership.pk}_%s", "initial": start, **kwargs})
        self.membership = membership
        rows = [(str(target.pk), target.name) for target in membership.program.targets.all()]
        self.fields["targets"].choices = rows  # type: ignore[attr-defined]


class DisciplinesForm(TeamForm):
    """For which disciplines somebody may sign off."""

    disciplines = ticks(
        _("May sign off for"), [(name, words) for name, words in DISCIPLINES.items()],
        _("Triagers have that of their role. Whoever has both wears two hats, and every case shows it."),
    )  # fmt: skip


class TriageRulesForm(TeamForm):
    """What each severity band asks for, and how reports find their people."""

    assigns = forms.BooleanField(
        label=_("Reports are given to a security and an ML triager when they arrive"), required=False
    )
    independent = forms.BooleanField(
        label=_("The second sign-off is made without seeing the first"), required=False,
        help_text=_("Both open when both are filed."),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, row: TriageRules, **kwargs: Any) -> None:
        start = {"assigns": row.assigns, "independent": row.independent, "revision": row.revision}
        super().__init__(*args, **{"initial": start, **kwargs})
        for band in BANDS:
            self.fields[band] = forms.ChoiceField(
                label=band, choices=[(str(rule), words) for rule, words in RULE_WORDS.items()],
                initial=str(row.policy[band]),
            )  # fmt: skip

    def bands(self) -> list[Any]:
        """The fields of the severity bands, the gravest first."""
        return [self[band] for band in BANDS]
