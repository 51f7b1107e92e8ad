"""The test report of a launch: sent through the same door as every report, marked, never counted, kept or removed."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models import ProtectedError

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases import intake
from manyeyes.cases.intake_report import IntakeReport
from manyeyes.cases.models import Case
from manyeyes.programs import launch
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.programs.openpgp import MANAGERS
from manyeyes.rules.errors import Conflict, IllegalMove, NotAllowed, NotFound
from manyeyes.vault import files as vault_files
from manyeyes.vault import keyring
from manyeyes.vault.models import StoredFile

TITLE = "Test report: does a report reach us?"
HAPPENED = "Nothing. This is a test of the program itself, sent before strangers depend on it."
STEPS = "1. Open the queue. 2. Open this case. 3. Reply to it, as you would to any report."
IMPACT = "Nobody. If nobody answers it, researchers would wait as this one does."


def send(program: Program, *, by: Any) -> intake.Submitted:
    """Send the test report as a stranger without an account would; the digits of its receipt are shown once.

    Raises IllegalMove while the program can take none. That `by` asked for it is on record.
    """
    if not roles_of(by, program):
        raise NotFound
    if not program.takes_reports:
        raise IllegalMove("Make the program private first; a draft takes no reports.")
    target = program.targets.first()
    if target is None:
        raise IllegalMove("Register a system first; a report names the one it is about.")
    report = IntakeReport(
        target=str(target.pk),
        vuln_class="PI-D",
        title=TITLE,
        happened=HAPPENED,
        steps=STEPS,
        impact=IMPACT,
        not_counted=True,
        anonymous=True,
    )
    with transaction.atomic():
        sent = intake.submit(program, report)
        Case.objects.filter(pk=sent.case.pk).update(test=True)
        sent.case.test = True
        events.record(sent.case.subject, "case.marked_test", actor=by.actor, human=True)
        settle(program)
    return sent


def settle(program: Program) -> None:
    """Tell the launch checklist how the test reports stand: the one that was answered counts, else the newest."""
    rows = list(program.cases.filter(test=True).order_by("-created_at"))
    answered = next((row for row in rows if row.acknowledged_at is not None), None)
    chosen = answered or next(iter(rows), None)
    if chosen is not None:
        launch.tested(program, sent_at=chosen.created_at, answered_at=chosen.acknowledged_at)
    elif program.test_answered_at is None:
        launch.tested(program, sent_at=None, answered_at=None)


def of(program: Program) -> list[Case]:
    """The test reports that are kept, newest first."""
    return list(program.cases.filter(test=True).select_related("key", "reporter").order_by("-created_at"))


def remove(case: Case, *, by: Any) -> None:
    """Remove a test report with everything in it; what its event log says (ids and dates, no words) stays.

    Raises NotFound for a case that is no test, Conflict where replays or publications lean on it.
    """
    if not roles_of(by, case.program) & MANAGERS:
        raise NotAllowed("A test report is removed by the manager or an admin.")
    if not case.test:
        raise NotFound
    settle(case.program)
    with transaction.atomic():
        row = Case.objects.select_for_update().get(pk=case.pk)
        files = list(StoredFile.objects.filter(key_id=row.key_id))
        try:
            _emptied(row)
            row.delete()
            Person.objects.filter(pk=row.reporter_id, kind=Person.Kind.RECEIPT).delete()
            for one in files:
                vault_files.remove(one)
        except ProtectedError:
            raise Conflict("This test was worked on further, and other things lean on it. It is kept.") from None
        events.record(f"case:{case.pk}", "case.test_removed", actor=by.actor, human=True)
        keyring.shred(case.key)


def _emptied(row: Case) -> None:
    """Delete what points at the case, leaves first. Raises ProtectedError when something does not let go."""
    left: list[models.Model] = [
        one
        for relation in row._meta.related_objects
        if relation.get_accessor_name()
        for one in relation.related_model._base_manager.filter(**{relation.field.name: row})
    ]
    while left:
        again: list[models.Model] = []
        for one in left:
            try:
                with transaction.atomic():
                    one.delete()
            except ProtectedError:
                again.append(one)
        if len(again) == len(left):
            raise ProtectedError("still needed", set(left))
        left = again
