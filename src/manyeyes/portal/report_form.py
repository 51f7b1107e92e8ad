"""The form of a report: eight answers are needed, the others help; every rule about them lives in `cases`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.drafts import Found
from manyeyes.cases.intake_report import BANDS, OPEN_HAZARDS, PLANS, SEEN, IntakeReport
from manyeyes.cases.sketch import SUCCESS
from manyeyes.portal.forms import Choice, text
from manyeyes.programs.models import Program
from manyeyes.rules import questions, taxonomy
from manyeyes.rules.errors import Invalid
from manyeyes.rules.permits import NEVER_BY_MACHINE

YES_NO = (("counted", _("I counted")), ("not_counted", _("I did not count")))
WHO = (("anonymous", _("Stay anonymous")), ("contact", _("Leave a way to reach me")))
WHO_HOLDS = (
    ("anonymous", _("Stay anonymous, with a new receipt")),
    ("contact", _("Leave a way to reach me, with a new receipt")),
    (HELD := "held", _("Add it to what the receipt opens that this browser came with")),
)
"""For the bearer of a receipt: whoever sits here next may be somebody else, so nothing is tied to it unasked."""
HOW = (("", _("Not said")), ("advance", _("Fixed before I began")), ("best", _("The best of several series")))
MEMORY = (("", _("Not known")), ("off", _("Off")), ("on", _("On")))
ASKED = "q_"
"""How the names of the fields begin that ask what a kind needs."""
SETTINGS = ("temperature", "top_p", "max_tokens")
NOT_KEPT = frozenset({"draft", "csam"})


class ReportForm(forms.Form):
    """The report."""

    use_required_attribute = False  # the browser's own bubble would stop people before our words reach them

    harmed_now = forms.BooleanField(label=_("Somebody is being harmed by it in the real world"), required=False)
    exploited_now = forms.BooleanField(label=_("It is being exploited now"), required=False)
    csam = forms.BooleanField(label=_("The material shows sexual abuse of children"), required=False)
    hazard = Choice(
        label=_("Does the material hold other hazardous content?"), required=False, widget=forms.Select,
        help_text=_("Then it is shown only to people who may see this kind."),
    )  # fmt: skip
    target = Choice(label=_("Which system?"), widget=forms.RadioSelect)
    vuln_class = Choice(label=_("What kind of flaw?"), widget=forms.Select)
    title = text(_("A title"), _("One line that a colleague would recognise later."), needed=True, autocomplete="off")
    happened = text(_("What happened, and what should have happened?"), rows=5, needed=True)
    steps = text(
        _("What you sent"),
        _("The prompt or payload, exactly as you sent it. We keep it as text and never run or render it."),
        rows=6, needed=True, code=True, spellcheck="false",
    )  # fmt: skip
    conversation = text(
        _("The whole conversation, if it took several messages"),
        _("Begin each message on a line of its own with user:, assistant: or system:."),
        rows=5, code=True, spellcheck="false",
    )  # fmt: skip
    impact = text(_("Who loses what?"), _("The person or system harmed, and how."), rows=3, needed=True)
    own_band = Choice(
        label=_("How severe is it to you?"), required=False, widget=forms.Select,
        help_text=_("Kept beside the team's rating, never changed by them."),
    )  # fmt: skip
    own_why = text(
        _("A vector, or why"), _("CVSS v4, MES, or a few words; at most 200 characters."), autocomplete="off"
    )
    counted = Choice(label=_("How often did it work?"), choices=YES_NO, widget=forms.RadioSelect)
    claim_k = text(_("It worked"), needed=True, inputmode="numeric", autocomplete="off")
    claim_n = text(_("out of"), needed=True, inputmode="numeric", autocomplete="off")
    counted_how = Choice(
        label=_("Was the number of tries fixed in advance?"), choices=HOW, required=False, widget=forms.Select,
        help_text=_("The best of several series is welcome too; it is labelled and makes no rate."),
    )  # fmt: skip
    identity = Choice(label=_("Who are you?"), choices=WHO, widget=forms.RadioSelect)
    contact = text(
        _("How do we reach you?"),
        _("Only if you do not stay anonymous. Kept encrypted; only the team reads it."),
        needed=True,
    )
    temperature = text(_("Temperature"), inputmode="decimal")
    top_p = text(_("Top p"), inputmode="decimal")
    max_tokens = text(_("Token limit"), inputmode="numeric")
    success_how = Choice(label=_("How do you tell that it worked?"), required=False, widget=forms.Select)
    success_text = text(_("The words or the pattern"), _("Something that only a success contains."))
    surface = text(_("Where in the product?"), _("For example the web chat, the phone app, a plug-in."))
    account_tier = text(_("Kind of account"), _("Free, paid, enterprise."))
    app_version = text(
        _("Version, or the day you saw it"), _("As the product names it, or a date such as 2027-02-18."),
        autocomplete="off",
    )  # fmt: skip
    seen_times = text(_("When?"), _("Date, time and zone of the tries; versions change behind the scenes."))
    conversation_link = text(_("Link to the conversation"), _("Kept as text; nobody clicks it."), inputmode="url")
    memory = Choice(label=_("Memory of the product"), choices=MEMORY, required=False, widget=forms.Select)
    publish_on = text(_("When do you mean to publish?"), _("A date such as 2027-02-18, if you have one."))
    publish_where = text(_("Where?"), _("A talk, a paper, a page."))
    own_ref = text(_("Your own reference"), _("If you keep a number for this."))
    co_reporters = text(
        _("Who reports this with you?"), _("Their handles here, with commas. You can invite others later.")
    )
    reproducer = text(
        _("A reproducer, pasted"), _("YAML or JSON in the manyeyes format, if you have one."), rows=4, code=True
    )
    submission = forms.UUIDField(
        required=False, widget=forms.HiddenInput,
        error_messages={"invalid": _("The number of this form is damaged, so a resend could not be told. Open the "
                                     "report page anew and copy your text into it; nothing was sent.")},
    )  # fmt: skip
    draft = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, program: Program, signed_in: bool, anonymous: bool = False, holds: bool = False,
        found: Found | None = None, typed: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        given = {name: value for name, value in (typed or {}).items() if name not in NOT_KEPT}
        who = "anonymous" if anonymous or holds else None
        start = {"submission": uuid.uuid4(), "identity": who, "success_how": "contains"}
        super().__init__(data, initial={**start, **given, "draft": found.token if found else ""})
        self.signed_in, self.found, self.holds = signed_in, found, holds
        self._offer(program)
        self.kind = str((data if data is not None else given).get("vuln_class") or "")
        for question in questions.questions_of(self.kind):
            self.fields[f"{ASKED}{question.name}"] = _asked(question)
        if holds:
            self.fields["identity"].choices = WHO_HOLDS  # type: ignore[attr-defined]
        self.held = holds and (data if data is not None else given).get("identity") == HELD
        if signed_in:
            del self.fields["identity"], self.fields["contact"]

    def _offer(self, program: Program) -> None:
        systems = [(str(row.pk), row.name) for row in program.targets.all()]
        offered: dict[str, list[tuple[str, Any]]] = {
            "target": systems,
            "vuln_class": [("", _("Choose one")), *((kind.code, _now(kind.name)) for kind in taxonomy.KINDS.values())],
            "hazard": [("", _("No, or not that I know")), *_spoken(OPEN_HAZARDS.items())],
            "own_band": [("", _("Not said")), *((band, _now(band)) for band in reversed(BANDS))],
            "success_how": _spoken(SUCCESS.items()),
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        if len(systems) == 1:
            self.initial.setdefault("target", systems[0][0])

    @property
    def must_stop(self) -> bool:
        """Whether the form says of its material that it may not be sent to anybody; told first."""
        ticked = self.fields["csam"].widget.value_from_datadict(self.data, {}, "csam")
        return bool(ticked) or self.data.get("hazard") in NEVER_BY_MACHINE

    def asked(self) -> list[BoundField]:
        """What the chosen kind asks."""
        return [self[name] for name in self.fields if name.startswith(ASKED)]

    def carried(self) -> Iterator[BoundField]:
        """Everything that a page without the form hands on unseen."""
        return (self[name] for name in self.fields if not name.startswith(ASKED) and name != "csam")

    def typed(self) -> dict[str, Any]:
        """What was typed, to be kept with a draft and shown again."""
        return {name: str(self.data.get(name) or "") for name in self.fields if name not in NOT_KEPT}

    @property
    def more_open(self) -> dict[str, bool]:
        """Which of the folded parts hold an answer or a problem, so that they open by themselves."""
        parts = {
            "tries": (*SETTINGS, "success_text", "conversation", "reproducer"),
            "product": tuple(name for name in SEEN if name != "app_version"),
            "plans": (*PLANS, "own_ref", "co_reporters"),
        }
        return {part: any(self[name].value() or self[name].errors for name in names) for part, names in parts.items()}

    def clean(self) -> dict[str, Any]:
        """Ask `cases` what is wrong; its words stand beside the fields."""
        given = super().clean() or {}
        self.report = self._report(given)
        if self.report.target and self.report.target not in dict(self.fields["target"].choices):  # type: ignore[attr-defined]
            self.refuse("target", _now("Choose one of the systems of this program."))
        unsaid = not self.signed_in and not given.get("identity")
        for name, problem in self.report.validate(signed_in=self.signed_in or self.held).items():
            if not (unsaid and name == "contact"):
                self.refuse(name, problem)
        if unsaid:
            self.refuse("identity", _now("Choose one: stay anonymous, or leave a way to reach you."))
        return given

    def refuse(self, name: str, problem: str) -> None:
        """Put a problem beside the field it belongs to, once."""
        short = name.removeprefix("settings.").removeprefix("seen.").removeprefix("plans.")
        place = {"claim": "counted"}.get(name, short)
        place = f"{ASKED}{place.removeprefix('answers.')}" if place.startswith("answers.") else place
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

        def words(names: Any) -> dict[str, str]:
            return {name: word(name) for name in names if word(name).strip()}

        held = self.found.draft.answers.get("import") if self.found else None
        uncounted = given.get("counted") == "not_counted"
        # A count beside "I did not count" goes along, so that it is named; dropping it would be a guess. But one that a
        # file filled in is the file's word, which stays with its readings, and no claim of who says that.
        theirs = uncounted and _filled_in(held, word("claim_k"), word("claim_n"))
        counted = not theirs and (bool(given.get("counted")) or bool(word("claim_n").strip()))
        return IntakeReport(
            target=word("target"), vuln_class=word("vuln_class"), title=word("title"), happened=word("happened"),
            steps=word("steps"), impact=word("impact"), contact=word("contact"), success_text=word("success_text"),
            success_how=word("success_how") or "contains", conversation=word("conversation"),
            reproducer=word("reproducer"), own_ref=word("own_ref"), own_band=word("own_band"),
            own_why=word("own_why"),
            claim_k=number(word("claim_k")) if counted else None,
            claim_n=number(word("claim_n")) if counted else None,
            not_counted=uncounted,
            counted_how=word("counted_how") if counted else "",
            anonymous=given.get("identity") == "anonymous",
            settings=words(SETTINGS), seen=words(SEEN), plans=words(PLANS),
            answers={name.removeprefix(ASKED): word(name) for name in self.fields if name.startswith(ASKED)},
            exploited_now=bool(given.get("exploited_now")), harmed_now=bool(given.get("harmed_now")),
            hazard=word("hazard"), csam=bool(given.get("csam")),
            co_reporters=tuple(name.strip() for name in word("co_reporters").split(",") if name.strip()),
            imported=held,
            submission_id=given.get("submission") or uuid.uuid4(),
        )  # fmt: skip


def _filled_in(held: Any, k: str, n: str) -> bool:
    """Whether these are the figures that a tool's file filled in."""
    filled = (held or {}).get("filled", {})
    return bool(filled.get("claim_n")) and (filled.get("claim_k"), filled.get("claim_n")) == (k.strip(), n.strip())


def overlong(error: BaseException) -> str:
    """The label of the answer that made a form larger than may be read; empty where that cannot be told.

    Django's error names no field: the frame that raised it does, while the form is taken apart.
    """
    trace, name = error.__traceback__, ""
    while trace is not None:
        name, trace = str(trace.tb_frame.f_locals.get("field_name") or name), trace.tb_next
    field = ReportForm.base_fields.get(name)
    return str(field.label) if field is not None and field.label else ""


def asked_fields(kind: str) -> list[BoundField]:
    """The questions of a kind as fields of a form of their own, for the page that fetches them in place."""
    form = forms.Form()
    for question in questions.questions_of(kind):
        form.fields[f"{ASKED}{question.name}"] = _asked(question)
    return list(form)


def _spoken(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Choices as their reader says them; the rules below this room speak English alone."""
    return [(code, _now(words)) for code, words in rows]


def _asked(question: questions.Question) -> forms.Field:
    label, help_text = _now(question.label), _now(question.help) if question.help else ""
    if question.offered:
        choices = [("", _("Not said")), *_spoken(question.offered)]
        return Choice(label=label, help_text=help_text, choices=choices, required=False, widget=forms.Select)
    return text(label, help_text, autocomplete="off", inputmode="decimal" if question.form == "number" else "text")


def named(label: Any, problem: str) -> str:
    """A problem that says which field it speaks of, so that the summary can be read alone.

    >>> named("A title", "This is too long."), named("Who loses what?", "Please fill this in.")
    ('A title: this is too long.', 'Who loses what? Please fill this in.')
    """
    if not (get_language() or "en").startswith("en"):
        return f"{label}: {problem}"
    if not problem.startswith(("This ", "Please ")):
        return problem
    return f"{label} {problem}" if str(label).endswith("?") else f"{label}: {problem[0].lower()}{problem[1:]}"


def number(typed: str) -> int | None:
    """A whole number as people type it; None where nothing is, and -1 for what is no number that can be.

    >>> number(" 7 "), number(""), number("-1"), number("9" * 50)
    (7, None, -1, -1)
    """
    digits = typed.strip()
    if not digits:
        return None
    return int(digits) if digits.isdecimal() and len(digits) < 10 else -1
