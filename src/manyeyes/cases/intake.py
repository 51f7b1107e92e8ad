"""A report arrives: checked, encrypted under a key of its own, and answered with a receipt. Never stored twice."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from manyeyes import events
from manyeyes.accounts import receipts
from manyeyes.accounts.models import Person, Receipt
from manyeyes.cases import people
from manyeyes.cases.clocks import keep
from manyeyes.cases.conversation import problem_with
from manyeyes.cases.models import Case, Report, ReproducerFile
from manyeyes.cases.moves import acting, told
from manyeyes.cases.sketch import reproducer_data
from manyeyes.programs.models import Program, Target
from manyeyes.reproducer.load import ReproducerError, dump_text, load_data, load_text
from manyeyes.reproducer.model import CLASSES
from manyeyes.rules import clock, reference
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role
from manyeyes.vault import keyring, tokens

TITLE_LONGEST = 200
CONTACT_LONGEST = 320
TEXT_LONGEST = 100_000
MOST_TRIES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class IntakeReport:
    """What a researcher answered. Eight answers are required: target, class, title, what happened, steps, impact, how
    often (`claim_k` of `claim_n`, or `not_counted`), and who they are (`contact`, `anonymous`, or a signed-in person).
    """

    target: str = ""
    vuln_class: str = ""
    title: str = ""
    happened: str = ""
    steps: str = ""
    impact: str = ""
    claim_k: int | None = None
    claim_n: int | None = None
    not_counted: bool = False
    contact: str = ""
    anonymous: bool = False
    expected: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    success_text: str = ""
    reproducer: str = ""
    reproducer_name: str = ""
    own_ref: str = ""
    exploited_now: bool = False
    submission_id: uuid.UUID = field(default_factory=uuid.uuid4)

    def validate(self, *, signed_in: bool = False) -> dict[str, str]:
        """Field → what is wrong and how to mend it; empty where the report can be sent."""
        wrong: dict[str, str | None] = {
            "target": None if self.target else "Choose the system you tested.",
            "vuln_class": None if self.vuln_class in CLASSES else "Choose the kind of flaw.",
            "title": problem_with(self.title, longest=TITLE_LONGEST),
            "happened": problem_with(self.happened, longest=TEXT_LONGEST),
            "steps": problem_with(self.steps, longest=TEXT_LONGEST),
            "impact": problem_with(self.impact, longest=TEXT_LONGEST),
            "claim": self._claim_problem(),
            "contact": self._contact_problem(signed_in),
            "expected": problem_with(self.expected, longest=TEXT_LONGEST, required=False),
            "success_text": problem_with(self.success_text, longest=2_000, required=False),
            "reproducer": problem_with(self.reproducer, longest=1_000_000, required=False),
            "own_ref": problem_with(self.own_ref, longest=100, required=False),
        }
        for name, value in self.settings.items():
            wrong[f"settings.{name}"] = problem_with(str(value), longest=200, required=False)
        return {name: problem for name, problem in wrong.items() if problem}

    def _claim_problem(self) -> str | None:
        k, n = self.claim_k, self.claim_n
        if self.not_counted:
            return None if k is None and n is None else "Give the count, or say that you did not count; not both."
        if k is None or n is None:
            return "Say how often it worked and out of how many tries, or that you did not count."
        if not 1 <= n <= MOST_TRIES:
            return f"The number of tries must be between 1 and {MOST_TRIES:,}."
        return None if 0 <= k <= n else "It cannot have worked more often than you tried."

    def _contact_problem(self, signed_in: bool) -> str | None:
        if self.anonymous:
            return "Leave the contact empty to stay anonymous." if self.contact.strip() and not signed_in else None
        if signed_in:
            return None
        wrong = problem_with(self.contact, longest=CONTACT_LONGEST)
        return "Give a way to reach you, or choose to stay anonymous." if wrong else None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The case, and for whoever has no account the digits to come back with, shown once. `again`: it was here."""

    case: Case
    receipt: str | None
    again: bool = False


def submit(program: Program, report: IntakeReport, *, by: Any = None) -> Submitted:
    """Take a report in. Raises Invalid naming each field. The same `submission_id` again makes no second case.

    Whoever asks to stay anonymous gets a receipt, also when signed in: the report is not tied to the account.
    """
    if by is not None and report.anonymous and by.kind == Person.Kind.ACCOUNT:
        by = None
    wrong = report.validate(signed_in=by is not None)
    target = _target(program, report.target)
    if target is None:
        wrong.setdefault("target", "Choose one of the systems of this program.")
    text, name = _reproducer(report, wrong)
    if wrong or target is None:
        raise Invalid(wrong)
    if not program.takes_reports:
        raise Conflict("This program takes no reports at the moment.")
    before = Report.objects.filter(submission_id=report.submission_id).select_related("case").first()
    if before is not None:
        return _again(before, report, by)
    try:
        with transaction.atomic():
            return _store(program, target, report, text, name, by)
    except IntegrityError:
        before = Report.objects.filter(submission_id=report.submission_id).select_related("case").first()
        if before is None:
            raise
        return _again(before, report, by)


def acknowledge(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """A person has read the report; the researcher sees it, and the first clock stops."""
    with acting(
        case, "acknowledged", by=by, allowed=TRIAGERS, tell=people.reporter(case), public=True,
        expected_version=expected_version,
    ) as row:  # fmt: skip
        if row.acknowledged_at is not None:
            raise Conflict("The report was acknowledged already.")
    return case


def attach_reproducer(case: Case, *, by: Any, text: str, name: str = "") -> ReproducerFile:
    """Give the case a reproducer, or a better one; the researcher may too. The report itself stays as it was sent."""
    wrong: dict[str, str] = {}
    _read(text, name or "reproducer", wrong)
    if wrong:
        raise Invalid(wrong)
    row = _file(case, by, text, name, "attached")
    from_reporter = by.pk == case.reporter_id
    tell = people.team(case) if from_reporter else people.reporter(case)
    with acting(
        case, "reproducer.attached", by=by, allowed=TRIAGERS | {Role.TARGET_OWNER, Role.REPORTER}, tell=tell,
        public=True, reproducer=str(row.pk), said=text, side="reporter" if from_reporter else "team",
    ):  # fmt: skip
        row.save()
    return row


def _target(program: Program, given: str) -> Target | None:
    try:
        return Target.objects.filter(program=program, pk=uuid.UUID(str(given))).first()
    except ValueError:
        return None


def _store(program: Program, target: Target, report: IntakeReport, text: str, name: str, by: Any) -> Submitted:
    person, digits = (by, None) if by is not None else receipts.new_bearer()
    moment = clock.now()
    case = Case.objects.create(
        key=keyring.new_key("case"),
        program=program,
        ref=_free_reference(),
        title=report.title.strip(),
        vuln_class=report.vuln_class,
        target=target,
        target_version=target.current,
        policy_version=program.policy,
        reporter=person,
        created_at=moment,
        changed_at=moment,
        changed_by=person,
        exploited_at=moment if report.exploited_now else None,
    )
    _report(case, report).save()
    if text:
        _file(case, person, text, name, "sent" if report.reproducer.strip() else "form").save()
    events.record(
        case.subject, "report.received", actor=person.actor, public=True, human=True, vuln_class=report.vuln_class,
        claim_k=report.claim_k, claim_n=report.claim_n, side="reporter", commitment=_promise(case, report),
    )  # fmt: skip
    keep(case)
    told(case, [*people.reporter(case), *people.team(case)], by=None, reason="report.received")
    return Submitted(case=case, receipt=digits)


def _report(case: Case, report: IntakeReport) -> Report:
    return Report(
        case=case,
        key=case.key,
        submission_id=report.submission_id,
        happened=report.happened.strip(),
        expected=report.expected.strip() or None,
        steps=report.steps,
        impact=report.impact.strip(),
        settings={name: str(value) for name, value in report.settings.items() if str(value).strip()} or None,
        contact=None if report.anonymous else (report.contact.strip() or None),
        own_ref=report.own_ref.strip() or None,
        claim_k=report.claim_k,
        claim_n=report.claim_n,
        exploited_now=report.exploited_now,
        sent_at=case.created_at,
    )


def _promise(case: Case, report: IntakeReport) -> str:
    """What shows later, without holding a word of it, that the report was not changed since it came."""
    fields = (report.title.strip(), report.happened.strip(), report.expected.strip(), report.steps)
    return events.commit(case.key, "\0".join((*fields, report.impact.strip())))


def report_is_as_sent(case: Case) -> bool:
    """Whether the stored report is the one that the first event vouches for."""
    first = events.log(case.subject).filter(kind="report.received").first()
    row = case.reports.order_by("sent_at").first()
    if first is None or row is None:
        return False
    text = "\0".join((case.title, row.happened, row.expected or "", row.steps, row.impact))
    return events.matches(first.commitment, case.key, text)


def _again(before: Report, report: IntakeReport, by: Any) -> Submitted:
    """The answer to a resend. Whoever has no account and proves to hold the same report gets a fresh receipt."""
    case = before.case
    if by is not None:
        if by.pk != case.reporter_id:
            raise Conflict("This form was sent already. Open a new one to send another report.")
        return Submitted(case=case, receipt=None, again=True)
    sent = _fingerprint(report.steps, report.happened.strip())
    same = hmac.compare_digest(_fingerprint(before.steps, before.happened), sent)
    if not same or case.reporter.kind != Person.Kind.RECEIPT:
        raise Conflict("This form was sent already. Open a new one to send another report.")
    with transaction.atomic():  # the digits of the first answer were never seen, so they open nothing any more
        Receipt.objects.filter(person=case.reporter).delete()
        return Submitted(case=case, receipt=receipts.issue(case.reporter), again=True)


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _free_reference() -> str:
    while True:
        ref = reference.new_reference()
        if not Case.objects.filter(ref=ref).exists():
            return ref


def _file(case: Case, by: Any, text: str, name: str, source: str) -> ReproducerFile:
    # A keyed name: from a bare hash in the clear anybody could tell whether a text they have is this one.
    named = tokens.keyed("reproducer", text)
    return ReproducerFile(
        case=case, key=case.key, by=by, text=text, name=name or None, source=source, content_hash=named, at=clock.now()
    )


def _reproducer(report: IntakeReport, wrong: dict[str, str]) -> tuple[str, str]:
    """The reproducer's text: as it was sent, else built from the form where the form says enough."""
    if report.reproducer.strip():
        if "reproducer" not in wrong:
            _read(report.reproducer, report.reproducer_name or "reproducer", wrong)
        return report.reproducer, report.reproducer_name
    if wrong or not report.success_text.strip():
        return "", ""
    try:
        return dump_text(load_data(_answers(report), "your answers")), ""
    except ReproducerError:
        return "", ""  # the answers stay as they are; a triager writes the reproducer


def _read(text: str, name: str, wrong: dict[str, str]) -> None:
    try:
        load_text(text, name)
    except ReproducerError as error:
        wrong["reproducer"] = str(error)


def _answers(report: IntakeReport) -> dict[str, Any]:
    counted = report.claim_k is not None and report.claim_n is not None
    return reproducer_data(
        title=report.title, vuln_class=report.vuln_class, steps=report.steps, settings=report.settings,
        claim=(report.claim_k or 0, report.claim_n or 0) if counted else None,
        success={"contains": report.success_text.strip()},
    )  # fmt: skip
