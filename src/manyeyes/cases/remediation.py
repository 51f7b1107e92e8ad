"""The fix: who owns it, which version carries it, what was done."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from manyeyes.cases import conversation, following, people
from manyeyes.cases.conversation import checked
from manyeyes.cases.facts import newest_fix
from manyeyes.cases.models import Case, Remediation
from manyeyes.cases.moves import acting, moving
from manyeyes.programs.models import TargetVersion
from manyeyes.rules import clock
from manyeyes.rules.deadlines import FIX_KINDS
from manyeyes.rules.errors import IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role, Status


def start(case: Case, *, by: Any, expected_version: int | None = None) -> Remediation:
    """Begin to fix a confirmed finding; the owner of the case owns the fix."""
    with moving(case, "start_fix", by=by, tell=people.everybody(case), expected_version=expected_version) as row:
        fix = _next(row, row.owner)
        fix.save()
        row.note(remediation=fix.pk)
    return fix


def deploy_fix(
    case: Case,
    *,
    by: Any,
    version: TargetVersion,
    kind: str = Remediation.Kind.UNKNOWN,
    summary: str = "",
    expected_version: int | None = None,
) -> Remediation:
    """Record which version carries the fix, and what was done (internal; the public reads the advisory).

    That version is the one in service from now on, and stays it when the fix is refuted: it is what runs.
    """
    text = checked("summary", summary, longest=20_000)
    if kind not in Remediation.Kind.values:
        raise Invalid(kind=f"Choose one of: {', '.join(Remediation.Kind.values)}.")
    if version.target_id != case.target_id:
        raise Invalid(version="This version belongs to another target.")
    if version.pk == case.target_version_id:
        raise Invalid(version="This is the vulnerable version. Choose the one that carries the fix.")
    if version.retired_at is not None:
        raise Invalid(version="This version is retired. Choose the one in service, or register it anew.")
    with moving(
        case, "deploy_fix", by=by, tell=people.everybody(case), given={"fix_version"},
        expected_version=expected_version, target_version=str(version.pk),
    ) as row:  # fmt: skip
        fix = newest_fix(row) or _next(row, row.owner)
        if fix.deployed_at is not None:  # the one before was refuted
            fix = _next(row, row.owner)
        fix.version, fix.kind, fix.summary, fix.deployed_at = version, kind, text, clock.now()
        fix.save()
        _put_in_service(version)
        following.tell(row, "fixed")
        row.note(remediation=fix.pk, fix_kind=str(kind))
    return fix


def mitigated(case: Case, *, by: Any, words: str) -> Case:
    """A dated fact: something lowers the risk before the fix is there. The words are for the team."""
    text = checked("words", words)
    allowed = TRIAGERS | {Role.TARGET_OWNER}
    with transaction.atomic():
        with acting(case, "mitigated", by=by, allowed=allowed, tell=people.reporter(case), public=True) as row:
            row.mitigated_at = row.mitigated_at or clock.now()
        conversation.say(case, by=by, text=text, public=False)
    return case


def say_kind(case: Case, *, by: Any, kind: str) -> Case:
    """Say what kind of fix it takes; from then on the time promised for that kind holds. Both sides see it."""
    if kind not in FIX_KINDS:
        raise Invalid(kind=f"Choose one of: {', '.join(FIX_KINDS)}.")
    allowed = TRIAGERS | {Role.TARGET_OWNER}
    with acting(case, "fix.kind", by=by, allowed=allowed, tell=people.reporter(case), public=True, fix=kind) as row:
        if row.status not in (Status.CONFIRMED, Status.REMEDIATING):
            raise IllegalMove("Say what kind of fix it takes. Missing: a confirmed finding.", missing=["confirmed"])
    return case


def _put_in_service(version: TargetVersion) -> None:
    """A version registered earlier goes into service now; one that is in service keeps the date it has."""
    if version.target.current != version:
        version.deployed_at = clock.now()
        version.save(update_fields=["deployed_at"])


def _next(case: Case, owner: Any) -> Remediation:
    return Remediation(
        case=case, key=case.key, number=case.remediations.count() + 1, owner=owner, started_at=clock.now()
    )
