"""The lists of the desk: which cases a view, a search and the facets leave, in which order, and how many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from manyeyes.cases.access import desk_of
from manyeyes.cases.asleep import Sleep
from manyeyes.cases.models import Case
from manyeyes.cases.ownnumbers import numbered
from manyeyes.cases.placed import AGES, NEAR
from manyeyes.cases.seats import Seat
from manyeyes.cases.sleeping import asleep_for
from manyeyes.programs.models import Membership, Program, Target
from manyeyes.rules import clock
from manyeyes.rules.lifecycle import Status
from manyeyes.rules.severity import BANDS

COUNTED = 1000
"""A list is counted so far and no further: what it costs to say how many does not grow with the program."""
SOON = timedelta(days=14)

FILTERS: dict[str, Any] = {
    "all": _("By clock"),
    "mine": _("Mine"),
    "unanswered": _("Unanswered"),
    "late": _("Late"),
    "replay_finished": _("Replay finished"),
    "needs_me": _("Needs my discipline"),
    "waiting": _("Waiting for the researcher"),
    "awaiting_fix": _("Awaiting a fix"),
    "retest": _("To be verified"),
    "embargo": _("Embargo ends soon"),
    "deferred": _("Deferred"),
    "asleep": _("Asleep"),
    "ended": _("Resolved and closed"),
}
SLEEPY = frozenset({"all", "mine", "unanswered", "replay_finished", "needs_me", "waiting", "awaiting_fix", "retest"})
"""The views out of which a case can be put for a while; what is late wakes, and a search finds everything."""
SORTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "clock": (_("Next clock"), ("place__queue_at", "pk")),
    "severity": (_("Gravest first"), ("-place__band", "place__queue_at", "pk")),
    "tried": (_("Worked on arrival"), ("-place__tried", "place__queue_at", "pk")),
    "newest": (_("Newest first"), ("-place__arrived_at", "pk")),
    "oldest": (_("Oldest first"), ("place__arrived_at", "pk")),
    "changed": (_("Last changed"), ("-place__changed_at", "pk")),
}
ORDER_OF = {"ended": "changed", "embargo": "embargo"}
"""Views whose own order is not by clock."""
UNTIL = ("place__embargo_until", "pk")


@dataclass(frozen=True, kw_only=True)
class Facets:
    """What a list is narrowed by; empty takes everything. `band` is one of severity.BANDS."""

    kind: str = ""
    target: str = ""
    status: str = ""
    band: str = ""
    origin: str = ""

    def narrow(self, found: QuerySet[Case]) -> QuerySet[Case]:
        """The cases that have all of it."""
        if self.kind:
            found = found.filter(vuln_class=self.kind)
        if self.target:
            found = found.filter(target__in=_named(self.target))
        if self.status:
            found = found.filter(place__status=self.status)
        if self.band in BANDS:
            found = found.filter(place__band=BANDS.index(self.band))
        if self.origin:
            found = found.filter(origin=self.origin)
        return found

    def __bool__(self) -> bool:
        return any((self.kind, self.target, self.status, self.band, self.origin))


def cases(
    viewer: Any,
    *,
    program: Program | None = None,
    view: str = "all",
    search: str = "",
    sort: str = "",
    facets: Facets | None = None,
) -> QuerySet[Case]:
    """The viewer's cases under one of FILTERS, the next clock first; give a slice of it to `queue.rows`.

    `search` looks at what lies in the clear (reference, target, class, the researcher's handle) and finds the number
    that a researcher gave a report, typed whole.
    """
    found = desk_of(viewer, program, by="place__program_id")
    text = search.strip()[:100].replace("\x00", "")
    if text:
        found = found.filter(
            Q(ref__icontains=text) | Q(target__name__icontains=text) | Q(vuln_class__iexact=text)
            | Q(reporter__handle__icontains=text) | Q(pk__in=numbered(text))
        )  # fmt: skip
    if facets:
        found = facets.narrow(found)
    if not text and view in SLEEPY:
        found = found.exclude(pk__in=Sleep.objects.filter(asleep_for(viewer)).values("case"))
    narrow = _VIEWS.get(view, _VIEWS["all"])
    return narrow(found, viewer).order_by(*_order(view, sort))


def counts(viewer: Any, *, program: Program | None = None) -> dict[str, int]:
    """How many cases each view holds, counted up to COUNTED: the numbers that stand beside the lists."""
    return {view: how_many(cases(viewer, program=program, view=view)) for view in FILTERS}


def how_many(found: QuerySet[Case]) -> int:
    """The number of cases in a list, or COUNTED where there are as many or more."""
    return found.order_by()[:COUNTED].count()


def targets_of(viewer: Any) -> list[tuple[Any, str]]:
    """(id, name) of the targets of the programs in which the viewer works."""
    programs = Membership.objects.filter(person=viewer).values("program")
    return list(Target.objects.filter(program__in=programs).order_by("name").values_list("pk", "name"))


def news(viewer: Any, *, since: Any) -> int:
    """How many cases somebody else changed after a moment, up to COUNTED: what a page that is open does not show."""
    found = desk_of(viewer, by="place__program_id").filter(place__changed_at__gt=since)
    return how_many(found.exclude(changed_by=viewer))


def _named(target: str) -> list[UUID]:
    with suppress(ValueError):
        return [UUID(target)]
    return []


def _order(view: str, sort: str) -> Sequence[str]:
    if sort in SORTS:
        return SORTS[sort][1]
    own = ORDER_OF.get(view, "clock")
    return UNTIL if own == "embargo" else SORTS[own][1]


def _disciplines(viewer: Any) -> dict[str, list[Any]]:
    """Discipline → the programs in which the viewer may sign off for it."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in Membership.objects.filter(person=viewer):
        for name in ("security", "ml"):
            if name in row.disciplines or f"{name}_triager" in row.roles:
                found[name].append(row.program_id)
    return found


def _needs_me(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    wanted = Q(pk__in=[])
    for name, programs in _disciplines(viewer).items():
        wanted |= Q(place__program_id__in=programs, **{f"place__wants_{name}": True})
    return desk.filter(wanted)


def _mine(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    seats = Seat.objects.filter(person=viewer).values("case")
    return desk.filter(Q(assignee=viewer) | Q(owner=viewer) | Q(pk__in=seats), place__at_work=True)


def _by_clock(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    """Everything open but the tray; of the tray what is late, because lateness is hidden by no view."""
    return desk.filter(place__at_work=True).exclude(Q(place__deferred=True) & Q(place__queue_at__gte=clock.now()))


def _late(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    now = clock.now()
    exploited = Q(place__queue_at__lt=now - AGES)
    return desk.filter(Q(place__queue_at__gte=NEAR, place__queue_at__lt=now) | exploited, place__at_work=True)


def _embargo(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    now = clock.now()
    return desk.filter(place__embargo_until__gte=now, place__embargo_until__lt=now + SOON)


_VIEWS: dict[str, Callable[[QuerySet[Case], Any], QuerySet[Case]]] = {
    "all": _by_clock,
    "deferred": lambda desk, _viewer: desk.filter(place__deferred=True),
    "mine": _mine,
    "unanswered": lambda desk, _viewer: desk.filter(place__at_work=True, place__unanswered=True),
    "late": _late,
    "replay_finished": lambda desk, _viewer: desk.filter(place__looked_for=True),
    "needs_me": _needs_me,
    "waiting": lambda desk, _viewer: desk.filter(place__status=Status.NEEDS_INFO),
    "awaiting_fix": lambda desk, _viewer: desk.filter(place__status__in=(Status.CONFIRMED, Status.REMEDIATING)),
    "retest": lambda desk, _viewer: desk.filter(place__status__in=(Status.FIX_DEPLOYED, Status.RETESTING)),
    "embargo": _embargo,
    "asleep": lambda desk, viewer: desk.filter(pk__in=Sleep.objects.filter(asleep_for(viewer)).values("case")),
    "ended": lambda desk, _viewer: desk.filter(place__at_work=False),
}
