"""What a manager fills in about the policy and its scope; the rules about the answers live in `programs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from manyeyes.console.forms import TeamForm, words
from manyeyes.programs.models import Program, ScopeItem
from manyeyes.programs.policy import FIGURES, Editing
from manyeyes.rules.policy_document import SEVERITIES
from manyeyes.rules.policy_templates import SECTIONS
from manyeyes.rules.taxonomy import KINDS

HELP = {
    "summary": gettext_lazy("At most 150 words: what to do, and that people are protected."),
    "introduction": gettext_lazy("What the program is for. The scope table follows it by itself."),
    "promises": gettext_lazy("What you will do, with hours and days. Say the same figures as above."),
    "channels": gettext_lazy("Where reports go, and how somebody stays anonymous."),
    "rules": gettext_lazy("What you ask of people who test."),
    "out_of_scope": gettext_lazy("What you cannot or do not want to hear about here, and where it goes instead."),
    "safe_harbor": gettext_lazy("What people are protected from. Without it nothing is published."),
    "ai_research": gettext_lazy("The eleven clauses that AI research needs and classic policies lack."),
    "rewards": gettext_lazy("Money, or that there is none; and how people are named."),
    "disclosure": gettext_lazy("When people may publish, and how that time may be made longer."),
}
NOTES = {
    "first_response_hours": gettext_lazy("Calendar hours; weekends count."),
    "decision_hours": gettext_lazy("240 hours are ten days."),
    "embargo_days": gettext_lazy("90 days are the custom."),
}
LABELS = {
    "first_response_hours": gettext_lazy("Hours until a person answers"),
    "decision_hours": gettext_lazy("Hours until a decision"),
    "embargo_days": gettext_lazy("Days until publishing is free"),
}


def _rows(text: str) -> int:
    """How tall a field is where the browser does not fit it to its text."""
    return min(30, 1 + sum(1 + len(line) // 95 for line in text.split("\n")))


class PolicyForm(TeamForm):
    """The policy section by section, and the promises in figures. `number` and `revision` say what it began from."""

    number = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    pays = forms.BooleanField(
        label=gettext_lazy("This program pays money"),
        help_text=gettext_lazy("Bands of reward in the scope are shown only then."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (least, most) in FIGURES.items():
            self.fields[name] = forms.IntegerField(
                label=LABELS[name], help_text=NOTES[name], min_value=least, max_value=most
            )
        for name, heading in SECTIONS.items():
            held = str((self.data if self.is_bound else self.initial).get(name, ""))
            self.fields[name] = words(heading, str(HELP[name]), rows=_rows(held))

    @classmethod
    def holding(cls, now: Editing, texts: Mapping[str, str], terms: Mapping[str, Any]) -> PolicyForm:
        """A form with these words in it that saves over what is stored now."""
        return cls(initial={**texts, **terms, "number": now.number, "revision": now.revision})

    def texts(self) -> dict[str, str]:
        """The sections as typed, whether or not the rest of the form can be used."""
        held = self.data if self.is_bound else self.initial
        return {name: str(held.get(name, "")).replace("\r\n", "\n") for name in SECTIONS}

    def terms(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The promises in figures as typed; a figure that is no number stays as it was stored."""
        held = self.data if self.is_bound else self.initial
        typed = {name: str(held.get(name, "")) for name in FIGURES}
        good = {name: int(text) for name, text in typed.items() if text.isascii() and text.isdigit() and len(text) < 8}
        return {**stored, **good, "pays": held.get("pays") in ("on", True)}

    def restarted(self, texts: Mapping[str, str], terms: Mapping[str, Any]) -> PolicyForm:
        """The same edit with other words in it: nothing was judged yet, and it began where this one did."""
        began = {name: self.data.get(name, "") for name in ("number", "revision")}
        return type(self)(initial={**texts, **terms, **began})

    def unchecked(self) -> PolicyForm:
        """The same edit without a judgement on its fields, for a look while somebody still types."""
        held = {name: self.data.get(name, "") for name in FIGURES}
        return self.restarted(self.texts(), {**held, "pays": bool(self.data.get("pays"))})

    def figures(self) -> list[forms.BoundField]:
        """The fields of the promises."""
        return [self[name] for name in FIGURES]

    def sections(self) -> list[forms.BoundField]:
        """The fields of the text, in reading order."""
        return [self[name] for name in SECTIONS]


MOST, USUAL, OUT = "most", "", "out"
KIND_CHOICES = (
    (MOST, gettext_lazy("matters most")),
    (USUAL, gettext_lazy("in scope")),
    (OUT, gettext_lazy("not in scope")),
)


class ScopeForm(TeamForm):
    """One line of the scope."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)
    target = forms.ChoiceField(label=gettext_lazy("System"), required=False)
    in_scope = forms.ChoiceField(
        label=gettext_lazy("Is it in scope?"),
        choices=(("yes", gettext_lazy("In scope")), ("no", gettext_lazy("Not in scope: people must not test it"))),
        widget=forms.RadioSelect,
        initial="yes",
    )
    text = forms.CharField(
        label=gettext_lazy("In words"),
        help_text=gettext_lazy("What matters most to you there, or what is not in scope. Empty: the system's name."),
        max_length=300,
        required=False,
    )
    versions = forms.CharField(
        label=gettext_lazy("Versions"), help_text=gettext_lazy("For example: 2.3 and later"), max_length=120,
        required=False,
    )  # fmt: skip
    reached = forms.CharField(
        label=gettext_lazy("How people reach it"), help_text=gettext_lazy("For example: app, API, command line"),
        max_length=120, required=False,
    )  # fmt: skip
    severity_max = forms.ChoiceField(
        label=gettext_lazy("Rated up to"), choices=[("", gettext_lazy("no limit")), *((s, s) for s in SEVERITIES)],
        required=False,
    )  # fmt: skip
    reward = forms.CharField(
        label=gettext_lazy("Band of reward"), help_text=gettext_lazy("For example: €500 to €15,000"), max_length=60,
        required=False,
    )  # fmt: skip
    calls_per_day = forms.IntegerField(
        label=gettext_lazy("Calls a day"), min_value=1, max_value=10_000_000, required=False
    )
    calls_at_once = forms.IntegerField(label=gettext_lazy("At a time"), min_value=1, max_value=10_000, required=False)
    spending = forms.CharField(
        label=gettext_lazy("Spending"), help_text=gettext_lazy("For example: 20 EUR a day"), max_length=60,
        required=False,
    )  # fmt: skip
    marker = forms.ChoiceField(label=gettext_lazy("How testers show who they are"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = [(str(row.pk), row.name) for row in program.targets.all()]
        mark = {"mark": program.research_marker}
        self.fields["target"].choices = [("", _("none of the list")), *rows]  # type: ignore[attr-defined]
        self.fields["marker"].choices = [  # type: ignore[attr-defined]
            ("header", _("A header: X-Research: %(mark)s") % mark),
            ("account", _("%(mark)s in the name of the test account") % mark),
            ("none", _("Not at all")),
        ]
        for code, kind in KINDS.items():
            self.fields[f"kind_{code}"] = forms.ChoiceField(
                label=kind.name, choices=KIND_CHOICES, widget=forms.RadioSelect, required=False, initial=USUAL
            )

    @classmethod
    def of(cls, item: ScopeItem | None, program: Program) -> ScopeForm:
        """The form of a stored line, or an empty one."""
        if item is None:
            return cls(program=program, initial={"marker": "header", "revision": 0})
        plain = ("text", "versions", "reached", "severity_max", "reward", "calls_per_day", "calls_at_once", "spending")
        values = {name: getattr(item, name) for name in (*plain, "marker", "revision")}
        kinds = {f"kind_{code}": MOST for code in item.classes_in}
        kinds |= {f"kind_{code}": OUT for code in item.classes_out}
        values |= {"target": str(item.target_id or ""), "in_scope": "yes" if item.in_scope else "no"}
        return cls(program=program, initial={**values, **kinds})

    def kinds(self) -> list[forms.BoundField]:
        """The rows of the kinds of flaw."""
        return [self[f"kind_{code}"] for code in KINDS]

    def line(self, program: Program) -> dict[str, Any]:
        """What was filled in, as `scope.save_line` takes it."""
        given = dict(self.cleaned_data)
        chosen = {code: given.pop(f"kind_{code}") for code in KINDS}
        given.pop("revision")
        target = given.pop("target")
        return {
            **given,
            "target": program.targets.filter(pk=target).first() if target else None,
            "in_scope": given["in_scope"] == "yes",
            "classes_in": [code for code, word in chosen.items() if word == MOST],
            "classes_out": [code for code, word in chosen.items() if word == OUT],
        }
