"""What the desk shows of cases that belong together: members, what is known of each, what was done and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy

from manyeyes import events
from manyeyes.accounts.models import Person
from manyeyes.cases import families, merging, rootcause, sharing
from manyeyes.cases import queue as work
from manyeyes.cases.access import desk_of, roles_in
from manyeyes.cases.kin import Family, Member, Split
from manyeyes.cases.models import Case, Message, RootCause
from manyeyes.cases.timeline import ACTS
from manyeyes.rules.families import Part
from manyeyes.rules.lifecycle import TRIAGERS
from manyeyes.rules.sharing import Standing
from manyeyes.vault import keyring

SHARES = {
    Standing.FIRST: gettext_lazy("the first report: named"),
    Standing.SHARES: gettext_lazy("within %(days)d days of the first: named"),
    Standing.UNNAMED: gettext_lazy("within %(days)d days of the first, where only the first is named"),
    Standing.LATE: gettext_lazy("more than %(days)d days after the first: not named"),
    Standing.OWN: gettext_lazy("by somebody whose earlier report counts: named there"),
}
"""What the sharing rule makes of a report, for the team."""
TWICE = frozenset({"family.repeated", "family.took_in"})
"""The same act as seen from the case that is followed: on record there, and told once on the page of the family."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One member with what is known of its flaw. `share` says what the sharing rule makes of its report."""

    case: Case
    member: Member
    row: work.Row
    cause: RootCause | None
    follows: str
    share: str
    percent: int | None
    may_leave: bool
    may_lead: bool


@dataclass(frozen=True, kw_only=True)
class Act:
    """One line of the family's record."""

    at: datetime
    who: str
    words: str
    case: str
    other: str
    why: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page of a family."""

    members: list[Shown]
    events: list[Act]
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands beside a case on its own page."""

    member: Member | None
    follows: Case | None
    others: list[Member] = field(default_factory=list)
    evidence: list[merging.Evidence] = field(default_factory=list)
    share: str = ""
    split_from: Case | None = None
    split_into: list[Case] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.member is None and self.split_from is None and not self.split_into


def page(family: Family, viewer: Any) -> Page:
    """A family as this viewer may see it."""
    found = families.members(family, viewer)
    keyring.warm(one.case.key_id for one in found)
    rows = {row.case.pk: row for row in work.rows([one.case for one in found])}
    parts: dict[Any, int] = {}
    for one in found:
        if not Part(one.part).follows and one.case.duplicates.exists():
            parts |= sharing.rewards(one.case)
    shown = [_shown(one, rows[one.case_id], found, parts) for one in found]
    rule = sharing.rule_of(found[0].case).words if any(one.standing for one in found) else ""
    return Page(members=shown, events=_acts(family, viewer), rule=rule)


def beside(case: Case, viewer: Any) -> Beside:
    """The family of a case, what it follows, what others bring to it, and what was split."""
    member, seen = families.of(case), desk_of(viewer)
    split = Split.objects.filter(case=case).first()
    return Beside(
        member=member,
        follows=seen.filter(duplicates=case).first() if member is not None else None,
        others=[one for one in families.members(member.family, viewer) if one.case_id != case.pk] if member else [],
        evidence=merging.evidence(case, viewer) if member else [],
        share=_share(member) if member else "",
        split_from=seen.filter(pk=split.source_id).first() if split is not None else None,
        split_into=list(seen.filter(split_from__source=case).order_by("split_from__at")),
    )


def known(cases: Sequence[Case]) -> list[Member]:
    """The places that these cases have in families already."""
    return [one for one in (families.of(case) for case in cases) if one is not None]


def may_act(case: Case, viewer: Any) -> bool:
    """Whether the viewer triages the case."""
    return bool(roles_in(viewer, case) & TRIAGERS)


def _shown(member: Member, row: work.Row, found: list[Member], parts: dict[Any, int]) -> Shown:
    part = Part(member.part)
    follows = next((one.case.ref for one in found if one.case_id == member.case.duplicate_of_id), "")
    followed = any(one.case.duplicate_of_id == member.case_id for one in found)
    return Shown(
        case=member.case, member=member, row=row, cause=rootcause.standing(member.case), follows=follows,
        share=_share(member),
        percent=parts.get(member.case_id), may_leave=not part.follows and not followed,
        may_lead=part is Part.VARIANT,
    )  # fmt: skip


def _share(member: Member) -> str:
    if not member.standing:
        return ""
    return SHARES[Standing(member.standing)] % {"days": sharing.rule_of(member.case).days}


def _acts(family: Family, viewer: Any) -> list[Act]:
    """Who did what with the family, the newest first; of cases the viewer does not work on nothing is told."""
    log = [event for event in events.log(family.subject) if event.kind not in TWICE]
    refs = {str(event.data.get(name, "")) for event in log for name in ("case", "other")} - {""}
    seen = set(desk_of(viewer).filter(ref__in=refs).values_list("ref", flat=True))
    people = Person.objects.in_bulk({UUID(event.actor.partition(":")[2]) for event in log})
    notes = Message.objects.filter(pk__in=[event.data["message"] for event in log if "message" in event.data])
    whys = {str(row.pk): row.text for row in notes.filter(case__key__destroyed_at=None)}
    return [
        Act(
            at=event.at,
            who=people[UUID(event.actor.partition(":")[2])].name,
            words=ACTS.get(event.kind, event.kind),
            case=event.data.get("case", ""),
            other=event.data["other"] if event.data.get("other") in seen else "",
            why=whys.get(str(event.data.get("message", "")), ""),
            revision=event.data.get("revision", 0),
        )
        for event in reversed(log)
        if not event.data.get("case") or event.data["case"] in seen
    ]
