"""Makes a case out of one of several flaws of a report: same reporter, same day of receipt, a life of its own."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.cases import assignment, fixed_words, people, sharing
from manyeyes.cases.access import roles_in
from manyeyes.cases.arrival import free_reference
from manyeyes.cases.conversation import checked
from manyeyes.cases.kin import Split
from manyeyes.cases.models import Case, CoReporter, Message, Report
from manyeyes.cases.moves import acting, told
from manyeyes.cases.placing import place
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.rules.lifecycle import TRIAGERS
from manyeyes.rules.taxonomy import KINDS
from manyeyes.vault import keyring, tokens

TITLE_LONGEST = 200
COPIED = (
    "happened", "expected", "steps", "impact", "settings", "claim_k", "claim_n", "claim_biased", "exploited_now",
    "harmed_now", "hazard", "answers", "seen", "plans", "readings", "sent_at",
)  # fmt: skip
"""What of a report stands in the new case too, word for word; contact and own number stay with the sender."""


def split(
    case: Case, *, by: Any, title: str, vuln_class: str, words: str = "", why: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Open a case of its own for one flaw of the report. Its reporter is told in both; the original stays whole.

    The first answer counts from the receipt of the original, and an answer given there counts; everything else begins
    now. Merging the new case into the original undoes it.
    """
    clean = checked("title", title, longest=TITLE_LONGEST)
    own = checked("words", words, longest=4_000, required=False)
    reason = checked("why", why, longest=5_000, required=False)
    if vuln_class not in KINDS:
        raise Invalid(vuln_class=_("Choose one of the kinds."))
    if not roles_in(by, case) & TRIAGERS:
        raise NotAllowed(_("Splitting a report belongs to the triagers and the program manager."))
    key = keyring.new_key("case")
    with transaction.atomic():
        with acting(
            case, "case.split_off", by=by, allowed=TRIAGERS, tell=people.everybody(case), public=True,
            expected_version=expected_version, said=clean,
        ) as source:  # fmt: skip
            new = _case(source, key, by, clean, vuln_class)
            source.note(split=new.ref)
            Split.objects.create(case=new, source=source, by=by)
            _copy(source, new)
        _begin(source, new, by, own)
        if reason:
            _note(new, by, reason)
    return new


def _case(source: Case, key: Any, by: Any, title: str, vuln_class: str) -> Case:
    moment = clock.now()
    same = ("program", "hazard", "target", "target_version", "policy_version", "reporter", "origin", "test")
    values = {name: getattr(source, name) for name in same}
    return Case.objects.create(
        key=key, ref=free_reference(), title=title, vuln_class=vuln_class, created_at=sharing.received_at(source),
        changed_at=moment, changed_by=by, **values,
    )  # fmt: skip


def _copy(source: Case, new: Case) -> None:
    """The report as it was sent, and whoever else reports it."""
    row = source.reports.order_by("sent_at").first()
    if row is not None:
        values = {name: getattr(row, name) for name in COPIED}
        Report(case=new, key=new.key, submission_id=uuid.uuid4(), **values).save()
    for other in CoReporter.objects.filter(case=source, accepted_at__isnull=False, ended_at__isnull=True):
        CoReporter(
            case=new, key=new.key, person=other.person, invited_by=other.invited_by, invited_at=other.invited_at,
            accepted_at=other.accepted_at, locator=tokens.keyed("co-reporter", f"split:{new.pk}:{other.person_id}"),
        ).save()  # fmt: skip


def _begin(source: Case, new: Case, by: Any, own: str) -> None:
    """The first lines of the new case's record: what the researcher reads, then the report it was made of."""
    text = "\n\n".join(filter(None, [fixed_words.split_off(new, source), own]))
    word = Message(case=new, key=new.key, author=by, public=True, text=text, purpose="split", at=clock.now())
    word.save()
    events.record(
        new.subject, "case.split", actor=by.actor, public=True, human=True, split=source.ref, message=str(word.pk),
        received=_moment(sharing.received_at(source)), answered=_moment(source.acknowledged_at),
        vuln_class=new.vuln_class, commitment=events.commit(new.key, text),
    )  # fmt: skip
    if new.reports.exists():
        events.record(new.subject, "report.copied", actor=by.actor, public=True, human=True, split=source.ref)
    place(new)
    assignment.arrived(new)
    told(new, people.reporter(new), by=by, reason="case.split")


def _note(new: Case, by: Any, why: str) -> None:
    row = Message(case=new, key=new.key, author=by, text=why, purpose="family", at=clock.now())
    with acting(new, "family.split", by=by, allowed=TRIAGERS, message=str(row.pk), said=why):
        row.save()


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""
