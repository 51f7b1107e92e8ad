"""The forms of a rating: letter by letter with reasons, five plain questions, and what stands beside."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.severity import IN_SERVICE, Prefill
from manyeyes.console.forms import TeamForm, words
from manyeyes.rules import cvss4, five
from manyeyes.rules.rubric import Group

HEADINGS = (
    (_("Security"), (Group.SECURITY,)),
    (_("Safety"), (Group.SAFETY, Group.SAFETY_FACTOR)),
    (_("Exposure and spread"), (Group.VICTIM, Group.EXPOSURE, Group.PERSISTENCE, Group.SPREAD)),
)


class RatingForm(TeamForm):
    """A letter and one line of why for each metric that people judge, the tries of an attacker, and CVSS beside."""

    why = forms.CharField(
        label=_("Why the rating changes"),
        help_text=_("One line. Whoever sees the rating reads it."),
        required=False,
        max_length=500,
    )
    tries = forms.CharField(
        label=_("Tries an attacker gets"), help_text=_("A number, or U where nothing limits them."), required=False,
        max_length=6,
    )  # fmt: skip
    tries_source = forms.CharField(
        label=_("Who or what says so"), help_text=_("A rate limit, a lockout, a log, a person."), required=False,
        max_length=300,
    )  # fmt: skip
    in_service = forms.ChoiceField(label=_("Which setting is in service"), required=False)
    cvss = forms.CharField(
        label=_("CVSS v4 vector"), required=False, max_length=400,
        help_text=_("Stands beside and enters no score of ours. Leave AT:N: how often it works is counted already."),
    )  # fmt: skip

    def __init__(self, *args: Any, start: Prefill, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rubric = start.rubric
        for metric in self.rubric.metrics:
            levels = [(option.letter, f"{option.letter}: {option.words}") for option in metric.levels]
            letter = start.letters.get(metric.code, "")
            self.fields[metric.code] = forms.ChoiceField(
                label=metric.name,
                help_text=start.asks.get(metric.code, metric.question),
                choices=levels if letter else [("", str(_("Choose"))), *levels],
                initial=letter,
                required=False,
            )
            self.fields[f"why_{metric.code}"] = forms.CharField(
                label=_("Why"), required=False, strip=True, initial=start.reasons.get(metric.code, "")
            )
        for metric in self.rubric.metrics:  # the first letter that waits for words of a person has the focus
            letter = start.letters.get(metric.code, "")
            if letter and not self.rubric.is_plain(metric.code, letter) and not start.reasons.get(metric.code):
                self.fields[f"why_{metric.code}"].widget.attrs["autofocus"] = True
                break
        for name, value in (
            ("tries", start.budget.written),
            ("tries_source", start.budget.source),
            ("cvss", start.cvss),
        ):
            self.fields[name].initial = value
        self._offer(start)

    def _offer(self, start: Prefill) -> None:
        """The settings with a count, to say which is in service; and CVSS's base metrics as plain choices."""
        rows: list[tuple[str, Any]] = [("", _("Nobody knows")), (IN_SERVICE, _("The one that was rated"))]
        rows += [(name, f"{words}: {k} / {n}") for name, words, k, n in start.places]
        self.fields["in_service"].choices = rows  # type: ignore[attr-defined]
        self.fields["in_service"].initial = start.in_service
        for code, name, letters in cvss4.BASE:
            choices = [("", "–"), *((letter, f"{letter}: {said}") for letter, said in letters)]
            self.fields[f"cvss_{code}"] = forms.ChoiceField(label=f"{code} {name}", choices=choices, required=False)

    def groups(self) -> list[dict[str, Any]]:
        """The metrics under their headings, each as letter and reason."""
        return [
            {
                "name": name,
                "metrics": [
                    {"letter": self[metric.code], "why": self[f"why_{metric.code}"]}
                    for metric in self.rubric.metrics
                    if metric.group in groups
                ],
            }
            for name, groups in HEADINGS
        ]

    def base_metrics(self) -> list[Any]:
        """The choices of CVSS's base metrics."""
        return [self[f"cvss_{code}"] for code, _name, _letters in cvss4.BASE]

    def letters(self) -> dict[str, str]:
        """Metric → letter, as chosen."""
        return {metric.code: self.cleaned_data[metric.code] for metric in self.rubric.metrics}

    def reasons(self) -> dict[str, str]:
        """Metric → why."""
        return {metric.code: self.cleaned_data[f"why_{metric.code}"] for metric in self.rubric.metrics}

    def beside(self) -> str:
        """The CVSS vector: as typed, else of the choices; empty where neither was used."""
        typed = self.cleaned_data["cvss"].strip()
        chosen = {code: self.cleaned_data[f"cvss_{code}"] for code, _name, _letters in cvss4.BASE}
        picked = {code: letter for code, letter in chosen.items() if letter}
        if typed and typed != (self.fields["cvss"].initial or ""):
            return str(typed)
        if picked:
            return "/".join([cvss4.PREFIX, *(f"{code}:{letter}" for code, letter in picked.items())])
        return str(typed)


class QuickForm(TeamForm):
    """Five plain questions. The fourth is left out where a replay counted."""

    why = forms.CharField(label=_("Why the rating changes"), required=False, max_length=500)

    def __init__(self, *args: Any, start: Prefill, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in five.QUESTIONS:
            if question.name == "often" and start.observed is not None:
                continue
            self.fields[question.name] = forms.ChoiceField(
                label=question.words,
                choices=[("", _("Choose")), *((answer.name, answer.words) for answer in question.answers)],
                required=False,
            )

    def questions(self) -> list[Any]:
        """The fields in the order of the questions."""
        return [self[name] for name in five.BY_NAME if name in self.fields]

    def answers(self) -> dict[str, str]:
        """Question → answer, as chosen."""
        return {name: self.cleaned_data.get(name, "") for name in five.BY_NAME}


class BlindForm(TeamForm):
    """A letter for each metric and nothing else: what one person thinks before seeing what another does."""

    def __init__(self, *args: Any, start: Prefill, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for metric in start.rubric.metrics:
            levels = [(option.letter, f"{option.letter}: {option.words}") for option in metric.levels]
            self.fields[metric.code] = forms.ChoiceField(
                label=f"{metric.code} {metric.name}",
                help_text=start.asks.get(metric.code, metric.question),
                choices=[("", str(_("Choose"))), *levels],
                required=False,
            )


class DecisionOnScoreForm(TeamForm):
    """Whether a proposed score is taken, and why."""

    accept = forms.ChoiceField(
        label=_("Take the new score?"), widget=forms.RadioSelect,
        choices=(("yes", _("Yes, rate by the new count")), ("no", _("No, the rating stays"))),
    )  # fmt: skip
    why = forms.CharField(label=_("Why"), max_length=500, help_text=_("Whoever sees the rating reads it."))


class DisputeAnswerForm(TeamForm):
    """The team's answer to a word against a rating."""

    text = words(_("Answer, with the reason"), _("The researcher reads this."), rows=3, required=True)
    will_change = forms.ChoiceField(
        label=_("What follows"), choices=(("no", _("The rating stands")), ("yes", _("The case will be rated anew"))),
        widget=forms.RadioSelect,
    )  # fmt: skip
