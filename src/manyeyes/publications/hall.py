"""The hall of fame: thanks in the order of confirmation, without rank or money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Q

from manyeyes.cases.disclosure import in_force
from manyeyes.cases.models import CoReporter
from manyeyes.programs.models import Program
from manyeyes.publications.credit import byline
from manyeyes.publications.figures import counted
from manyeyes.publications.models import Advisory, Credit
from manyeyes.rules.lifecycle import CloseReason
from manyeyes.vault import keyring

NO_THANKS = (CloseReason.SPAM, CloseReason.WITHDRAWN)


@dataclass(frozen=True, kw_only=True)
class Thanks:
    """One line of thanks. Before an advisory is out it names date and system only: `advisory` and `title` are empty."""

    name: str
    link: str
    confirmed_on: date
    system: str
    advisory: str = ""
    title: str = ""


def of_fame(program: Program) -> list[Thanks]:
    """Everybody who is to be thanked in this program, newest confirmation first."""
    still = CoReporter.objects.filter(
        case=OuterRef("case"), person=OuterRef("person"), accepted_at__isnull=False, ended_at__isnull=True
    )
    found = (
        Credit.objects.filter(
            counted("case__"), case__program=program, case__confirmed_at__isnull=False, key__destroyed_at__isnull=True
        )
        .exclude(mode__in=(Credit.Mode.NONE, Credit.Mode.LATER))
        .exclude(case__close_reason__in=[str(reason) for reason in NO_THANKS])
        .select_related("case__target", "case__advisory")
        .prefetch_related("case__embargoes")
        .filter(Q(person=F("case__reporter")) | Exists(still))
        .order_by("-case__confirmed_at", "chosen_at")
    )
    rows = list(found)
    keyring.warm(row.key_id for row in rows)
    return [_thanks(row) for row in rows]


def _thanks(credit: Credit) -> Thanks:
    case = credit.case
    name, link = byline(credit)
    advisory: Advisory | None = getattr(case, "advisory", None)
    shown = advisory if in_force(case) is None else None
    assert case.confirmed_at is not None
    return Thanks(
        name=name,
        link=link,
        confirmed_on=case.confirmed_at.date(),
        system=case.target.name,
        advisory=shown.slug if shown else "",
        title=shown.title if shown else "",
    )
