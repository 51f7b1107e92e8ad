"""Cases that belong together: grouped by people, led by one of them, with a record of who did what and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from manyeyes import events
from manyeyes.cases import sharing
from manyeyes.cases.access import desk_of
from manyeyes.cases.conversation import checked
from manyeyes.cases.kin import Family, Member
from manyeyes.cases.models import Case, Message
from manyeyes.cases.moves import acting
from manyeyes.programs.access import roles_of
from manyeyes.programs.models import Program
from manyeyes.rules import clock, reference
from manyeyes.rules import families as law
from manyeyes.rules.errors import Conflict, Invalid, NotFound
from manyeyes.rules.families import Kin, Part
from manyeyes.rules.lifecycle import TRIAGERS, Status

NAME_LONGEST, NOTE_LONGEST = 120, 5_000
MOST = 200
"""So many cases a family holds: what is shown on one page."""


@contextmanager
def held(case: Case) -> Iterator[None]:
    """A transaction in which nobody else changes a family of the program: two who mark each other wait in line.

    What is followed is locked before what follows it, as `following.tell` does.
    """
    with transaction.atomic():
        Program.objects.select_for_update(no_key=True).get(pk=case.program_id)
        before = Case.objects.filter(pk=case.pk).values_list("duplicate_of", flat=True).first()
        if before is not None:
            Case.objects.select_for_update().get(pk=before)
        yield


def family_for(viewer: Any, ref: str) -> Family:
    """The family behind a reference, for whoever works on a case of it. Raises NotFound, the same for absent."""
    try:
        meant = reference.normalise(ref, prefix=reference.FAMILY)
    except Invalid:
        meant = ""
    mine = Member.objects.filter(case__in=desk_of(viewer)).values("family_id")
    row = Family.objects.filter(ref=meant, pk__in=mine).select_related("key", "program", "changed_by").first()
    if row is None:
        raise NotFound
    return row


def members(family: Family, viewer: Any) -> list[Member]:
    """The members whose cases the viewer works on: the lead first, then in the order in which the reports came."""
    rows = family.members.filter(case__in=desk_of(viewer)).select_related("case__duplicate_of", "case__reporter")
    return sorted(rows, key=lambda row: (row.part != Part.LEAD, row.received_at))


def of(case: Case) -> Member | None:
    """The place of a case in its family, if it has one."""
    return sharing.member_of(case)


def suggested(case: Case, viewer: Any) -> list[Case]:
    """Cases that may belong with this one: where machine suggestions come in. Nothing suggests any yet."""
    return []


def kin_of(case: Case) -> Kin:
    """The case as the law of families reads it."""
    member, received = of(case), sharing.received_at(case)
    first = min((sharing.received_at(row) for row in case.duplicates.all()), default=received)
    return Kin(
        ref=case.ref, program=case.program_id, received_at=received, is_open=Status(case.status).is_open,
        family=member.family.ref if member else "", first_at=min(first, received),
    )  # fmt: skip


def original_of(case: Case) -> Case:
    """Where the work on this flaw is done: the case itself, or what it follows. Raises Conflict on a circle."""
    return law.original(case, lambda row: row.duplicate_of)


def group(cases: Sequence[Case], *, by: Any, name: str = "", note: str = "", why: str = "") -> Family:
    """Put cases into the family that one of them has, else into a new one, led by the report that came first."""
    texts = _texts(name, note)
    reason = checked("why", why, longest=NOTE_LONGEST, required=False)
    if not cases:
        raise Invalid(case=_("Name at least one case."))
    with held(cases[0]):
        rows = {row.pk: row for row in Case.objects.filter(pk__in=[case.pk for case in cases])}
        kins = {pk: kin_of(row) for pk, row in rows.items()}
        known = law.check_group(list(kins.values()))
        family = Family.objects.select_for_update().get(ref=known) if known else _begin(cases[0], by, texts)
        new = sorted((pk for pk in rows if not kins[pk].family), key=lambda pk: kins[pk].received_at)
        if family.present.count() + len(new) > MOST:
            raise Invalid(case=_("A family holds at most %(most)d cases.") % {"most": MOST})
        for pk in new:
            part = Part.VARIANT if family.present.exists() else Part.LEAD
            with noted(rows[pk], "family.grouped", family, by=by, why=reason, part=str(part)):
                place(rows[pk], family, part, by=by)
    return family


def describe(family: Family, *, by: Any, name: str, note: str, seen: int) -> None:
    """Change the name and the note of a family. Raises Conflict where somebody changed the family since `seen`."""
    texts = _texts(name, note)
    with changing(family, by=by, seen=seen) as row:
        row.name, row.note = texts
        record(row, "family.described", by=by)


def take_out(case: Case, *, by: Any, why: str = "", seen: int | None = None) -> None:
    """Take a related case out of its family; one that was closed because of another is reopened instead."""
    reason = checked("why", why, longest=NOTE_LONGEST, required=False)
    member = _placed(case)
    with held(case), changing(member.family, by=by, seen=seen) as family:
        row = Member.objects.select_related("case").get(pk=_placed(case).pk)
        law.check_take_out(row.case.ref, Part(row.part), row.case.duplicates.count())
        with noted(row.case, "family.taken_out", family, by=by, why=reason):
            row.delete()
        close_ranks(family, by=by)


def lead(case: Case, *, by: Any, why: str = "", seen: int | None = None) -> None:
    """Let a case lead its family."""
    reason = checked("why", why, longest=NOTE_LONGEST, required=False)
    member = _placed(case)
    with held(case), changing(member.family, by=by, seen=seen) as family:
        row = _placed(case)
        law.check_lead(case.ref, Part(row.part))
        with noted(case, "family.lead", family, by=by, why=reason):
            family.members.filter(part=Part.LEAD).update(part=Part.VARIANT)
            family.members.filter(pk=row.pk).update(part=Part.LEAD)


@contextmanager
def changing(family: Family, *, by: Any, seen: int | None) -> Iterator[Family]:
    """The family, locked, as it is now. Raises Conflict where it is not as the person saw it (`seen`)."""
    with transaction.atomic():
        row = Family.objects.select_for_update(of=("self",)).select_related("changed_by", "key").get(pk=family.pk)
        if seen is not None and seen != row.revision:
            said = _("%(name)s changed this family at %(time)s UTC, after you opened it. Look again, then decide.")
            raise Conflict(said % {"name": row.changed_by, "time": f"{row.changed_at:%H:%M}"})
        yield row


@contextmanager
def noted(case: Case, kind: str, family: Family, *, by: Any, why: str = "", **data: Any) -> Iterator[Case]:
    """An act of the team on one member: on the record of the case and of the family, with the reason as a note."""
    row = Message(case=case, key_id=case.key_id, author=by, text=why, purpose="family", at=clock.now()) if why else None
    more: dict[str, Any] = {"message": str(row.pk)} if row is not None else {}
    with acting(case, kind, by=by, allowed=TRIAGERS, said=why, family=family.ref, **more, **data) as locked:
        if row is not None:
            row.save()
        yield locked
        record(family, kind, by=by, case=case.ref, **more, **data)


def record(family: Family, kind: str, *, by: Any, **data: Any) -> None:
    """Put an act on the chain of the family, and count the change."""
    family.revision += 1
    family.changed_at, family.changed_by = clock.now(), by
    family.save()
    events.record(family.subject, kind, actor=by.actor, human=True, revision=family.revision, **data)


def place(case: Case, family: Family, part: Part, *, by: Any) -> None:
    """Store where a case stands; it leaves whatever family it was in."""
    values = {"family": family, "part": str(part), "by": by, "received_at": sharing.received_at(case), "standing": ""}
    Member.objects.update_or_create(case=case, defaults=values)


def close_ranks(family: Family, *, by: Any) -> None:
    """After somebody left: the first that follows nobody leads; one alone is no family."""
    left = list(family.present.select_related("case__key"))
    if len(left) == 1:
        with noted(left[0].case, "family.taken_out", family, by=by):
            left[0].delete()
    elif left and all(row.part != Part.LEAD for row in left):
        ref = law.heir((row.received_at, Part(row.part), row.case.ref) for row in left)
        for row in left:
            if row.case.ref == ref:
                with noted(row.case, "family.lead", family, by=by):
                    family.members.filter(pk=row.pk).update(part=Part.LEAD)


def begin(case: Case, *, by: Any) -> Family:
    """A family without a name, for cases that are put together by what happens to them."""
    return _begin(case, by, (None, None))


def triages(viewer: Any, family: Family) -> bool:
    """Whether the viewer may change the family."""
    return bool(roles_of(viewer, family.program) & TRIAGERS)


def _begin(case: Case, by: Any, texts: tuple[str | None, str | None]) -> Family:
    program = case.program
    family = Family(
        key_id=program.key_id, program=program, ref=_free_reference(), name=texts[0], note=texts[1], changed_by=by
    )
    family.save()
    return family


def _placed(case: Case) -> Member:
    member = of(case)
    if member is None:
        raise Conflict(_("%(ref)s is in no family any more. Look again.") % {"ref": case.ref})
    return member


def _texts(name: str, note: str) -> tuple[str | None, str | None]:
    return (
        checked("name", name, longest=NAME_LONGEST, required=False) or None,
        checked("note", note, longest=NOTE_LONGEST, required=False) or None,
    )


def _free_reference() -> str:
    while True:
        ref = reference.new_reference(prefix=reference.FAMILY)
        if not Family.objects.filter(ref=ref).exists():
            return ref
