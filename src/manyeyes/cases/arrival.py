"""A report on its way into the database: everything of it in one transaction, and whether it still is what came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from manyeyes import events
from manyeyes.accounts import receipts
from manyeyes.cases import alarms, assignment, coreporters, disputes, people, senders
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.keeping import Kept
from manyeyes.cases.models import Attachment, Case, Report
from manyeyes.cases.moves import told
from manyeyes.cases.ownnumbers import token_of
from manyeyes.cases.placing import place
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, Target
from manyeyes.rules import clock, reference
from manyeyes.rules.readings import Reading
from manyeyes.vault.models import DataKey


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A report whose files are stored and whose text was understood. `secret` is for whoever has no account."""

    program: Program
    target: Target
    key: DataKey
    report: IntakeReport
    deferred: bool
    readings: Sequence[Reading]
    hazard: str
    secret: receipts.Secret | None

    def store(self, by: Any, kept: Sequence[Kept]) -> tuple[Case, str | None]:
        """The case with its report and files, and the digits of a receipt; to be called within a transaction."""
        person, digits = (by, None) if by is not None else receipts.new_bearer(self.secret)
        case = self._case(person)
        row = self._report(case)
        row.save()
        senders.keep(row, person=person, told=self._sender())
        for one in kept:
            Attachment(
                case=case, key=self.key, report=row, stored=one.stored, inside=one.inside, by=person, at=case.created_at
            ).save()
        sent = self.report
        events.record(
            case.subject, "report.received", actor=person.actor, public=True, human=True, vuln_class=sent.vuln_class,
            claim_k=sent.claim_k, claim_n=sent.claim_n, biased=sent.biased, files=len(kept), side="reporter",
            deferred=self.waits, policy=case.policy_version.number if case.policy_version else 0,
            commitment=_promise(case, sent),
            more=events.commit(case.key, _more(row, [one.stored.sha256 for one in kept])),
        )  # fmt: skip
        if sent.exploited_now:
            events.record(case.subject, "exploited", actor=person.actor, public=True, human=True, side="reporter")
        if disputes.keep_sent(case, sent, by=person) is not None:
            events.record(
                case.subject, "rating.own", actor=person.actor, public=True, human=True, side="reporter",
                band=sent.own_band,
            )  # fmt: skip
        for handle in {name.strip().removeprefix("@").casefold(): name for name in sent.co_reporters}.values():
            coreporters.invite(case, by=person, handle=handle)
        place(case)
        if not self.waits:
            assignment.arrived(case)
        told(case, people.reporter(case), by=None, reason="report.received")
        self._knock(case)
        return case, digits

    def _knock(self, case: Case) -> None:
        """Whoever could be first to answer hears of it; everybody at work on the program where it is urgent."""
        if self.urgent:
            alarms.at_once(case, reason="exploited" if self.report.exploited_now else "harmed")
        elif not self.waits:  # a tray is looked at, it does not knock
            told(case, people.team(case), by=None, reason="report.received")

    @property
    def urgent(self) -> bool:
        """Whether it says that the flaw is used against people now, or harms somebody in the real world."""
        return self.report.exploited_now or self.report.harmed_now

    @property
    def waits(self) -> bool:
        """Whether it goes into the tray of a flood; what is urgent waits in no tray."""
        return self.deferred and not self.urgent

    def _case(self, person: Any) -> Case:
        moment = clock.now()
        return Case.objects.create(
            key=self.key,
            program=self.program,
            ref=free_reference(),
            title=self.report.title.strip(),
            vuln_class=self.report.vuln_class,
            hazard=self.hazard,
            target=self.target,
            target_version=self.target.current,
            policy_version=self.program.policy,
            reporter=person,
            origin="staff" if roles_of(person, self.program) else "outside",
            created_at=moment,
            changed_at=moment,
            changed_by=person,
            exploited_at=moment if self.report.exploited_now else None,
            deferred_at=moment if self.waits else None,
        )

    def _sender(self) -> senders.Told:
        sent = self.report
        return senders.Told(contact="" if sent.anonymous else sent.contact.strip(), own_ref=sent.own_ref.strip())

    def _report(self, case: Case) -> Report:
        report = self.report
        return Report(
            case=case,
            key=case.key,
            submission_id=report.submission_id,
            happened=report.happened.strip(),
            expected=report.expected.strip() or None,
            steps=report.steps,
            impact=report.impact.strip(),
            settings={name: str(value) for name, value in report.settings.items() if str(value).strip()} or None,
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
            readings=[asdict(row) for row in self.readings],
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


def free_reference() -> str:
    """A reference that no case has."""
    while True:
        ref = reference.new_reference()
        if not Case.objects.filter(ref=ref).exists():
            return ref
