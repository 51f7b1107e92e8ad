"""The form that invites a researcher from outside."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.console.forms import TeamForm


class GuestForm(TeamForm):
    """Where does the invitation go?"""

    email = forms.CharField(
        label=_("Their mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
