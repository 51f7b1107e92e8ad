"""What researchers fill in; every rule about the answers lives in `cases`, these classes only carry them."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from manyeyes.cases.intake import IntakeReport
from manyeyes.programs.models import Program
from manyeyes.rules import taxonomy
from manyeyes.rules.errors import Invalid

YES_NO = (("counted", "I counted"), ("not_counted", "I did not count"))
WHO = (("anonymous", "Stay anonymous"), ("contact", "Leave a way to reach me"))


class Carried:
    """A field whose value is judged by `cases` alone; `required` only says whether the page calls it optional."""

    def validate(self, value: Any) -> None:
        """Nothing: see `ReportForm.clean`."""

    def run_validators(self, value: Any) -> None:
        """Nothing: see `ReportForm.clean`."""


class Text(Carried, forms.CharField):
    """Words, passed on exactly as typed."""


class Choice(Carried, forms.ChoiceField):
    """One of several."""


def text(
    label: str, help_text: str = "", *, rows: int = 0, needed: bool = False, code: bool = False, **attrs: Any
) -> Text:
    """A text field that passes on exactly what was typed; `code` shows it in letters of one width."""
    attrs |= {"class": "code"} if code else {}
    widget = forms.Textarea(attrs={"rows": rows, **attrs}) if rows else forms.TextInput(attrs=attrs)
    return Text(label=label, help_text=help_text, required=needed, strip=False, widget=widget)


class ReportForm(forms.Form):
    """The report: eight answers are needed, the others help."""

    use_required_attribute = False  # the browser's own bubble would stop people before our words reach them

    target = Choice(label="Which system?", widget=forms.RadioSelect)
    vuln_class = Choice(label="What kind of flaw?", widget=forms.Select)
    title = text("A title", "One line that a colleague would recognise later.", needed=True, autocomplete="off")
    happened = text("What happened, and what should have happened?", rows=5, needed=True)
    steps = text(
        "What you sent",
        "The prompt or payload, exactly as you sent it. We keep it as text and never run or render it.",
        rows=6, needed=True, code=True, spellcheck="false",
    )  # fmt: skip
    impact = text("Who loses what?", "The person or system harmed, and how.", rows=3, needed=True)
    counted = Choice(label="How often did it work?", choices=YES_NO, widget=forms.RadioSelect)
    claim_k = text("It worked", needed=True, inputmode="numeric", autocomplete="off")
    claim_n = text("out of", needed=True, inputmode="numeric", autocomplete="off")
    identity = Choice(label="Who are you?", choices=WHO, widget=forms.RadioSelect)
    contact = text(
        "How do we reach you?",
        "Only if you do not stay anonymous. Kept encrypted; only the team reads it.",
        needed=True,
    )
    temperature = text("Temperature", "If you know it. Unknown stays unknown.", inputmode="decimal")
    max_tokens = text("Token limit", "If you know it.", inputmode="numeric")
    success_text = text("What in the answer shows that it worked?", "A word or phrase that only a success contains.")
    own_ref = text("Your own reference", "If you keep a number for this.")
    exploited_now = forms.BooleanField(label="People are being harmed by this now", required=False)
    reproducer = text(
        "A reproducer file, pasted", "YAML or JSON in the manyeyes format, if you have one.", rows=4, code=True
    )
    submission = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, program: Program, signed_in: bool, anonymous: bool = False) -> None:
        super().__init__(data, initial={"submission": uuid.uuid4(), "identity": "anonymous" if anonymous else None})
        self.signed_in = signed_in
        systems = [(str(row.pk), row.name) for row in program.targets.all()]
        self.fields["target"].choices = systems  # type: ignore[attr-defined]
        if len(systems) == 1:
            self.initial["target"] = systems[0][0]
        kinds = [(kind.code, kind.name) for kind in taxonomy.KINDS.values()]
        self.fields["vuln_class"].choices = [("", "Choose one"), *kinds]  # type: ignore[attr-defined]
        if signed_in:
            del self.fields["identity"], self.fields["contact"]

    def clean(self) -> dict[str, Any]:
        """Ask `cases` what is wrong; its words stand beside the fields."""
        given = super().clean() or {}
        self.report = self._report(given)
        unsaid = not self.signed_in and not given.get("identity")
        for name, problem in self.report.validate(signed_in=self.signed_in).items():
            if not (unsaid and name == "contact"):
                self.refuse(name, problem)
        if unsaid:
            self.refuse("identity", "Choose one: stay anonymous, or leave a way to reach you.")
        return given

    def refuse(self, name: str, problem: str) -> None:
        """Put a problem beside the field it belongs to, once."""
        place = {"claim": "counted"}.get(name, name.removeprefix("settings."))
        place = place if place in self.fields else None  # type: ignore[assignment]
        if place is None or place not in self.errors:
            self.add_error(place, named(self.fields[place].label, problem) if place else problem)

    def refuse_all(self, error: Invalid) -> None:
        """Take over what a stage function found wrong."""
        for name, problem in error.fields.items():
            self.refuse(name, problem)

    def _report(self, given: dict[str, Any]) -> IntakeReport:
        def word(name: str) -> str:
            return str(given.get(name) or self.data.get(name) or "")

        counted = given.get("counted") == "counted" or (not given.get("counted") and bool(word("claim_n").strip()))
        return IntakeReport(
            target=word("target"), vuln_class=word("vuln_class"), title=word("title"), happened=word("happened"),
            steps=word("steps"), impact=word("impact"), contact=word("contact"), success_text=word("success_text"),
            reproducer=word("reproducer"), own_ref=word("own_ref"),
            claim_k=number(word("claim_k")) if counted else None,
            claim_n=number(word("claim_n")) if counted else None,
            not_counted=given.get("counted") == "not_counted",
            anonymous=given.get("identity") == "anonymous",
            settings={name: word(name) for name in ("temperature", "max_tokens") if word(name).strip()},
            exploited_now=bool(given.get("exploited_now")),
            submission_id=given.get("submission") or uuid.uuid4(),
        )  # fmt: skip


def named(label: Any, problem: str) -> str:
    """A problem that says which field it speaks of, so that the summary can be read alone.

    >>> named("A title", "This is too long."), named("Who loses what?", "Please fill this in.")
    ('A title: this is too long.', 'Who loses what? Please fill this in.')
    """
    if not problem.startswith(("This ", "Please ")):
        return problem
    return f"{label} {problem}" if str(label).endswith("?") else f"{label}: {problem[0].lower()}{problem[1:]}"


def number(typed: str) -> int | None:
    """A whole number as people type it, or None."""
    digits = typed.strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else None


class ReceiptForm(forms.Form):
    """The 24 digits."""

    digits = text(
        "Your receipt",
        "24 digits; spaces do not matter.",
        needed=True,
        code=True,
        inputmode="numeric",
        autocomplete="off",
        spellcheck="false",
    )


class WordsForm(forms.Form):
    """A word to the team."""

    text = text("Your message", rows=5)


class RetestForm(forms.Form):
    """Could you still make it work?"""

    claim_k = forms.IntegerField(label="It worked", min_value=0, max_value=1_000_000)
    claim_n = forms.IntegerField(label="out of", min_value=1, max_value=1_000_000)
    transcript = text("What you sent and what came back", "Kept as text, never rendered.", rows=6, code=True)


class CreditForm(forms.Form):
    """How shall we name you?"""

    mode = forms.ChoiceField(
        label="How shall we name you?",
        widget=forms.RadioSelect,
        choices=(
            ("name", "By a name I give here"),
            ("handle", "By my handle"),
            ("anonymous", "As an anonymous researcher"),
            ("none", "Not at all"),
            ("later", "I decide later"),
        ),
    )
    name = text("Name", "As it should stand on the page of thanks.")
    link = text("Link", "https only, optional.", inputmode="url")

    def __init__(self, *args: Any, has_handle: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_handle:  # the bearer of a receipt has none
            mode = self.fields["mode"]
            mode.choices = [one for one in mode.choices if one[0] != "handle"]  # type: ignore[attr-defined]


class EmbargoForm(forms.Form):
    """When may we both speak?"""

    until = forms.DateField(label="Not before", widget=forms.DateInput(attrs={"type": "date"}))


class SettingsForm(forms.Form):
    """How do I appear, and when do you write to me?"""

    use_required_attribute = False

    handle = text(
        "Handle", "2 to 40 letters, digits, dots, dashes or underscores.", needed=True, autocomplete="username"
    )
    display_name = text("Name", "Shown instead of the handle. Researchers see a team member's first name and initial.")
    wants_mail = forms.BooleanField(
        label="Send me a mail when there is something new",
        help_text="It holds the case's number and a link, never its content.",
        required=False,
    )
