"""One visit to the report form: who fills it in, what was typed, which draft and files belong to it, what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from manyeyes.accounts.models import Person
from manyeyes.cases import drafts, imported
from manyeyes.cases.clocks import answer_by
from manyeyes.cases.drafts import MOST_FILES, Found
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.keeping import Brought, brought
from manyeyes.cases.offered import unfit_for_machines
from manyeyes.cases.understood import from_file, understood
from manyeyes.engine import exact_interval
from manyeyes.http import TRY_AGAIN, may_try
from manyeyes.portal.report_form import ReportForm
from manyeyes.portal.views.page import page
from manyeyes.programs.models import Program
from manyeyes.rules import taxonomy
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.vault import uploads

DRAFTS = 4
"""Drafts are kept so many times as often as receipts may be tried, on every face together."""
ANSWERS = 12
"""Questions about a tool's file that are read from a form at most."""


class Sheet:
    """The form as it came, and its draft where it has one; a draft that is gone is a problem in words (`lost`)."""

    def __init__(self, request: HttpRequest, program: Program, *, found: Found | None = None) -> None:
        self.request, self.program = request, program
        self.who: Any = request.user if request.user.is_authenticated else None
        self.holds = self.who is not None and self.who.kind == Person.Kind.RECEIPT
        self.found, self.lost = found, ""
        if found is None:
            try:
                self.found = drafts.wanted(program, str(request.POST.get("draft", ""))[:100], by=self.who)
            except Conflict as error:
                self.lost = error.message
        # A draft that is gone is named once: the form that is shown again goes on without it.
        self.form = self._form(request.POST.dict() | ({"draft": ""} if self.lost else {}))

    def _form(self, data: Any = None, typed: Mapping[str, Any] | None = None, anonymous: bool = False) -> ReportForm:
        return ReportForm(
            data, program=self.program, signed_in=self.has_account, holds=self.holds, found=self.found, typed=typed,
            anonymous=anonymous,
        )  # fmt: skip

    @property
    def has_account(self) -> bool:
        """Whether somebody with an account fills it in; the bearer of a receipt says anew who they are."""
        return self.who is not None and not self.holds

    @property
    def sender(self) -> Any:
        """Whose report it is: nobody's yet where a receipt is to be made for it."""
        return self.who if self.has_account or self.form.held else None

    def files(self) -> list[Brought]:
        """What came along in this request. Raises Invalid(file=…) for a file that is too large."""
        return [brought(upload) for upload in self.request.FILES.getlist("files")]

    @property
    def room(self) -> int:
        """How many more files the report may bring, beside those of its draft."""
        return MOST_FILES - (len(self.found.files) if self.found else 0)

    @property
    def overfull(self) -> bool:
        """Whether more files came along than the report may bring."""
        return len(self.request.FILES.getlist("files")) > self.room

    def keep(self, *, files: bool = True) -> None:
        """Store what was typed as a draft, with the files that came along. Raises Invalid."""
        if not may_try(self.request, "draft", times=DRAFTS):
            raise Invalid(file=_("Many drafts came from your network this hour. What you typed is still here."))
        held = self.found.draft.answers if self.found else {}
        answers = {**held, "typed": self.form.typed()}
        came = self.request.FILES.getlist("files") if files else []
        came, beyond = came[: self.room], came[self.room :]
        token = self.found.token if self.found else ""
        problems: dict[str, None] = {}
        self.found = drafts.save(self.program, answers, by=self.who, token=token)
        for upload in came:  # one by one: a bad file takes no good one with it
            try:
                drafts.save(self.program, answers, by=self.who, token=self.found.token, brought=[brought(upload)])
            except Invalid as error:
                problems |= dict.fromkeys(error.fields.values())
        self.form.data = {**self.form.data, "draft": self.found.token}
        if beyond:
            problems[drafts.not_taken([upload.name or "" for upload in beyond])] = None
        if problems:
            rest = [_("The other files are kept.")] if came and len(problems) - bool(beyond) < len(came) else []
            raise Invalid(file=" ".join([*problems, *rest]))

    @property
    def answers(self) -> dict[str, str]:
        """What is answered here to the questions that a tool's file leaves open, by the name of the question."""
        given = self.request.POST
        names = [name for name in given if name.startswith("answer_")][:ANSWERS]
        return {name.removeprefix("answer_"): given[name] for name in names if given[name]}

    def settle(self) -> None:
        """Read a tool's file again with what is answered here, and fill in what it tells now. Raises Invalid."""
        typed = imported.settle(self.found, self.answers, self.form.typed()) if self.found else None
        if self.found is None or typed is None:
            return
        self.found = drafts.find(self.program, self.found.token, by=self.who)
        self.form = self._form({**self.form.data, **typed})

    def blank(self, *, anonymous: bool) -> HttpResponse:
        """The form as somebody first sees it."""
        self.form = self._form(anonymous=anonymous)
        return self.show()

    def again(self, typed: Mapping[str, Any] | None = None, *, status: int = 200, said: str = "") -> HttpResponse:
        """The form with everything that was typed and without a word about what is still missing."""
        self.form = self._form(typed=self.form.typed() if typed is None else typed)
        return self.show(status=status, said=said)

    def refused(self, problems: Mapping[str, str], *, status: int = 422) -> HttpResponse:
        """The form with problems of its files and of its draft; nothing typed is lost."""
        self.form.is_valid()
        for name, problem in problems.items():
            self.form.refuse(name, problem)
        return self.show(status=status)

    def refused_alone(self, problem: str, *, status: int = 422) -> HttpResponse:
        """The form with one problem of its own, and no word about what is still missing."""
        self.form = self._form(typed=self.form.typed())
        self.form.full_clean()
        self.form.cleaned_data = {}  # an unbound form has none, and add_error looks into it
        self.form.add_error(None, problem)
        return self.show(status=status)

    def busy(self) -> HttpResponse:
        """The form with everything typed, where the database stayed locked: nothing was stored, not even a draft."""
        said = _("Not sent: too many people are sending at this moment. Your text is still here. Wait a few seconds, "
                 "choose your files again, and press Send once more.")  # fmt: skip
        answer = self.refused_alone(said, status=503)
        answer.headers["Retry-After"] = str(TRY_AGAIN)
        return answer

    def kept_refused(self, status: int = 422) -> HttpResponse:
        """The form with its problems; files that came along wait in a draft: nobody has to choose them twice."""
        if self.request.FILES.getlist("files"):
            problems = dict(self.form.errors)
            try:
                self.keep()
            except Invalid as error:
                self.form.refuse_all(error)
                return self.show(status=status)
            self.form = self._form({**self.form.data, "draft": self.found.token if self.found else ""})
            self.form.is_valid()
            for name, said in problems.items():
                if name not in self.form.errors:
                    self.form.add_error(None if name == "__all__" else name, said)
        return self.show(status=status)

    def show(self, *, status: int = 200, said: str = "") -> HttpResponse:
        """The form."""
        held = self.found.draft.answers.get("import") if self.found else None
        context = {
            **self._known(),
            "policy": self.program.policy,
            "kinds": taxonomy.KINDS.values(),
            "said": said,
            "lost": self.lost,
            "tool": held,
            "readings": from_file_of(held),
            "largest": uploads.max_bytes() // 1024 // 1024,
            "most_files": MOST_FILES,
        }
        return page(self.request, "portal/report.html", context, status=status)

    def check(self) -> HttpResponse:
        """What was understood, before anything is sent."""
        report = self.form.report
        k, n = report.claim_k, report.claim_n
        counted = k is not None and n and not report.biased
        beside = self.found.files if self.found else []
        context = {
            **self._known(),
            "rows": understood(report, [(one.stored.name, one.inside) for one in beside]),
            "unfit": unfit_for_machines(report),
            "system": dict(self.form.fields["target"].choices).get(report.target, ""),  # type: ignore[attr-defined]
            "claim": (k, n, *exact_interval(k or 0, n or 0)) if counted else None,
            "unanswered": [field for field in self.form.asked() if not field.value()],
            "answered": [field for field in self.form.asked() if field.value()],
        }
        return page(self.request, "portal/report_check.html", context)

    def _known(self) -> dict[str, Any]:
        return {
            "program": self.program,
            "form": self.form,
            "found": self.found,
            "answer_by": answer_by(self.program),
            "here": "report",
        }


def from_file_of(held: Any) -> list[Any]:
    """The readings of a tool's file that lies with a draft."""
    return from_file(IntakeReport(imported=held)) if held else []
