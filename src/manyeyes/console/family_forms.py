"""What a triager fills in to put cases beside each other; the law about it lives in `rules.families`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes.cases.families import NAME_LONGEST
from manyeyes.cases.splitting import TITLE_LONGEST
from manyeyes.console.forms import TeamForm
from manyeyes.console.forms import words as lines
from manyeyes.rules.taxonomy import KINDS

WHY = gettext_lazy("Why, for the team")
INSIDE = gettext_lazy("Stands on the record of the cases. No researcher reads it.")


class SameFlawForm(TeamForm):
    """Another case about the same flaw, and what is said beside our fixed words."""

    of = forms.CharField(label=gettext_lazy("The other case"), max_length=40, help_text=gettext_lazy("Its number."))
    words = lines(
        gettext_lazy("Words of your own"),
        gettext_lazy("The researcher reads them after ours. Nothing of the other report, and nobody's name."),
        rows=3,
    )
    why = lines(WHY, INSIDE, rows=2)


class SplitForm(TeamForm):
    """The flaw that gets a case of its own."""

    title = forms.CharField(
        label=gettext_lazy("Title of the new case"), max_length=TITLE_LONGEST,
        help_text=gettext_lazy("What this one flaw is. Its researcher reads it."),
    )  # fmt: skip
    vuln_class = forms.ChoiceField(label=gettext_lazy("Kind of flaw"))
    words = lines(gettext_lazy("Words of your own"), gettext_lazy("The researcher reads them after ours."), rows=3)
    why = lines(WHY, INSIDE, rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(code, kind.name) for code, kind in KINDS.items()]
        self.fields["vuln_class"].choices = kinds  # type: ignore[attr-defined]


class FamilyForm(TeamForm):
    """What a family is called, and what the team notes about it."""

    name = forms.CharField(label=gettext_lazy("Name of the family"), max_length=NAME_LONGEST, required=False)
    note = lines(gettext_lazy("Note"), gettext_lazy("What they have in common. For the team alone."), rows=3)


class GroupForm(FamilyForm):
    """Cases for a family; the name counts for a new one."""

    field_order = ("more", "name", "note", "why")
    more = forms.CharField(
        label=gettext_lazy("Further cases"), max_length=1000, required=False,
        help_text=gettext_lazy("Numbers, with spaces between them. One that has a family brings the others into it."),
    )  # fmt: skip
    why = lines(WHY, INSIDE, rows=2)

    def refs(self) -> list[str]:
        """The numbers that were typed."""
        return str(self.data.get("more", "")).replace(",", " ").split()


class MemberForm(TeamForm):
    """One act on one member."""

    act = forms.ChoiceField(choices=(("take_out", _("Take out")), ("lead", _("Let it lead"))))
    case = forms.CharField(max_length=40)
    why = lines(WHY, INSIDE, rows=2)
