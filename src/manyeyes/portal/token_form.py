"""What somebody fills in to make an API token; `accounts.tokens` judges it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.accounts.tokens import LIFETIMES, SCOPES


class TokenForm(forms.Form):
    """What is it for, what may it do, and for how long?"""

    use_required_attribute = False

    name = forms.CharField(
        label=_("Name"),
        help_text=_("To know it by later, such as the computer it is for."),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(name, said) for name, said in SCOPES.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label=_("It works for"), choices=list(LIFETIMES.items()), coerce=int, initial=30, widget=forms.RadioSelect
    )

    def asked(self) -> dict[str, Any]:
        """The answers, as `accounts.tokens.issue` takes them."""
        given = self.cleaned_data
        return {"name": given.get("name", ""), "scopes": given.get("scopes", []), "days": given.get("days", 0)}
