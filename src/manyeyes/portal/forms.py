"""What researchers fill in; every rule about the answers lives in `cases`, these classes only carry them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class Carried:
    """A field whose value is judged by `cases` alone; `required` only says whether the page calls it optional."""

    def validate(self, value: Any) -> None:
        """Nothing: see the form's `clean`."""

    def run_validators(self, value: Any) -> None:
        """Nothing: see the form's `clean`."""


class Text(Carried, forms.CharField):
    """Words, passed on exactly as typed."""


class Choice(Carried, forms.ChoiceField):
    """One of several."""


def text(
    label: Any, help_text: Any = "", *, rows: int = 0, needed: bool = False, code: bool = False, **attrs: Any
) -> Text:
    """A text field that passes on exactly what was typed; `code` shows it in letters of one width."""
    attrs |= {"class": "code"} if code else {}
    widget = forms.Textarea(attrs={"rows": rows, **attrs}) if rows else forms.TextInput(attrs=attrs)
    return Text(label=label, help_text=help_text, required=needed, strip=False, widget=widget)


class ReceiptForm(forms.Form):
    """The 24 digits."""

    digits = text(
        _("Your receipt"),
        _("24 digits; spaces do not matter."),
        needed=True,
        code=True,
        inputmode="numeric",
        autocomplete="off",
        spellcheck="false",
    )


class CoReporterForm(forms.Form):
    """Who reports this with you?"""

    handle = text(
        _("Their handle"), _("As they are called here. They see the report once they accept."), autocomplete="off"
    )


class OpenPGPForm(forms.Form):
    """The public key that mail is encrypted to."""

    openpgp_key = text(
        _("Public OpenPGP key"),
        _("Everything from -----BEGIN PGP PUBLIC KEY BLOCK----- on. Made by: gpg --armor --export you@example.org"),
        rows=8,
        needed=True,
        code=True,
        spellcheck="false",
        autocomplete="off",
    )


class WordsForm(forms.Form):
    """A word to the team."""

    text = text(_("Your message"), rows=5)


class RetestForm(forms.Form):
    """Could you still make it work?"""

    claim_k = forms.IntegerField(label=_("It worked"), min_value=0, max_value=1_000_000)
    claim_n = forms.IntegerField(label=_("out of"), min_value=1, max_value=1_000_000)
    transcript = text(_("What you sent and what came back"), _("Kept as text, never rendered."), rows=6, code=True)


class CreditForm(forms.Form):
    """How shall we name you?"""

    mode = forms.ChoiceField(
        label=_("How shall we name you?"),
        widget=forms.RadioSelect,
        choices=(
            ("name", _("By a name I give here")),
            ("handle", _("By my handle")),
            ("anonymous", _("As an anonymous researcher")),
            ("none", _("Not at all")),
            ("later", _("I decide later")),
        ),
    )
    name = text(_("Name"), _("As it should stand on the page of thanks."))
    link = text(_("Link"), _("https only, optional."), inputmode="url")
    share = forms.IntegerField(
        label=_("Your share of a reward, in percent"), required=False, min_value=0, max_value=100,
        help_text=_("Where there is one. All who report this see it; leave it empty while you are not agreed."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, has_handle: bool = True, shared: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not shared:  # whoever reports alone shares with nobody
            del self.fields["share"]
        if not has_handle:  # the bearer of a receipt has none
            mode = self.fields["mode"]
            mode.choices = [one for one in mode.choices if one[0] != "handle"]  # type: ignore[attr-defined]


class EmbargoForm(forms.Form):
    """When may we both speak?"""

    until = forms.DateField(label=_("Not before"), widget=forms.DateInput(attrs={"type": "date"}))


class SettingsForm(forms.Form):
    """How do I appear, and when do you write to me?"""

    use_required_attribute = False

    handle = text(
        _("Handle"), _("2 to 40 letters, digits, dots, dashes or underscores."), needed=True, autocomplete="username"
    )
    display_name = text(
        _("Name"), _("Shown instead of the handle. Researchers see a team member's first name and initial.")
    )
    wants_mail = forms.BooleanField(
        label=_("Send me a mail when there is something new"),
        help_text=_("It holds the case's number and a link, never its content."),
        required=False,
    )
