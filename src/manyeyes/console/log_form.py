"""What staff say of a conversation as production logged it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.models import Case
from manyeyes.console.forms import TeamForm, words


class LogForm(TeamForm):
    """The true settings and the transcript; an empty setting is one that the log does not hold."""

    happened_at = forms.DateTimeField(
        label=_("When it happened (UTC)"), required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    version = forms.ChoiceField(label=_("Which version answered"), required=False)
    temperature = forms.CharField(label=_("Temperature"), max_length=40, required=False)
    top_p = forms.CharField(label=_("Top-p"), max_length=40, required=False)
    max_tokens = forms.CharField(label=_("Token limit"), max_length=40, required=False)
    transcript = words(
        _("The conversation as it was logged"),
        _("Begin each message on a line of its own with user:, assistant: or system:."), rows=10, required=True,
    )  # fmt: skip

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.versions = {str(row.pk): row for row in case.target.versions.all()}
        rows = [("", _("Not known")), *((key, row.label) for key, row in self.versions.items())]
        self.fields["version"].choices = rows  # type: ignore[attr-defined]

    def clean_version(self) -> Any:
        """The version behind the choice."""
        return self.versions.get(self.cleaned_data["version"])
