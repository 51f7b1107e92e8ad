"""A report arrives: checked, encrypted under a key of its own, and answered with a receipt. Never stored twice."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from manyeyes import events
from manyeyes.accounts import receipts
from manyeyes.accounts.models import Person, Receipt
from manyeyes.cases import coreporters, drafts, people
from manyeyes.cases.clocks import keep
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.keeping import Brought, Kept, forget, keep_all
from manyeyes.cases.models import Attachment, Case, Draft, Report, ReproducerFile
from manyeyes.cases.moves import acting, told
from manyeyes.cases.ownnumbers import token_of
from manyeyes.cases.sketch import reproducer_data, success_rule
from manyeyes.cases.understood import understood
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, Target
from manyeyes.reproducer.load import ReproducerError, dump_text, load_data, load_text
from manyeyes.rules import clock, reference
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role
from manyeyes.vault import keyring, tokens
from manyeyes.vault.models import DataKey

__all__ = ["Brought", "IntakeReport", "Submitted", "acknowledge", "attach_reproducer", "report_is_as_sent", "submit"]


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The case, and for whoever has no account the digits to come back with, shown once. `again`: it was here."""

    case: Case
    receipt: str | None
    again: bool = False


def submit(
    program: Program,
    report: IntakeReport,
    *,
    by: Any = None,
    files: Sequence[Brought] = (),
    draft: Draft | None = None,
    deferred: bool = False,
) -> Submitted:
    """Take a report in. Raises Invalid naming each field. The same `submission_id` again makes no second case.

    Whoever asks to stay anonymous gets a receipt, also when signed in: the report is not tied to the account. Files
    come along whole or not at all, with those of the `draft`, which is gone afterwards. `deferred`: it came in a flood;
    it is taken like any other and waits in a tray of its own.
    """
    if by is not None and report.anonymous and by.kind == Person.Kind.ACCOUNT:
        by = None
    wrong = report.validate(signed_in=by is not None)
    target = _target(program, report.target)
    if target is None:
        wrong.setdefault("target", "Choose one of the systems of this program.")
    text, name, source = _reproducer(report, wrong)
    if wrong or target is None:
        raise Invalid(wrong)
    if not program.takes_reports:
        raise Conflict("This program takes no reports at the moment.")
    before = _sent_before(report)
    if before is not None:
        return _again(before, report, by, draft)
    deferred = deferred or flooded(program)
    key = keyring.new_key("case")
    kept = _bring(key, files, draft)
    try:
        with transaction.atomic():
            arriving = _Arriving(program=program, target=target, key=key, report=report, deferred=deferred)
            case, digits = arriving.store(by, kept)
            if text:
                _file(case, case.reporter, text, name, source).save()
            if draft is not None:
                drafts.drop(draft)
            return Submitted(case=case, receipt=digits)
    except BaseException as error:
        forget(kept)
        before = _sent_before(report) if isinstance(error, IntegrityError) else None
        if before is None:
            raise
    return _again(before, report, by, draft)


def flooded(program: Program) -> bool:
    """Whether more reports came to this program within the last hour than people can look at one by one."""
    since = clock.now() - timedelta(hours=1)
    return program.cases.filter(created_at__gt=since).count() >= settings.MANYEYES_PROGRAM_REPORTS_PER_HOUR


def known(submission: str) -> bool:
    """Whether a form with this id was sent already."""
    try:
        return Report.objects.filter(submission_id=uuid.UUID(submission)).exists()
    except ValueError:
        return False


def _sent_before(report: IntakeReport) -> Report | None:
    return Report.objects.filter(submission_id=report.submission_id).select_related("case").first()


def _bring(key: DataKey, files: Sequence[Brought], draft: Draft | None) -> list[Kept]:
    """Everything that comes along, encrypted under the key of the case before the database is locked."""
    held = drafts.bringing(drafts.Found(draft=draft, token="")) if draft is not None else []
    if len(held) + len(files) > drafts.MOST_FILES:
        raise Invalid(file=f"A report brings at most {drafts.MOST_FILES} files. Put several into one archive.")
    return keep_all(key, [*held, *files])


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


@dataclass(frozen=True, kw_only=True)
class _Arriving:
    """A report on its way into the database; everything of it in one transaction."""

    program: Program
    target: Target
    key: DataKey
    report: IntakeReport
    deferred: bool

    def store(self, by: Any, kept: Sequence[Kept]) -> tuple[Case, str | None]:
        """The case with its report and files, and the digits of a receipt for whoever has no account."""
        person, digits = (by, None) if by is not None else receipts.new_bearer()
        case = self._case(person)
        row = _report(case, self.report)
        row.save()
        for one in kept:
            Attachment(
                case=case, key=self.key, report=row, stored=one.stored, inside=one.inside, by=person, at=case.created_at
            ).save()
        sent = self.report
        events.record(
            case.subject, "report.received", actor=person.actor, public=True, human=True, vuln_class=sent.vuln_class,
            claim_k=sent.claim_k, claim_n=sent.claim_n, biased=sent.biased, files=len(kept), side="reporter",
            deferred=self.deferred, commitment=_promise(case, sent),
            more=events.commit(case.key, _more(row, [one.stored.sha256 for one in kept])),
        )  # fmt: skip
        for handle in sent.co_reporters:
            coreporters.invite(case, by=person, handle=handle)
        keep(case)
        team = [] if self.deferred else people.team(case)  # a tray is looked at, it does not knock
        told(case, [*people.reporter(case), *team], by=None, reason="report.received")
        return case, digits

    def _case(self, person: Any) -> Case:
        moment = clock.now()
        return Case.objects.create(
            key=self.key,
            program=self.program,
            ref=_free_reference(),
            title=self.report.title.strip(),
            vuln_class=self.report.vuln_class,
            target=self.target,
            target_version=self.target.current,
            policy_version=self.program.policy,
            reporter=person,
            origin="staff" if roles_of(person, self.program) else "outside",
            created_at=moment,
            changed_at=moment,
            changed_by=person,
            exploited_at=moment if self.report.exploited_now else None,
            deferred_at=moment if self.deferred else None,
        )


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
        own_ref_token=token_of(case.program_id, report.own_ref),
        claim_k=report.claim_k,
        claim_n=report.claim_n,
        claim_biased=report.biased,
        exploited_now=report.exploited_now,
        harmed_now=report.harmed_now,
        hazard=report.hazard,
        answers=_said(report.answers),
        seen=_said(report.seen),
        plans=_said(report.plans),
        readings=[asdict(row) for row in understood(report)],
        sent_at=case.created_at,
    )


def _said(given: Any) -> dict[str, str] | None:
    """The answers that say something."""
    return {name: str(value).strip() for name, value in given.items() if str(value).strip()} or None


def _promise(case: Case, report: IntakeReport) -> str:
    """What shows later, without holding a word of it, that the report was not changed since it came."""
    fields = (report.title.strip(), report.happened.strip(), report.expected.strip(), report.steps)
    return events.commit(case.key, "\0".join((*fields, report.impact.strip())))


def _more(row: Report, digests: Sequence[str]) -> str:
    """What else came with a report, as one text: its optional answers and the digests of its files."""
    return json.dumps([row.answers, row.seen, row.plans, sorted(digests)], sort_keys=True, ensure_ascii=True)


def report_is_as_sent(case: Case) -> bool:
    """Whether the stored report is the one that the first event vouches for, its files included."""
    first = events.log(case.subject).filter(kind="report.received").first()
    row = case.reports.order_by("sent_at").first()
    if first is None or row is None:
        return False
    text = "\0".join((case.title, row.happened, row.expected or "", row.steps, row.impact))
    promised = str(first.data.get("more", ""))
    digests = [one.stored.sha256 for one in row.files.select_related("stored")]
    kept = not promised or events.matches(promised, case.key, _more(row, digests))
    return kept and events.matches(first.commitment, case.key, text)


def _again(before: Report, report: IntakeReport, by: Any, draft: Draft | None) -> Submitted:
    """The answer to a resend. Whoever has no account and proves to hold the same report gets a fresh receipt."""
    case = before.case
    if by is not None:
        if by.pk != case.reporter_id:
            raise Conflict("This form was sent already. Open a new one to send another report.")
        _drop_again(draft)
        return Submitted(case=case, receipt=None, again=True)
    sent = _fingerprint(report.steps, report.happened.strip())
    same = hmac.compare_digest(_fingerprint(before.steps, before.happened), sent)
    if not same or case.reporter.kind != Person.Kind.RECEIPT:
        raise Conflict("This form was sent already. Open a new one to send another report.")
    _drop_again(draft)
    with transaction.atomic():  # the digits of the first answer were never seen, so they open nothing any more
        Receipt.objects.filter(person=case.reporter).delete()
        return Submitted(case=case, receipt=receipts.issue(case.reporter), again=True)


def _drop_again(draft: Draft | None) -> None:
    if draft is not None:
        drafts.drop(draft)


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


def _reproducer(report: IntakeReport, wrong: dict[str, str]) -> tuple[str, str, str]:
    """(text, name, source) of the reproducer: as it was sent, else from a tool's file, else built from the form."""
    if report.reproducer.strip():
        if "reproducer" not in wrong:
            _read(report.reproducer, report.reproducer_name or "reproducer", wrong)
        return report.reproducer, report.reproducer_name, "sent"
    if wrong:
        return "", "", ""
    for data, source in ((_from_file(report), "import"), (_answers(report), "form")):
        try:
            if data:
                return dump_text(load_data(data, "your answers")), "", source
        except ReproducerError:
            continue  # the answers stay as they are; a triager writes the reproducer
    return "", "", ""


def _from_file(report: IntakeReport) -> dict[str, Any] | None:
    """The draft that a tool's file gave, with the class and, where the file tells none, the rule that were given."""
    if not report.imported or not report.imported.get("draft"):
        return None
    data = {**report.imported["draft"], "class": report.vuln_class, "title": report.title.strip()}
    rule = success_rule(report.success_how, report.success_text)
    if "success" not in data and rule:
        data["success"] = rule
    if report.biased:
        data.pop("claim", None)
    return data


def _read(text: str, name: str, wrong: dict[str, str]) -> None:
    try:
        load_text(text, name)
    except ReproducerError as error:
        wrong["reproducer"] = str(error)


def _answers(report: IntakeReport) -> dict[str, Any] | None:
    rule = success_rule(report.success_how, report.success_text)
    if rule is None or (report.success_how == "human" and not report.success_text.strip()):
        return None
    counted = report.claim_k is not None and report.claim_n is not None and not report.biased
    return reproducer_data(
        title=report.title, vuln_class=report.vuln_class, steps=report.steps, settings=report.settings,
        claim=(report.claim_k or 0, report.claim_n or 0) if counted else None, success=rule,
        conversation=report.conversation,
    )  # fmt: skip
