"""Models that may be shown answers of replays: none before a manager allows it, by name and hazard class."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program, Target, TargetVersion
from manyeyes.programs.openpgp import MANAGERS
from manyeyes.programs.permitted import JudgeAllowance
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.permits import HAZARDS, NEVER_BY_MACHINE, Refusal, may_judge


def allowed(program: Program) -> list[JudgeAllowance]:
    """The judges that the program allows, the newest first."""
    return list(program.judges.filter(ended_at=None).select_related("version__target", "granted_by"))


def could_judge(program: Program) -> list[TargetVersion]:
    """The registered versions that a machine can reach and that are not retired."""
    rows = TargetVersion.objects.filter(target__program=program, target__access=Target.Access.API, retired_at=None)
    return list(rows.exclude(endpoint_url="").select_related("target").order_by("target__name", "label"))


def allow(version: TargetVersion, *, by: Any, hazard_classes: list[str] | None = None) -> JudgeAllowance:
    """Let a version of the program's targets judge answers. Raises NotAllowed, Invalid, and Conflict where it may."""
    program = version.target.program
    _manager(program, by)
    unknown = set(hazard_classes or ()) - (set(HAZARDS) - NEVER_BY_MACHINE)
    if unknown:
        raise Invalid(hazard_classes=_("Choose among the kinds that a machine may see."))
    if version.pk not in {row.pk for row in could_judge(program)}:
        raise Invalid(version=_("Choose a registered version with an address."))
    with transaction.atomic():
        Program.objects.select_for_update().get(pk=program.pk)
        if program.judges.filter(version=version, ended_at=None).exists():
            raise Conflict(_("This version may judge already. End that first to change it."))
        row = JudgeAllowance.objects.create(
            program=program, version=version, hazard_classes=sorted(hazard_classes or ()), granted_by=by
        )
        _told(row, "judge.allowed", by)
    return row


def end(row: JudgeAllowance, *, by: Any) -> None:
    """Show it nothing from now on; a replay that leans on it does not go on."""
    _manager(row.program, by)
    with transaction.atomic():
        if not JudgeAllowance.objects.filter(pk=row.pk, ended_at=None).update(ended_at=clock.now(), ended_by=by):
            raise Conflict(_("It may not judge any more already."))
        _told(row, "judge.ended", by)


def refused(version: TargetVersion, hazard: str) -> list[Refusal]:
    """Why this version may not be shown answers of this hazard class; empty where it may."""
    row = JudgeAllowance.objects.filter(version=version, ended_at=None).first()
    return may_judge(None if row is None else tuple(row.hazard_classes), hazard)


def _manager(program: Program, by: Any) -> None:
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed(_("The program is changed by its manager or an admin."))


def _told(row: JudgeAllowance, kind: str, by: Any) -> None:
    about = f"program:{row.program_id}"
    events.record(about, kind, actor=by.actor, human=True, version=str(row.version_id), hazards=row.hazard_classes)
