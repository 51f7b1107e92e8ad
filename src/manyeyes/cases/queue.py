"""The console's queue: open cases by their next clock, with what each needs, at a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from django.db.models import QuerySet

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
from manyeyes.cases.lists import FILTERS, Facets, cases, counts, how_many
from manyeyes.cases.models import Case, Reproduction
from manyeyes.cases.preflight import Tried, tried
from manyeyes.cases.signoffs import SignOffState, state_of
from manyeyes.events.models import Event
from manyeyes.programs.models import Program
from manyeyes.rules import severity as rubric
from manyeyes.rules.deadlines import Clock
from manyeyes.rules.lifecycle import Facts, Status
from manyeyes.vault import keyring

GROUPS: dict[str, str] = {
    "answer": "First human answer owed",
    "team": "Your side must act",
    "wait": "Waiting for someone",
    "ended": "Resolved and closed",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case of the queue. `todo` says in words what it waits for; `clock` is the next promise that runs.

    `replay` is the replay to show beside the claim: the newest verification, else the newest reproduction. `best_of`
    is a claim that is no rate, because it was counted in the best of several series; `on_arrival` is what the try of
    the report came to, where anything was counted.
    """

    case: Case
    group: str
    todo: str
    clock: Clock | None
    paused: Clock | None
    replay: Reproduction | None
    claim: tuple[int, int] | None
    best_of: tuple[int, int] | None
    on_arrival: Tried | None
    score: rubric.MesScore | None
    signoffs: SignOffState | None
    with_whom: Any


class Rows(Sequence[Row]):
    """The rows of a list of cases, read a page at a time: what a paginator slices."""

    def __init__(self, found: QuerySet[Case]) -> None:
        self.found = found

    def __len__(self) -> int:
        return how_many(self.found)

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


def desk(
    viewer: Any, *, view: str = "all", search: str = "", program: Program | None = None, sort: str = "",
    facets: Facets | None = None,
) -> Desk:  # fmt: skip
    """What a member of a team sees first."""
    chosen = view if view in FILTERS else "all"
    found = cases(viewer, program=program, view=chosen, search=search, sort=sort, facets=facets)
    soonest = cases(viewer, program=program).values_list("due_at", flat=True).first()
    return Desk(view=chosen, rows=Rows(found), counts=counts(viewer, program=program), next_due=soonest)


def rows(page: Any) -> list[Row]:
    """The rows of a slice (or page) of `cases`, everything they need read at once."""
    found = page if isinstance(page, QuerySet) else Case.objects.filter(pk__in=[case.pk for case in page])
    loaded = {case.pk: case for case in _with_everything(found)}
    ordered = [loaded[case.pk] for case in page if case.pk in loaded]
    keyring.warm(case.key_id for case in ordered)
    logs, arrival = _logs(ordered), tried(ordered)
    return [_row(case, logs[case.subject], arrival.get(case.pk)) for case in ordered]


def _with_everything(found: QuerySet[Case]) -> list[Case]:
    chosen = Case.objects.filter(pk__in=[case.pk for case in found])
    return list(
        chosen.select_related(
            "program",
            "program__triage_rules",
            "policy_version",
            "target",
            "target_version",
            "reporter",
            "assignee",
            "owner",
        ).prefetch_related(
            "ratings__rubric_version", "sign_offs__by", "remediations", "reproductions__replay", "retests", "reports"
        )
    )


def _logs(found: list[Case]) -> dict[str, list[Any]]:
    logs: dict[str, list[Any]] = defaultdict(list)
    for event in Event.objects.filter(subject__in=[case.subject for case in found]).order_by("subject", "seq"):
        logs[event.subject].append(event)
    return logs


def _row(case: Case, log: list[Any], on_arrival: Tried | None) -> Row:
    found = clocks(case, log=log)
    facts, rating = facts_of(case, log=log), newest_rating(case)
    group, todo = _todo(case, facts, log)
    if group == "wait" and any(one.name == "next_word" and one.running and one.late for one in found):
        group, todo = "team", f"a word to the researcher, and {todo}"
    report = min(case.reports.all(), key=lambda row: row.sent_at, default=None)
    claimed = (report.claim_k, report.claim_n) if report and report.claim_n else None
    return Row(
        case=case,
        group=group,
        todo=todo,
        clock=next(iter(running(found)), None),
        paused=next((one for one in found if one.paused_since is not None), None),
        replay=next(iter([*verifications(case), *reproductions(case)]), None),
        claim=claimed if report and not report.claim_biased else None,  # type: ignore[arg-type]
        on_arrival=on_arrival if on_arrival is not None and on_arrival.n else None,
        best_of=claimed if report and report.claim_biased else None,  # type: ignore[arg-type]
        score=rating.score if rating is not None else None,
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
        rating = newest_rating(case)
        begun = rating is not None and (since is None or rating.at > since)
        return "team", "the severity letter by letter" if begun else "a severity rating"
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
