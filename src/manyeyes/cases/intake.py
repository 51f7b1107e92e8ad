"""A report arrives: checked, encrypted under a key of its own, and answered with a receipt. Never stored twice."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from manyeyes.accounts import receipts
from manyeyes.accounts.models import Person, Receipt
from manyeyes.cases import drafts, people, preflight, reproducers, signals
from manyeyes.cases.arrival import Arrival, report_is_as_sent
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.keeping import Brought, Kept, forget, keep_all
from manyeyes.cases.models import Case, Report
from manyeyes.cases.moves import acting
from manyeyes.cases.reproducers import attach_reproducer
from manyeyes.cases.understood import understood
from manyeyes.cases.unsent import Draft
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, Target
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid
from manyeyes.rules.lifecycle import TRIAGERS
from manyeyes.vault import keyring
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
        wrong.setdefault("target", _("Choose one of the systems of this program."))
    text, name, source = reproducers.of_report(report, wrong)
    if wrong or target is None:
        raise Invalid(wrong)
    before = _sent_before(report)
    if before is not None:  # also while nothing new is taken: its sender may have lost the first answer
        return _again(before, report, by, draft)
    if not program.takes_reports:
        raise Conflict(_("This program takes no reports at the moment."))
    key = keyring.new_key("case")
    kept, marks = _bring(key, files, draft), signals.marks_of(program, report)
    readings = understood(report, [(one.stored.name, one.inside) for one in kept])
    # All slow work is done by now: while the transaction is open, nobody else can write to an embedded database.
    arrival = Arrival(
        program=program, target=target, key=key, report=report, deferred=_waits(program, by, deferred),
        hazard=report.hazard or reproducers.hazard_in(text), readings=readings,
        secret=None if by is not None else receipts.fresh_secret(),
    )  # fmt: skip
    try:
        with transaction.atomic():
            case, digits = arrival.store(by, kept)
            file = reproducers.file(case, case.reporter, text, name, source) if text else None
            if file is not None:
                file.save()
            preflight.arrived(case, file)
            signals.keep(case, marks)
            if draft is not None:
                drafts.drop(draft)
            return Submitted(case=case, receipt=digits)
    except BaseException as error:
        forget(kept)
        before = _sent_before(report) if isinstance(error, IntegrityError) else None
        if before is None:
            raise
    return _again(before, report, by, draft)


def _waits(program: Program, by: Any, deferred: bool) -> bool:
    """Whether it goes to the tray: what others send never holds up a report of the team itself."""
    return not roles_of(by, program) and (deferred or flooded(program))


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
        raise Invalid(file=drafts.too_many())
    return keep_all(key, [*held, *files])


def acknowledge(case: Case, *, by: Any, expected_version: int | None = None) -> Case:
    """A person has read the report; the researcher sees it, and the first clock stops."""
    with acting(
        case, "acknowledged", by=by, allowed=TRIAGERS, tell=people.reporter(case), public=True,
        expected_version=expected_version,
    ) as row:  # fmt: skip
        if row.acknowledged_at is not None:
            raise Conflict(_("The report was acknowledged already."))
    return case


def _target(program: Program, given: str) -> Target | None:
    try:
        return Target.objects.filter(program=program, pk=uuid.UUID(str(given))).first()
    except ValueError:
        return None


def _again(before: Report, report: IntakeReport, by: Any, draft: Draft | None) -> Submitted:
    """The answer to a resend. Whoever has no account and proves to hold the same report gets a fresh receipt."""
    case = before.case
    if by is not None:
        if by.pk != case.reporter_id:
            raise Conflict(_("This form was sent already. Open a new one to send another report."))
        _drop_again(draft)
        return Submitted(case=case, receipt=None, again=True)
    sent = _fingerprint(report.steps, report.happened.strip())
    same = hmac.compare_digest(_fingerprint(before.steps, before.happened), sent)
    if not same or case.reporter.kind != Person.Kind.RECEIPT:
        raise Conflict(_("This form was sent already. Open a new one to send another report."))
    _drop_again(draft)
    secret = receipts.fresh_secret()
    with transaction.atomic():  # the digits of the first answer were never seen, so they open nothing any more
        Receipt.objects.filter(person=case.reporter).delete()
        return Submitted(case=case, receipt=receipts.issue(case.reporter, secret), again=True)


def _drop_again(draft: Draft | None) -> None:
    if draft is not None:
        drafts.drop(draft)


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
