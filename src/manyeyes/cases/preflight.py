"""A report is tried on arrival: a few trials of its reproducer in the sandbox, which sort the queue and decide nothing.

No person is told of it, no promise is kept by it, no case is closed by it: it is one more fact beside the claim.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy

from manyeyes.accounts.models import Person
from manyeyes.cases import tryout
from manyeyes.cases.arrived import Preflight
from manyeyes.cases.models import Case, ReproducerFile, Reproduction
from manyeyes.cases.moves import acting
from manyeyes.cases.verdicts import AlreadyTakenUp, take_up
from manyeyes.engine import exact_interval
from manyeyes.programs.preflight import budgets, rules_of
from manyeyes.programs.targets import price_of
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.rules import clock
from manyeyes.rules.lifecycle import Status
from manyeyes.rules.numerals import count_words, interval_words
from manyeyes.rules.preflight import KIND_WORDS, Kind, NotTried, may_try, unfit

log = logging.getLogger("manyeyes.preflight")
State = Preflight.State
MOST_TRIES = 3
"""So often deciding may fail before a report is left to people."""
STATE_WORDS = {
    State.WAITING: "waits to be tried",
    State.RUNNING: "being tried",
    State.STOPPED: "stopped before its end",
}
UNDECIDED = (Status.NEW, Status.NEEDS_INFO, Status.TRIAGED)
ENDED = (Replay.State.PAUSED, Replay.State.AWAITING_LABEL, Replay.State.CANCELLED)


def arrived(case: Case, reproducer: ReproducerFile | None) -> Preflight:
    """Put a report in line, inside the transaction that stores it. Without a reproducer there is nothing to try."""
    row = Preflight(case=case, reproducer=reproducer, reporter_id=case.reporter_id)
    if reproducer is None:
        row.state, row.kinds, row.reasons = State.NOT_TRIED, [str(Kind.NOT_RUNNABLE)], unfit(None)
    row.save()
    return row


def decide_next() -> bool:
    """Look at the report that waits longest, and queue its replay or say why not; whether there was one.

    What came in a flood waits behind everything else. A worker that dies here has changed nothing.
    """
    waiting = Preflight.objects.filter(state=State.WAITING, case__key__destroyed_at=None)
    row = waiting.order_by(F("case__deferred_at").asc(nulls_first=True), "at", "pk").first()
    if row is None:
        return False
    try:
        decide(row)
    except Exception as error:
        log.exception("preflight %s failed", row.pk)
        Preflight.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
        if row.attempts + 1 >= MOST_TRIES:
            words = f"The platform met a fault of its own ({type(error).__name__})."
            _not_tried(row, [NotTried(kind=Kind.FAILED, words=words)])
    return True


def decide(row: Preflight) -> Preflight:
    """Queue the replay of a report, or record why it is not tried. Once; again changes nothing."""
    case = Case.objects.select_related("program", "target", "reporter", "key").get(pk=row.case_id)
    rules = rules_of(case.program)
    tried = tryout.planned(case, row.reproducer, rules)  # slow, so before anything is locked
    with transaction.atomic():
        rules = rules_of(case.program, lock=True)
        held = Preflight.objects.select_for_update().get(pk=row.pk)
        if held.state != State.WAITING:
            return held
        reasons = _moot(case, rules.on) or may_try(
            tried.runnable, tried.permit, asked=tried.asked, calls_today=queue.calls_today(case.target),
            budgets=budgets(rules, **_taken(case)),
        ) or list(tried.problems)  # fmt: skip
        return _not_tried(held, reasons) if reasons else _queued(held, case, tried)


def conclude(replay: Replay) -> Reproduction:
    """Take up what the trials came to. Once; again changes nothing."""
    link = Reproduction.objects.select_related("case__program", "replay__main_version").get(replay=replay)
    verdict = link.replay.verdict or {}
    k, n = int(verdict.get("k") or 0), int(verdict.get("n") or 0)
    low, high = exact_interval(k, n) if n else (None, None)
    values = {"state": State.TRIED, "k": k, "n": n, "low": low, "high": high, "ended_at": clock.now(), **_took(link)}
    with suppress(AlreadyTakenUp), acting(
        link.case, "preflight.tried", by=None, allowed=None, public=rules_of(link.case.program).tells_researcher,
        tried=str(link.pk), k=k, n=n,
    ):  # fmt: skip
        take_up(link, shown=False)
        Preflight.objects.filter(reproduction=link).update(reasons=[], **values)
    link.refresh_from_db()
    return link


def settle_stopped() -> None:
    """Close the tries whose replay stopped before its end; the budget counts what they took."""
    stopped = Preflight.objects.filter(state=State.RUNNING, reproduction__replay__state__in=ENDED)
    for row in stopped.select_related("case", "reproduction__replay__main_version", "reproduction__case")[:20]:
        link = row.reproduction
        assert link is not None
        why = link.replay.pause_reason or "Somebody of the team cancelled it."
        with acting(row.case, "preflight.stopped", by=None, allowed=None, tried=str(link.pk)):
            Preflight.objects.filter(pk=row.pk, state=State.RUNNING).update(
                state=State.STOPPED, reasons=[why], ended_at=clock.now(), **_took(link)
            )


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What the newest try on arrival of a case came to. `kinds` say why not, as facets; `reasons` in sentences."""

    state: str
    k: int | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    kinds: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    replay_id: Any = None

    @property
    def worked(self) -> bool | None:
        """Whether it worked at least once; None while nothing was counted."""
        return None if not self.n else bool(self.k)

    @property
    def words(self) -> str:
        """The same in a few words, never without its interval."""
        if self.n and self.low is not None and self.high is not None:
            return f"{count_words(self.k or 0, self.n)} ({interval_words(self.low, self.high)})"
        known = [KIND_WORDS[Kind(kind)] for kind in self.kinds]
        return STATE_WORDS.get(State(self.state)) or f"not tried: {', '.join(known)}"


def tried(cases: Iterable[Case]) -> dict[Any, Tried]:
    """Case id → its newest try on arrival, with one query however many cases there are."""
    rows = Preflight.objects.filter(case__in=[case.pk for case in cases]).select_related("reproduction").order_by("at")
    return {row.case_id: _shown(row) for row in rows}


def told(case: Case) -> Tried | None:
    """The try as its researcher may read it: the count alone, and only where the program says so."""
    found = tried([case]).get(case.pk)
    if found is None or found.n is None or not rules_of(case.program).tells_researcher:
        return None
    return Tried(state=found.state, k=found.k, n=found.n, low=found.low, high=found.high)


FACETS: dict[str, Any] = {
    "worked": gettext_lazy("worked"),
    "did_not": gettext_lazy("did not work"),
    "waits": gettext_lazy("waits to be tried"),
    "not_tried": gettext_lazy("not tried"),
}
"""What the queue is narrowed by."""
_FACETS = {
    "worked": Q(n__gt=0, k__gt=0),
    "did_not": Q(n__gt=0, k=0),
    "waits": Q(state__in=(State.WAITING, State.RUNNING)),
    "not_tried": Q(state__in=(State.NOT_TRIED, State.STOPPED)),
}


def facet(name: str) -> Q:
    """The condition that a case is of one of FACETS, by its newest try; any other word is no condition."""
    if name not in _FACETS:
        return Q()
    newer = Preflight.objects.filter(case=OuterRef("case"), at__gt=OuterRef("at"))
    return Q(pk__in=Preflight.objects.filter(_FACETS[name], ~Exists(newer)).values("case"))


def _shown(row: Preflight) -> Tried:
    replay = row.reproduction.replay_id if row.reproduction else None
    return Tried(
        state=row.state, k=row.k, n=row.n, low=row.low, high=row.high, kinds=tuple(row.kinds),
        reasons=tuple(row.reasons), replay_id=replay,
    )  # fmt: skip


def _moot(case: Case, on: bool) -> list[NotTried]:
    if not on:
        return [NotTried(kind=Kind.OFF, words="This program does not try reports on arrival.")]
    if Status(case.status) not in UNDECIDED:
        return [NotTried(kind=Kind.MOOT, words="The team decided on the case before its turn came.")]
    return []


def _taken(case: Case) -> dict[str, Any]:
    """What the tries of this UTC day took or may still take: of the program, this reporter, all without account."""
    today = Preflight.objects.filter(case__program=case.program_id, started_at__gte=tryout.midnight())
    without = None
    if case.reporter.kind == Person.Kind.RECEIPT:
        without = tryout.sum_of(today.filter(reporter__kind=Person.Kind.RECEIPT))
    return {
        "program": tryout.sum_of(today),
        "reporter": tryout.sum_of(today.filter(reporter=case.reporter_id)),
        "without_account": without,
    }


def _not_tried(row: Preflight, reasons: list[NotTried]) -> Preflight:
    kinds = list(dict.fromkeys(str(one.kind) for one in reasons))
    with acting(row.case, "preflight.not_tried", by=None, allowed=None, why=kinds):
        row.state, row.kinds, row.reasons = State.NOT_TRIED, kinds, [one.words for one in reasons]
        row.ended_at = clock.now()
        row.save()
    return row


def _queued(row: Preflight, case: Case, tried: tryout.Tryout) -> Preflight:
    assert tried.document is not None
    moment = clock.now()
    with acting(case, "preflight.started", by=None, allowed=None, said=tried.document.hash):
        replay = queue.enqueue(
            tried.document, case.key, main_version=tried.version, concurrency=tryout.AT_ONCE, replay_id=row.pk
        )
        row.reproduction = Reproduction.objects.create(
            case=case, replay=replay, purpose=Reproduction.Purpose.PREFLIGHT, asked_at=moment
        )
        row.state, row.started_at = State.RUNNING, moment
        row.calls, row.tokens, row.money = tried.asked.calls, tried.asked.tokens, tried.asked.money or 0.0
        row.save()
    return row


def _took(link: Reproduction) -> dict[str, Any]:
    """What the trials on record took."""
    into, out = tryout.tokens_of(link.replay)
    price = price_of(link.replay.main_version) if link.replay.main_version else None
    return {"calls": link.replay.calls, "tokens": into + out, "money": price.cost(into, out) if price else 0.0}


__all__ = ["FACETS", "Tried", "arrived", "conclude", "decide", "decide_next", "facet",
           "settle_stopped", "told", "tried"]  # fmt: skip
