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

from manyeyes.accounts.models import Person
from manyeyes.cases import preflight
from manyeyes.cases.access import desk_of, opened_to
from manyeyes.cases.asleep import Sleep
from manyeyes.cases.models import Case
from manyeyes.cases.ownnumbers import numbered
from manyeyes.cases.placed import AGES, NEAR, Place
from manyeyes.cases.seats import Seat
from manyeyes.cases.sleeping import asleep_for
from manyeyes.programs.models import Membership, Program, Target
from manyeyes.rules import clock, reference
from manyeyes.rules.errors import Invalid
from manyeyes.rules.lifecycle import Status
from manyeyes.rules.severity import BANDS
from manyeyes.rules.taxonomy import KINDS

COUNTED = 500
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
    "clock": (_("Next clock"), ("place__queue_at", "place__pk")),
    "severity": (_("Gravest first"), ("-place__band", "place__queue_at", "place__pk")),
    "tried": (_("Worked on arrival"), ("-place__tried", "place__queue_at", "place__pk")),
    "newest": (_("Newest first"), ("-place__arrived_at", "place__pk")),
    "oldest": (_("Oldest first"), ("place__arrived_at", "place__pk")),
    "changed": (_("Last changed"), ("-place__changed_at", "place__pk")),
}
ORDER_OF = {"ended": "changed", "embargo": "embargo"}
"""Views whose own order is not by clock."""
UNTIL = ("place__embargo_until", "place__pk")


@dataclass(frozen=True, kw_only=True)
class Facets:
    """What a list is narrowed by; empty takes everything. `band` is one of severity.BANDS, `arrival` of the try."""

    kind: str = ""
    target: str = ""
    status: str = ""
    band: str = ""
    origin: str = ""
    arrival: str = ""

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
        return found.filter(preflight.facet(self.arrival))

    def __bool__(self) -> bool:
        return any((self.kind, self.target, self.status, self.band, self.origin, self.arrival))


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
        found = found.filter(_searched(text))
    if facets:
        found = facets.narrow(found)
    if not text or view not in ("", "all"):  # what is searched without a view is found wherever it lies
        narrow = _View(viewer=viewer, asleep=_asleep(viewer), of="place__", case="")
        found = found.filter(narrow.condition(view, everything=bool(text)))
    return found.order_by(*_order(view, sort))


def _searched(text: str) -> Q:
    """The cases that a search finds. People, systems and numbers are looked up first and a whole reference is taken as
    one, so that an index answers for the cases; a part of a reference is looked for in every one.
    """
    try:
        found = Q(ref=reference.normalise(text))
    except Invalid:
        found = Q(ref__icontains=text)
    ids = {
        "target__in": Target.objects.filter(name__icontains=text).values_list("pk", flat=True),
        "reporter__in": Person.objects.filter(handle__icontains=text).values_list("pk", flat=True),
        "pk__in": numbered(text).values_list("case_id", flat=True),
    }
    for name, rows in ids.items():
        if some := list(rows[: COUNTED + 1]):
            found |= Q(**{name: rows if len(some) > COUNTED else some})
    return found | Q(vuln_class=text.upper()) if text.upper() in KINDS else found


def counts(viewer: Any, *, program: Program | None = None) -> dict[str, int]:
    """How many cases each view holds, counted up to COUNTED: the numbers that stand beside the lists.

    Reads the places alone and not the cases: the places of destroyed cases are gone.
    """
    found = Place.objects.filter(opened_to(viewer, case="case__"))
    if program is not None:
        found = found.filter(program=program)
    narrow = _View(viewer=viewer, asleep=_asleep(viewer), of="", case="case__")
    return {view: how_many(found.filter(narrow.condition(view))) for view in FILTERS}


def how_many(found: QuerySet[Any]) -> int:
    """The number of rows in a list, or COUNTED where there are as many or more."""
    return found.order_by()[:COUNTED].count()


def news(viewer: Any, *, since: Any) -> int:
    """How many cases somebody else changed after a moment, up to COUNTED: what a page that is open does not show."""
    found = Place.objects.filter(opened_to(viewer, case="case__"), changed_at__gt=since)
    return how_many(found.exclude(changed_by=viewer.pk))


def targets_of(viewer: Any) -> list[tuple[Any, str]]:
    """(id, name) of the targets of the programs in which the viewer works."""
    programs = Membership.objects.filter(person=viewer).values("program")
    return list(Target.objects.filter(program__in=programs).order_by("name").values_list("pk", "name"))


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


def _asleep(viewer: Any) -> list[Any]:
    return list(Sleep.objects.filter(asleep_for(viewer)).values_list("case", flat=True))


@dataclass(frozen=True, kw_only=True)
class _View:
    """The views of one person as conditions on cases or on their places.

    `of` is the way from the table to the place of a case, `case` the way to the case itself.
    """

    viewer: Any
    asleep: list[Any]
    of: str
    case: str

    def condition(self, view: str, *, everything: bool = False) -> Q:
        """What a view holds; `everything` shows what sleeps too."""
        found: Q = self._all().get(view, self._by_clock)()
        hides = view in SLEEPY and self.asleep and not everything
        return found & ~Q(pk__in=self.asleep) if hides else found

    def _all(self) -> dict[str, Callable[[], Q]]:
        fixing = (Status.CONFIRMED, Status.REMEDIATING)
        return {
            "deferred": lambda: self._is(deferred=True),
            "mine": self._mine,
            "unanswered": lambda: self._is(at_work=1, unanswered=True),
            "late": self._late,
            "replay_finished": lambda: self._is(looked_for=True),
            "needs_me": self._needs_me,
            "waiting": lambda: self._is(status=Status.NEEDS_INFO),
            "awaiting_fix": lambda: self._is(status__in=fixing),
            "retest": lambda: self._is(status__in=(Status.FIX_DEPLOYED, Status.RETESTING)),
            "embargo": lambda: self._is(embargo_until__gte=clock.now(), embargo_until__lt=clock.now() + SOON),
            "asleep": lambda: Q(pk__in=self.asleep),
            "ended": lambda: self._is(at_work=0),
        }

    def _is(self, **columns: Any) -> Q:
        return Q(**{f"{self.of}{name}": value for name, value in columns.items()})

    def _by_clock(self) -> Q:
        # Everything open but the tray; of the tray what is late, because lateness is hidden by no view.
        return self._is(at_work=1) & (self._is(deferred=False) | self._is(queue_at__lt=clock.now()))

    def _late(self) -> Q:
        now = clock.now()
        exploited = self._is(queue_at__lt=now - AGES)
        return self._is(at_work=1) & (self._is(queue_at__gte=NEAR, queue_at__lt=now) | exploited)

    def _mine(self) -> Q:
        seats = Seat.objects.filter(person=self.viewer).values("case")
        given = Q(**{f"{self.case}assignee": self.viewer}) | Q(**{f"{self.case}owner": self.viewer})
        return self._is(at_work=1) & (given | Q(pk__in=seats))

    def _needs_me(self) -> Q:
        wanted = Q(pk__in=[])
        for name, programs in _disciplines(self.viewer).items():
            wanted |= self._is(program__in=programs, **{f"wants_{name}": True})
        return wanted
