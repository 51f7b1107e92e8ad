"""Setting how a program triages, and saying what its people know; every change is on the program's record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.programs.access import DISCIPLINE_OF, roles_of
from manyeyes.programs.models import Membership, Program
from manyeyes.programs.triage_rules import Expertise, TriageRules
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotAllowed
from manyeyes.rules.lifecycle import Role
from manyeyes.rules.signoff import BANDS, DISCIPLINES, Rule
from manyeyes.rules.taxonomy import KINDS

MANAGERS = frozenset({Role.PROGRAM_MANAGER, Role.ADMIN})


def rules_of(program: Program) -> TriageRules:
    """What the program set, else the defaults; read once for each program object."""
    try:
        return program.triage_rules
    except TriageRules.DoesNotExist:
        return TriageRules(program=program)


@transaction.atomic
def set_rules(
    program: Program, *, by: Any, sign_off: Mapping[str, str], independent: bool, assigns: bool, revision: int
) -> TriageRules:
    """Set how the program triages. `revision` is the one they saw. Raises Invalid, Conflict, NotAllowed."""
    if not roles_of(by, program) & MANAGERS:
        raise NotAllowed(_("How a program triages is set by its manager or an admin."))
    wrong = {band: _("Choose a rule.") for band in BANDS if sign_off.get(band) not in set(Rule)}
    if wrong:
        raise Invalid(wrong)
    Program.objects.select_for_update().get(pk=program.pk)
    row = TriageRules.objects.filter(program=program).first() or TriageRules(program=program)
    if row.revision != revision:
        name = row.changed_by.name if row.changed_by is not None else _("Somebody")
        raise Conflict(_("%(name)s changed this meanwhile. Look again, then decide.") % {"name": name})
    row.sign_off = {band: str(sign_off[band]) for band in BANDS}
    row.independent, row.assigns = independent, assigns
    row.revision, row.changed_at, row.changed_by = revision + 1, clock.now(), by
    row.save()
    events.record(
        f"program:{program.pk}", "triage_rules.set", actor=by.actor, human=True, sign_off=row.sign_off,
        independent=independent, assigns=assigns,
    )  # fmt: skip
    program.triage_rules = row
    return row


def expertise_of(membership: Membership) -> Expertise:
    """What a member knows well; a row that is not stored where nobody said anything."""
    return Expertise.objects.filter(membership=membership).first() or Expertise(membership=membership)


def know(membership: Membership, *, classes: Iterable[str], targets: Iterable[str]) -> Expertise:
    """Store what a member knows well. Raises Invalid for a kind or a target that there is not."""
    kinds, places = sorted(set(classes)), sorted(set(targets))
    if not set(kinds) <= set(KINDS):
        raise Invalid(classes=_("Choose among the kinds that are listed."))
    if not set(places) <= {str(pk) for pk in membership.program.targets.values_list("pk", flat=True)}:
        raise Invalid(targets=_("Choose among the targets of this program."))
    row = expertise_of(membership)
    row.classes, row.targets = kinds, places
    row.save()
    return row


@transaction.atomic
def give_disciplines(membership: Membership, *, by: Any, disciplines: Iterable[str]) -> Membership:
    """Say for which disciplines a member may sign off; those that come with their roles stay.

    A manager decides it, never the member alone: two sign-offs are worth what the disciplines behind them are.
    """
    if not roles_of(by, membership.program) & MANAGERS:
        raise NotAllowed(_("Who signs off for a discipline is said by the program's manager or an admin."))
    chosen = set(disciplines)
    if not chosen <= set(DISCIPLINES):
        raise Invalid(disciplines=_("Choose security, ML, or both."))
    row = Membership.objects.select_for_update().get(pk=membership.pk)
    with_roles = {DISCIPLINE_OF[Role(role)] for role in row.roles if Role(role) in DISCIPLINE_OF}
    row.disciplines = sorted(chosen | with_roles)
    row.save(update_fields=["disciplines"])
    events.record(
        f"program:{row.program_id}", "disciplines.given", actor=by.actor, human=True, person=f"person:{row.person_id}",
        disciplines=row.disciplines,
    )  # fmt: skip
    membership.disciplines = row.disciplines
    return row
