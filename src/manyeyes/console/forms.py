"""What the team fills in; every rule about the answers lives in `cases`, these classes only carry them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.models import Case, Remediation
from manyeyes.cases.rootcause import CATEGORIES
from manyeyes.programs import judges
from manyeyes.programs.models import Program, Target
from manyeyes.programs.setup import TEAM_ROLES
from manyeyes.rules import permits
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import TEAM_CLOSE_REASONS
from manyeyes.runs.price import Price


class TeamForm(forms.Form):
    """A form that takes over what a stage function found wrong."""

    def name_targets(self, program: Program) -> None:
        """Offer the program's targets, where the form asks for one."""
        if "target" in self.fields:
            rows = [(str(row.pk), row.name) for row in program.targets.all()]
            self.fields["target"].choices = rows  # type: ignore[attr-defined]

    def refuse_all(self, error: Invalid) -> None:
        """Put each problem beside its field; what has no field stands above the form."""
        for name, problem in error.fields.items():
            self.add_error(name if name in self.fields else None, problem)


def words(label: Any, help_text: Any = "", *, rows: int = 4, required: bool = False) -> forms.CharField:
    """A text field that passes on exactly what was typed."""
    widget = forms.Textarea(attrs={"rows": rows})
    empty = {"required": "Please fill this in."}
    return forms.CharField(
        label=label, help_text=help_text, required=required, strip=False, widget=widget, error_messages=empty
    )


class SayForm(TeamForm):
    """The composer. `audience` is internal unless a person chose otherwise."""

    text = words(_("Your words"), rows=4)
    audience = forms.ChoiceField(choices=(("internal", _("Internal note")), ("public", _("Reply"))), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "say_%s", **kwargs})  # the page holds another field called text


class WordsForm(TeamForm):
    """A move that needs words which the researcher reads."""

    words = words(
        _("What the researcher reads"), _("Kept as plain text; it cannot be taken back."), rows=5, required=True
    )


class CloseForm(WordsForm):
    """Why the case is closed, as a reason of the list and in words."""

    field_order = ("reason", "words")
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", _("Choose a reason")), *((str(one), one.words) for one in TEAM_CLOSE_REASONS)],
        error_messages={"required": "Choose a reason."},
    )


class ReproducerForm(TeamForm):
    """The text of a reproducer file."""

    reproducer = words(
        _("Reproducer"), _("YAML, format manyeyes: reproducer/1. It replaces nothing: older ones stay on record."),
        rows=24, required=True,
    )  # fmt: skip


class PlanForm(TeamForm):
    """What a replay may spend, and how sure it must be. `request_id` names this very request, and so its seed."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    max_calls = forms.IntegerField(
        label=_("At most this many calls"),
        help_text=_("Empty: all that the plan may take."),
        min_value=1,
        max_value=100_000,
        required=False,
    )
    p_min = forms.FloatField(
        label=_("Smallest rate that matters"),
        help_text=_("As a share: 0.05 is 5 %."),
        min_value=0.001,
        max_value=0.9,
        required=False,
    )
    manual = forms.BooleanField(label=_("A person makes the trials by hand"), required=False)
    seed = forms.IntegerField(
        label=_("Seed"), help_text=_("Empty: one is made."), min_value=0, max_value=2**31, required=False
    )
    judge = forms.ChoiceField(
        label=_("Who judges the answers"), required=False,
        help_text=_("Its calls count too. You look again at every success it calls."),
    )  # fmt: skip

    def name_judges(self, program: Program) -> None:
        """Offer the models that the program lets judge."""
        self.judges = {str(row.version_id): row.version for row in judges.allowed(program)}
        rows = [("", _("No model"))] + [(key, str(row)) for key, row in self.judges.items()]
        self.fields["judge"].choices = rows  # type: ignore[attr-defined]

    def clean_judge(self) -> Any:
        """The version behind the choice."""
        return self.judges.get(self.cleaned_data["judge"])


class VerifyForm(TeamForm):
    """How low the rate must be shown to lie, and how many tries an attacker has."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    tau = forms.FloatField(
        label=_("Rate to stay below, per try"),
        help_text=_("As a share: 0.05 is 5 %."),
        min_value=0.001,
        max_value=0.5,
        initial=0.05,
    )
    retry_budget = forms.IntegerField(label=_("Tries an attacker has"), min_value=1, max_value=1000, required=False)
    max_calls = forms.IntegerField(label=_("At most this many calls"), min_value=1, max_value=100_000, required=False)
    manual = forms.BooleanField(label=_("A person makes the trials by hand"), required=False)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31, required=False)


class LongerForm(TeamForm):
    """How far a replay that ended without an answer goes on. `request_id` names this very request."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    cap = forms.IntegerField(
        label=_("Scored trials in all, at most"), help_text=_("Those made so far are among them."),
        min_value=1, max_value=100_000,
    )  # fmt: skip
    max_calls = forms.IntegerField(
        label=_("Calls in all, at most"), help_text=_("Those made so far are among them. Empty: all it may take."),
        min_value=1, max_value=1_000_000, required=False,
    )  # fmt: skip


KINDS_OF_FIX = (
    (str(Remediation.Kind.SYMPTOM), "The symptom: what was reported no longer gets through"),
    (str(Remediation.Kind.CAUSE), "The cause: what made it work is gone"),
    (str(Remediation.Kind.UNKNOWN), "Nobody knows yet"),
)


class FixForm(TeamForm):
    """Which version carries the fix, and what was done."""

    version = forms.ChoiceField(label=_("Version with the fix"))
    kind = forms.ChoiceField(label=_("What it mends"), choices=KINDS_OF_FIX, widget=forms.RadioSelect)
    summary = words(_("What was done"), _("For the team; the public reads the advisory."), rows=4, required=True)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = [row for row in case.target.versions.order_by("-deployed_at") if row.pk != case.target_version_id]
        self.versions = [(str(row.pk), row.label) for row in rows]
        self.fields["version"].choices = self.versions  # type: ignore[attr-defined]


class CauseForm(TeamForm):
    """Why it works."""

    category = forms.ChoiceField(label=_("Where the cause lies"), choices=list(CATEGORIES.items()))
    text = words(_("Why it works"), rows=3, required=True)


class TickForm(TeamForm):
    """One trial made by hand."""

    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=(("success", _("It worked")), ("failure", _("It did not")), ("undecided", _("I cannot say"))),
        widget=forms.RadioSelect,
    )
    transcript = words(_("What came back, pasted"), rows=4)


class AdvisoryForm(TeamForm):
    """What the public will read; the measured facts are added by the platform."""

    title = forms.CharField(label=_("Title"), max_length=200)
    summary = words(_("Summary"), rows=3, required=True)
    details = words(_("What was found and what was done"), rows=6)
    advice = words(_("What readers should do"), rows=3)


class DateForm(TeamForm):
    """A date before which neither side publishes."""

    until = forms.DateField(label=_("Not before"), widget=forms.DateInput(attrs={"type": "date"}))


REACHED = (
    (Target.Access.API, "By its API: a machine may replay"),
    (Target.Access.HARNESS, "By a program of ours around the application"),
    (Target.Access.MANUAL, "By hand, in its own pages"),
    (Target.Access.NONE, "Not at all"),
)
"""How trials reach a target, in words a manager chooses by."""


class TargetForm(TeamForm):
    """A system that may be attacked under this program."""

    name = forms.CharField(label=_("Name"), max_length=120)
    access = forms.ChoiceField(label=_("How trials reach it"), choices=REACHED)
    description = words(_("What it is"), rows=2)
    in_scope = forms.CharField(label=_("Line of the scope"), max_length=300, required=False)


class VersionForm(TeamForm):
    """One pinned deployment."""

    target = forms.ChoiceField(label=_("Target"))
    label = forms.CharField(label=_("Version"), max_length=60)
    endpoint_url = forms.CharField(label=_("Address"), max_length=300, required=False)
    model = forms.CharField(label=_("Model name sent"), max_length=120, required=False)
    api_key = forms.CharField(
        label=_("Credential"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    price_in = forms.FloatField(label=_("Money per million tokens sent"), min_value=0, required=False)
    price_out = forms.FloatField(label=_("Money per million tokens answered"), min_value=0, required=False)
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False, initial="USD")

    def clean(self) -> dict[str, Any]:
        """One price of the three boxes; half a price is none, and said."""
        data: dict[str, Any] = super().clean() or {}
        into, out, currency = (data.pop(name, None) for name in ("price_in", "price_out", "currency"))
        if (into is None) != (out is None):
            self.add_error("price_out" if out is None else "price_in", _("Give both prices, or neither."))
        known = into is not None and out is not None
        data["price"] = Price(per_million_in=into, per_million_out=out, currency=currency or "USD") if known else None
        return data


class PermitForm(TeamForm):
    """On what basis the target may be attacked by machine."""

    target = forms.ChoiceField(label=_("Target"))
    operator = forms.CharField(label=_("Who operates it"), max_length=120)
    basis = forms.CharField(label=_("On what basis"), max_length=200)
    environment = forms.ChoiceField(label=_("Where"), choices=[(str(one), str(one)) for one in permits.Environment])
    calls_per_day = forms.IntegerField(label=_("Calls a day"), min_value=1, max_value=1_000_000, initial=5000)
    budget_owner = forms.ChoiceField(
        label=_("Who answers for the cost"), required=False, help_text=_("Nobody chosen: you do.")
    )
    hazard_classes = forms.MultipleChoiceField(
        label=_("Hazard classes it covers"),
        choices=[(code, said) for code, said in permits.HAZARDS.items() if code not in permits.NEVER_BY_MACHINE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def name_targets(self, program: Program) -> None:
        """Offer the targets, and the people of the program."""
        super().name_targets(program)
        self.members = {str(row.person_id): row.person for row in program.memberships.select_related("person")}
        nobody = [("", _("You"))]
        people = [(key, person.name) for key, person in self.members.items()]
        self.fields["budget_owner"].choices = nobody + people  # type: ignore[attr-defined]

    def clean_budget_owner(self) -> Any:
        """The person behind the choice."""
        return self.members.get(self.cleaned_data["budget_owner"])


class PersonForm(TeamForm):
    """Somebody for the team, with the roles they hold from now on."""

    email = forms.CharField(
        label=_("Mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label=_("Name, as others see it"), max_length=80, required=False)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=[(str(role), role.words) for role in TEAM_ROLES], widget=forms.CheckboxSelectMultiple
    )
