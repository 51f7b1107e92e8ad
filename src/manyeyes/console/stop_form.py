"""The form for counsel's words about material that must never be sent."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.console.forms import TeamForm


class StopForm(TeamForm):
    """What the page says that stops a report."""

    stop_text = forms.CharField(
        label=_("What to do, in counsel's words"), required=False, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Paragraphs and lists as in the policy. Empty: the neutral words stand."),
    )  # fmt: skip
    stop_contact = forms.CharField(
        label=_("Whom to call"), required=False,
        help_text=_("An authority or a hotline with its number, as counsel checked it. We ship none."),
    )  # fmt: skip
