"""What the team fills in on the launch checklist and for the program's key; the rules live in `programs`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.console.forms import TeamForm
from manyeyes.programs.models import Program
from manyeyes.rules.errors import NotFound
from manyeyes.rules.launch import BY_NAME, LEAST_HOURS, MOST_HOURS, Kind


class _Asked:
    """A field whose answer is judged by `rules.launch` alone; the page does not call it optional."""

    def validate(self, value: Any) -> None:
        """Nothing: the checklist says what is wrong, in its own words."""


class _Choice(_Asked, forms.ChoiceField):
    """Somebody of the team."""


class _Number(_Asked, forms.IntegerField):
    """A figure."""


class SayForm(TeamForm):
    """Who holds one item of the checklist, or why it does not apply."""

    person = _Choice(label=_("Who"))
    hours = _Number(label=_("Hours a week"), widget=forms.NumberInput(attrs={"min": LEAST_HOURS, "max": MOST_HOURS}))
    applies = forms.BooleanField(label=_("This does not apply to us"), required=False)
    reason = forms.CharField(
        label=_("Because, where it does not apply"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any = None, *, program: Program, item: str, **kwargs: Any) -> None:
        if item not in BY_NAME:
            raise NotFound
        self.program, self.item = program, BY_NAME[item]
        super().__init__(data, auto_id=f"{item}_%s", **kwargs)
        members = [row.person for row in program.memberships.select_related("person")]
        self.people = {str(one.pk): one for one in members}
        self.fields["person"].choices = [("", _("Choose somebody")), *((pk, p.name) for pk, p in self.people.items())]  # type: ignore[attr-defined]
        if self.item.kind != Kind.HOURS:
            del self.fields["hours"]
        if not self.item.skippable:
            del self.fields["applies"], self.fields["reason"]
        elif self.item.kind == Kind.FACT:
            del self.fields["person"]
            self.fields["applies"].label = _("Go on with it as it is")
            self.fields["reason"].label = _("Because")

    def given(self) -> dict[str, Any]:
        """The answer, as the checklist takes it."""
        got = self.cleaned_data
        return {
            "person": self.people.get(got.get("person") or ""),
            "hours": got.get("hours"),
            "applies": not got.get("applies"),
            "reason": got.get("reason") or "",
        }


class ImportKeyForm(TeamForm):
    """A private key of the organisation's."""

    openpgp_key = forms.CharField(
        label=_("Private OpenPGP key"),
        help_text=_("From gpg --armor --export-secret-keys. It is encrypted before it is stored."),
        error_messages={"required": _("Paste the private key.")},
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "class": "code", "spellcheck": "false", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Its password"), required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def given(self) -> dict[str, str]:
        """The key and its password."""
        got = self.cleaned_data
        return {"text": got.get("openpgp_key") or "", "password": got.get("password") or ""}
