"""The hall of fame: thanks in the order of confirmation, without rank or money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from manyeyes.cases.disclosure import in_force
from manyeyes.cases.models import CoReporter
from manyeyes.programs.models import Program
from manyeyes.publications.credit import byline
from manyeyes.publications.figures import counted
from manyeyes.publications.models import Advisory, Credit
from manyeyes.rules.lifecycle import CloseReason
from manyeyes.rules.sharing import Standing
from manyeyes.vault import keyring

SHARED = [str(one) for one in Standing if one.credited]
NOT_SHARED = [str(one) for one in Standing if not one.credited]
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
    by_itself = Q(case__confirmed_at__isnull=False, case__duplicate_of__isnull=True)
    with_another = Q(case__duplicate_of__confirmed_at__isnull=False, case__membership__standing__in=SHARED)
    found = (
        Credit.objects.filter(
            counted("case__"), by_itself | with_another, case__program=program, key__destroyed_at__isnull=True
        )
        .exclude(case__membership__standing__in=NOT_SHARED)
        .exclude(mode__in=(Credit.Mode.NONE, Credit.Mode.LATER))
        .exclude(case__close_reason__in=[str(reason) for reason in NO_THANKS])
        .select_related("case__target", "case__advisory", "case__duplicate_of__target", "case__duplicate_of__advisory")
        .prefetch_related("case__embargoes", "case__duplicate_of__embargoes")
        .filter(Q(person=F("case__reporter")) | Exists(still))
        .annotate(confirmed=Coalesce("case__duplicate_of__confirmed_at", "case__confirmed_at"))
        .order_by("-confirmed", "chosen_at")
    )
    rows = list(found)
    keyring.warm(row.key_id for row in rows)
    return [_thanks(row) for row in rows]


def _thanks(credit: Credit) -> Thanks:
    case = credit.case.duplicate_of or credit.case  # what is known of a flaw stands where the work was done
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
