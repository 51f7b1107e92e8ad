"""What the cases hold of one person: handed to them as plain data, and taken out of the cases when they leave."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes.cases import coreporters, drafts, people, senders, signals, triage
from manyeyes.cases.access import reported_by
from manyeyes.cases.models import Case, CoReporter, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.placed import Place
from manyeyes.cases.unsent import Draft
from manyeyes.programs import guests
from manyeyes.rules.errors import Conflict
from manyeyes.rules.lifecycle import Role, Status
from manyeyes.vault import keyring

SENT = ("happened", "expected", "steps", "impact", "settings", "claim_k", "claim_n", "answers", "seen", "plans")
CAME_TO_NOTHING = frozenset({"withdrawn", "spam", "out_of_scope", "informative"})
"""Closed for these reasons, a report is no evidence of a flaw that anybody works on or is thanked for."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of a case when its reporter leaves, and why."""

    case: Case
    goes: bool
    why: str


def of(person: Any) -> dict[str, Any]:
    """Reports, words, drafts and parts in others' reports of a person, as data that JSON can hold."""
    return {
        "reports": [_case(case, person) for case in reported_by(person).select_related("key", "program", "target")],
        "drafts": [{"program": row.program.slug, "saved_at": row.saved_at, "answers": row.answers} for row in
                   Draft.objects.filter(owner=person).select_related("program", "key")],
        "invited_to": guests.of(person),
    }  # fmt: skip


def _case(case: Case, person: Any) -> dict[str, Any]:
    mine = case.reporter_id == person.pk
    reports = [
        {"sent_at": row.sent_at, **{name: getattr(row, name) for name in SENT}, **_sender(row, mine)}
        for row in case.reports.all()
    ]
    said = case.messages.filter(author=person).order_by("at").prefetch_related("earlier")
    return {
        "ref": case.ref, "program": case.program.slug, "target": case.target.name, "kind": case.vuln_class,
        "title": case.title, "status": case.status, "close_reason": case.close_reason, "sent_at": case.created_at,
        "sent_by_you": mine, "report": reports,
        "your_words": [_message(row) for row in said],
        "your_files": [
            {"name": row.stored.name, "size": row.stored.size, "sha256": row.stored.sha256, "sent_at": row.at}
            for row in case.attachments.filter(by=person).select_related("stored")
        ],
        "your_reproducers": [{"at": row.at, "text": row.text} for row in case.reproducers.filter(by=person)],
        "your_ratings": [
            {"at": row.at, "band": row.band, "vector": row.vector, "why": row.why}
            for row in case.own_ratings.filter(by=person)
        ],
        "your_words_on_severity": [
            {"at": row.at, "text": row.text, "answer": row.answer} for row in case.disputes.filter(by=person)
        ],
        "your_retests": [
            {"at": row.at, "k": row.k, "n": row.n, "agrees": row.agrees, "transcript": row.transcript}
            for row in case.retests.filter(by=person)
        ],
    }  # fmt: skip


def _sender(report: Any, mine: bool) -> dict[str, Any]:
    """What the sender said about themselves, which is nobody's who reports with them."""
    return asdict(senders.of(report)) if mine else {}


def _message(row: Any) -> dict[str, Any]:
    earlier = [{"until": old.until, "text": old.text} for old in row.earlier.all()]
    return {"at": row.at, "public": row.public, "text": row.text, "earlier": earlier}


def may_leave(person: Any) -> str:
    """Why a person cannot be taken out of the cases now; empty where they can."""
    if person.memberships.exists():
        return _("You belong to a team. Its admin takes you out of it first; what you did there stays on record.")
    if Case.objects.filter(reporter=person, key__held_at__isnull=False).exists():
        return _("A legal hold is on a report of yours: nothing of it may be destroyed until it is lifted.")
    return ""


def fates(person: Any) -> list[Fate]:
    """What becomes of each report that a person sent."""
    rows = Case.objects.filter(reporter=person, key__destroyed_at=None).select_related("key")
    return [_fate(case) for case in rows.order_by("-created_at")]


def _fate(case: Case) -> Fate:
    reason = _why_it_stays(case)
    return Fate(case=case, goes=not reason, why=reason or _("it came to nothing, and nobody else needs it"))


def _why_it_stays(case: Case) -> str:
    if case.key.held_at is not None:
        return _("a legal hold is on it")
    if Status(case.status).is_open or triage.appeal_waits(case):
        return _("the team works on it")
    if case.confirmed_at or case.close_reason not in CAME_TO_NOTHING or _was_replayed(case):
        return _("it is the record of a flaw, and of what was decided about it")
    others = len(people.reporter(case)) > 1
    return _("others report it with you, or lean on it") if others or case.duplicates.exists() else ""


def _was_replayed(case: Case) -> bool:
    """Whether somebody had it replayed; the try on arrival is made of every report that can be tried."""
    return case.reproductions.exclude(purpose=Reproduction.Purpose.PREFLIGHT).exists()


@transaction.atomic
def forget(person: Any) -> None:
    """Take a person out of their cases: contact, own numbers, drafts and open invitations. Raises Conflict where held.

    Reports that came to nothing are destroyed with the key of their case. The others stay, and what was said in them:
    they are the record of a flaw and of what was done about it.
    """
    why_not = may_leave(person)
    if why_not:
        raise Conflict(why_not)
    going = [one.case for one in fates(person) if one.goes]
    for case in reported_by(person):
        with acting(case, "reporter.left", by=person, allowed={Role.REPORTER}, public=True, side="reporter",
                    tell=people.team(case)):  # fmt: skip
            if case.reporter_id == person.pk:
                senders.forget(case)
            if case in going:
                signals.forget(case)
                keyring.shred(case.key)
                Place.objects.filter(case=case).delete()
    for draft in Draft.objects.filter(owner=person):
        drafts.drop(draft)
    for invitation in coreporters.waiting_for(person):
        coreporters.end(invitation, by=person)
    CoReporter.objects.filter(person=person).update(named=None)
    guests.forget(person)
