"""The console's queue: open cases by their next clock, with what each needs, at a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from manyeyes.cases.access import desk_of
from manyeyes.cases.asleep import Sleep
from manyeyes.cases.clocks import clocks, running
from manyeyes.cases.facts import (
    facts_of,
    is_under_way,
    newest_fix,
    newest_rating,
    reopened_at,
    reproductions,
    running_verification,
    verifications,
)
from manyeyes.cases.models import Case, Rating, Reproduction, SignOff
from manyeyes.cases.ownnumbers import numbered
from manyeyes.cases.signoffs import SignOffState, state_of
from manyeyes.cases.sleeping import asleep_for
from manyeyes.events.models import Event
from manyeyes.programs.models import Membership, Program
from manyeyes.rules import clock
from manyeyes.rules import severity as rubric
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.lifecycle import Facts, Status
from manyeyes.vault import keyring

ENDED = (str(Status.RESOLVED), str(Status.CLOSED))
FILTERS: dict[str, str] = {
    "all": "By clock",
    "mine": "Mine",
    "unanswered": "Unanswered",
    "late": "Late",
    "replay_finished": "Replay finished",
    "needs_me": "Needs my discipline",
    "waiting": "Waiting for the researcher",
    "deferred": "Deferred",
    "asleep": "Asleep",
    "ended": "Resolved and closed",
}
SLEEPY = frozenset({"all", "mine", "unanswered", "replay_finished", "needs_me", "waiting"})
"""The views out of which a case can be put for a while; what is late wakes, and a search finds everything."""
GROUPS: dict[str, str] = {
    "answer": "First human answer owed",
    "team": "Your side must act",
    "wait": "Waiting for someone",
    "ended": "Resolved and closed",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case of the queue. `todo` says in words what it waits for; `clock` is the next promise that runs.

    `replay` is the replay to show beside the claim: the newest verification, else the newest reproduction.
    """

    case: Case
    group: str
    todo: str
    clock: Clock | None
    paused: Clock | None
    replay: Reproduction | None
    claim: tuple[int, int] | None
    score: rubric.MesScore | None
    signoffs: SignOffState | None
    with_whom: Any


class Rows(Sequence[Row]):
    """The rows of a list of cases, read a page at a time: what a paginator slices."""

    def __init__(self, found: QuerySet[Case]) -> None:
        self.found = found

    def __len__(self) -> int:
        return self.found.count()

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, int):
            return rows([self.found[place]])[0]
        return rows(self.found[place])


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One view of the queue with the number of cases in every view."""

    view: str
    rows: Rows
    counts: dict[str, int]
    next_due: Any

    @property
    def tabs(self) -> list[tuple[str, str, int]]:
        """(name, label, count) of every view."""
        return [(name, label, self.counts[name]) for name, label in FILTERS.items()]


def desk(viewer: Any, *, view: str = "all", search: str = "", program: Program | None = None) -> Desk:
    """What a member of a team sees first."""
    chosen = view if view in FILTERS else "all"
    found = cases(viewer, program=program, view=chosen, search=search)
    soonest = cases(viewer, program=program).filter(due_at__isnull=False).values_list("due_at", flat=True).first()
    return Desk(view=chosen, rows=Rows(found), counts=counts(viewer, program=program), next_due=soonest)


def cases(viewer: Any, *, program: Program | None = None, view: str = "all", search: str = "") -> QuerySet[Case]:
    """The viewer's cases under one of FILTERS, the next clock first; give a slice of it to `rows`.

    `search` looks at what lies in the clear (reference, target, class, the researcher's handle) and finds the number
    that a researcher gave a report, typed whole.
    """
    desk = desk_of(viewer, program)
    text = search.strip()[:100].replace("\x00", "")
    if text:
        desk = desk.filter(
            Q(ref__icontains=text) | Q(target__name__icontains=text) | Q(vuln_class__iexact=text)
            | Q(reporter__handle__icontains=text) | Q(pk__in=numbered(text))
        )  # fmt: skip
    narrow = _VIEWS.get(view, _VIEWS["all"])
    if not text and view in SLEEPY:
        desk = desk.exclude(pk__in=Sleep.objects.filter(asleep_for(viewer)).values("case"))
    return narrow(desk, viewer).order_by(F("due_at").asc(nulls_last=True), "created_at", "pk")


def counts(viewer: Any, *, program: Program | None = None) -> dict[str, int]:
    """How many cases each filter holds: the numbers that stand beside the lists."""
    return {view: cases(viewer, program=program, view=view).count() for view in FILTERS}


def rows(page: Any) -> list[Row]:
    """The rows of a slice (or page) of `cases`, everything they need read at once."""
    found = page if isinstance(page, QuerySet) else Case.objects.filter(pk__in=[case.pk for case in page])
    loaded = {case.pk: case for case in _with_everything(found)}
    ordered = [loaded[case.pk] for case in page if case.pk in loaded]
    keyring.warm(case.key_id for case in ordered)
    logs = _logs(ordered)
    return [_row(case, logs[case.subject]) for case in ordered]


def _with_everything(found: QuerySet[Case]) -> list[Case]:
    chosen = Case.objects.filter(pk__in=[case.pk for case in found])
    return list(
        chosen.select_related(
            "program__triage_rules", "policy_version", "target", "target_version", "reporter", "assignee", "owner"
        ).prefetch_related("ratings", "sign_offs__by", "remediations", "reproductions__replay", "retests", "reports")
    )


def _logs(found: list[Case]) -> dict[str, list[Any]]:
    logs: dict[str, list[Any]] = defaultdict(list)
    for event in Event.objects.filter(subject__in=[case.subject for case in found]).order_by("subject", "seq"):
        logs[event.subject].append(event)
    return logs


def _row(case: Case, log: list[Any]) -> Row:
    found = clocks(case, log=log)
    facts, rating = facts_of(case, log=log), newest_rating(case)
    group, todo = _todo(case, facts, log)
    if group == "wait" and any(one.name == "next_word" and one.running and one.late for one in found):
        group, todo = "team", f"a word to the researcher, and {todo}"
    report = min(case.reports.all(), key=lambda row: row.sent_at, default=None)
    claimed = (report.claim_k, report.claim_n) if report and report.claim_n and not report.claim_biased else None
    return Row(
        case=case,
        group=group,
        todo=todo,
        clock=next(iter(running(found)), None),
        paused=next((one for one in found if one.paused_since is not None), None),
        replay=next(iter([*verifications(case), *reproductions(case)]), None),
        claim=claimed,  # type: ignore[arg-type]
        score=rubric.score(rating.vector) if rating is not None else None,
        signoffs=state_of(case, rating).seen_by(None) if rating is not None else None,
        with_whom=_with_whom(case, group),
    )


def _todo(case: Case, facts: Facts, log: list[Any]) -> tuple[str, str]:
    """(group, what it waits for) of a case."""
    status = Status(case.status)
    if not status.is_open:
        return ("team", "an answer to the appeal") if case.appealed_at and case.due_at else ("ended", "nothing")
    if status == Status.NEEDS_INFO:
        return "wait", "the researcher's answer"
    if not facts.acknowledged:
        return "answer", "a first answer"
    if status == Status.NEW:
        return "team", "a decision to take it into work"
    if status == Status.TRIAGED:
        return _before_confirming(case, facts, reopened_at(case, log))
    if status in (Status.CONFIRMED, Status.REMEDIATING):
        return ("wait", "the fix") if facts.owner_assigned else ("team", "an owner for the fix")
    if status == Status.FIX_DEPLOYED:
        return "team", "a verification of the fix"
    return _while_retesting(case, facts)


def _before_confirming(case: Case, facts: Facts, since: datetime | None) -> tuple[str, str]:
    newest = next(iter(reproductions(case, since=since)), None)
    if not facts.reproduced:
        if newest is None or (newest.concluded_at is None and not is_under_way(newest)):
            return "team", "a replay"
        if newest.concluded_at is not None:
            return "team", "a look at the replay"
        return ("team", "a look at the paused replay") if newest.replay.state == "paused" else ("wait", "the replay")
    if not facts.first_success_seen:
        return "team", "a look at the first success"
    if not facts.rated:
        return "team", "a severity rating"
    if not facts.signed_off:
        rating = newest_rating(case)
        assert rating is not None
        return "team", " and ".join(state_of(case, rating).law.missing)
    return "team", "confirmation"


def _while_retesting(case: Case, facts: Facts) -> tuple[str, str]:
    fix = newest_fix(case)
    if fix is not None and running_verification(case, fix) is not None:
        return "wait", "the verification"
    if not facts.holds:
        return "team", "a decision on the fix"
    return ("team", "resolution") if facts.researcher_agreed else ("wait", "the researcher's retest")


def _with_whom(case: Case, group: str) -> Any:
    if case.status == Status.NEEDS_INFO:
        return case.reporter
    if case.status in (Status.CONFIRMED, Status.REMEDIATING, Status.FIX_DEPLOYED):
        return case.owner or case.assignee
    return case.assignee


def _disciplines(viewer: Any) -> dict[str, list[Any]]:
    """Discipline → the programs in which the viewer may sign off for it."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in Membership.objects.filter(person=viewer):
        for name in ("security", "ml"):
            if name in row.disciplines or f"{name}_triager" in row.roles:
                found[name].append(row.program_id)
    return found


def _needs_me(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    # What was rated before a reopening is signed by nobody any more, and so asks nobody for a word.
    since = Q(case__reopened_at__isnull=True) | Q(at__gt=F("case__reopened_at"))
    newest = Rating.objects.filter(since, case=OuterRef("pk")).order_by("-at").values("pk")[:1]
    rated = _open(desk, viewer).filter(status=Status.TRIAGED).annotate(newest_rating=Subquery(newest))
    wanted = Q(pk__in=[])
    for name, programs in _disciplines(viewer).items():
        signed = SignOff.objects.filter(rating=OuterRef("newest_rating"), discipline=name)
        wanted |= Q(program__in=programs) & ~Q(Exists(signed))
    return rated.filter(wanted, newest_rating__isnull=False)


def _replay_finished(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    done = Reproduction.objects.filter(case=OuterRef("pk"), concluded_at__isnull=False)
    anew = Q(case__reopened_at__isnull=True) | Q(asked_at__gt=F("case__reopened_at"))
    before = done.filter(anew, purpose=Reproduction.Purpose.REPRODUCTION)
    unseen = Q(first_success_seen_at__isnull=True) | Q(first_success_seen_at__lt=F("reopened_at"))
    first = Q(status__in=(Status.NEW, Status.TRIAGED)) & unseen & Q(Exists(before))
    after = done.filter(purpose=Reproduction.Purpose.VERIFICATION)
    return desk.filter(first | (Q(status=Status.RETESTING) & Q(Exists(after))))


_DEFERRED = Q(deferred_at__isnull=False, acknowledged_at__isnull=True, status=Status.NEW)


def _tray(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    """What came in a flood and nobody has answered yet; answering one takes it out."""
    return desk.filter(_DEFERRED)


def _by_clock(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    """Everything open but the tray; of the tray what is late, because lateness is hidden by no view."""
    return _open(desk, viewer).exclude(_DEFERRED & (Q(due_at__isnull=True) | Q(due_at__gte=clock.now())))


def _open(desk: QuerySet[Case], viewer: Any) -> QuerySet[Case]:
    """What is at work: open cases, and closed ones whose appeal waits for its answer."""
    return desk.filter(~Q(status__in=ENDED) | Q(appealed_at__isnull=False, due_at__isnull=False))


_VIEWS: dict[str, Callable[[QuerySet[Case], Any], QuerySet[Case]]] = {
    "all": _by_clock,
    "deferred": _tray,
    "mine": lambda desk, viewer: _open(desk, viewer).filter(Q(assignee=viewer) | Q(owner=viewer)),
    "unanswered": lambda desk, viewer: _open(desk, viewer).filter(acknowledged_at__isnull=True),
    "late": lambda desk, viewer: _open(desk, viewer).filter(due_at__lt=clock.now()),
    "replay_finished": _replay_finished,
    "needs_me": _needs_me,
    "waiting": lambda desk, _: desk.filter(status=Status.NEEDS_INFO),
    "asleep": lambda desk, viewer: desk.filter(pk__in=Sleep.objects.filter(asleep_for(viewer)).values("case")),
    "ended": lambda desk, _: desk.filter(status__in=ENDED),
}
