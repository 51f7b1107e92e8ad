"""The forms of a sign-off: the questions of each discipline, and the manager's decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.judgement import Judgement
from manyeyes.console.forms import TeamForm, words
from manyeyes.rules.assessment import ASSESSMENTS, proposed
from manyeyes.rules.signoff import DISCIPLINES


class SignOffForm(TeamForm):
    """One discipline's word on the rating that stands, with its assessment; choices begin as the rating proposes."""

    def __init__(
        self, *args: Any, discipline: str, letters: Mapping[str, str] | None = None, waits: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"auto_id": f"sign_{discipline}_%s", **kwargs})
        self.discipline = discipline
        self.name = DISCIPLINES[discipline]
        self.waits = waits
        start = proposed(discipline, letters or {})
        for asked in ASSESSMENTS[discipline]:
            if asked.choices:
                self.fields[asked.name] = forms.ChoiceField(
                    label=asked.label, help_text=asked.question, choices=asked.choices,
                    initial=start.get(asked.name),
                )  # fmt: skip
            else:
                self.fields[asked.name] = words(asked.label, asked.question, rows=2, required=True)
                if waits:
                    self.fields[asked.name].widget.attrs["data-key"] = "s"
        self.fields["agrees"] = forms.ChoiceField(
            choices=(("yes", _("I agree with the rating")), ("no", _("I do not agree, and say why"))),
            widget=forms.RadioSelect, initial="yes",
        )  # fmt: skip
        self.fields["note"] = words(_("Why"), _("Needed if you do not agree."), rows=2)
        self.fields["rating"] = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def questions(self) -> list[Any]:
        """The fields of the assessment, in order."""
        return [self[asked.name] for asked in ASSESSMENTS[self.discipline]]

    def assessment(self) -> dict[str, str]:
        """Question → answer, as typed and chosen."""
        return {asked.name: self.cleaned_data.get(asked.name) or "" for asked in ASSESSMENTS[self.discipline]}


class DecisionForm(TeamForm):
    """The manager decides, with a reason."""

    note = words(_("The rating stands, because"), rows=3)
    rating = forms.UUIDField(widget=forms.HiddenInput, required=False)


def unsent(signs: Iterable[str], standing: Judgement | None) -> list[SignOffForm]:
    """An empty form for each discipline the viewer may sign for, those that wait for a word first."""
    if standing is None:
        return []
    letters, state = dict(standing.rating.parsed.letters), standing.sign_offs
    given = {"security": state.security is not None, "ml": state.ml is not None}
    return [
        SignOffForm(discipline=name, letters=letters, waits=not given[name], initial={"rating": standing.rating.pk})
        for name in sorted(signs, key=lambda name: (given[name], name == "ml"))
    ]
