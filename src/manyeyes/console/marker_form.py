"""The form that makes a new research marker."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.console.forms import TeamForm
from manyeyes.programs.marker import LONGEST


class MarkerForm(TeamForm):
    """How long does the word before it still count?"""

    days = forms.IntegerField(
        label=_("Days for which the present word is still honoured"), min_value=0, max_value=LONGEST, initial=30,
        help_text=_("People who read the policy before today go on using it. 0 where it is being misused."),
    )  # fmt: skip
