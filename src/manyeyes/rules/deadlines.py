"""The promises of a program as clocks, recomputed from the log of a case; nothing is stored, nothing drifts.

Time counts as the policy says: every hour, or working days only. What a clock waits for stands in `clocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from manyeyes.rules.calendars import Calendar, elapsed, reached
from manyeyes.rules.marked import marked as _

WARN_AT = 0.75
"""So much of a promise is used up when somebody is warned."""
PAUSE_WORDS: Mapping[str, str] = {"researcher": _("waiting for the researcher's answer")}
"""Why a clock stands still."""
LABELS: Mapping[str, str] = {
    "first_answer": _("First human answer"),
    "decision": _("Decision"),
    "next_word": _("Next word to the researcher"),
    "mitigation": _("Mitigation"),
    "fix": _("Fix in service"),
    "appeal": _("Answer to the appeal"),
    "publication": _("Publication"),
}
"""The clocks by name, as people read them."""
FIX_KINDS: Mapping[str, str] = {
    "prompt": _("a change of the prompt or the settings"),
    "filter": _("a filter before or after the model"),
    "retrain": _("training the model again"),
    "upstream": _("a fix by the maker of a part we use"),
}
"""The kinds of fix that take their own time."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the log: what happened; whether a person did it, both sides see it, the team did it.

    `detail` holds what clocks read of it: the band of a rating, the kind of a fix, the date of an embargo.
    """

    at: datetime
    kind: str
    human: bool = False
    public: bool = False
    by_team: bool = False
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What a program promised, in hours and days. `working` names the clocks that count working days of `calendar`."""

    first_answer_hours: int = 48
    decision_hours: int = 240
    word_hours: int = 168
    mitigation_hours: int = 168
    exploited_hours: int = 72
    embargo_days: int = 90
    fix_days: Mapping[str, int] = field(
        default_factory=lambda: {"Critical": 14, "High": 30, "Medium": 60, "Low": 90, "None": 90}
    )
    kind_days: Mapping[str, int] = field(
        default_factory=lambda: {"prompt": 14, "filter": 30, "retrain": 120, "upstream": 90}
    )
    calendar: Calendar | None = None
    working: frozenset[str] = frozenset()

    def calendar_of(self, name: str) -> Calendar | None:
        """The calendar by which this clock counts; None where every hour does."""
        return self.calendar if name in self.working else None


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One promise. `due` is when it ends, or, while it stands still, when it would if it went on now.

    `fraction` is the share of the time used up. A clock ends as kept or missed (`done_at`), or because the case ended
    before the promise was due (`stopped_at`). `started_at` tells one run of it from the next.
    """

    name: str
    label: str
    started_at: datetime
    promised: timedelta
    due: datetime
    warn_at: datetime
    done_at: datetime | None
    stopped_at: datetime | None
    late: bool
    paused_since: datetime | None
    pause: str
    fraction: float
    calendar: Calendar | None

    @property
    def running(self) -> bool:
        """Whether time is passing on it."""
        return self.done_at is None and self.stopped_at is None and self.paused_since is None


DECISIONS = frozenset({"move.confirm", "move.close", "move.withdraw"})
PAUSE = "move.ask_researcher"
RESUME = frozenset({"move.answer", "move.accept", "move.close", "move.withdraw"})
ENDS = frozenset({"move.resolve", "move.close", "move.withdraw"})
WITHDRAWN, CLOSED, REOPENED, SPLIT = "move.withdraw", "move.close", "move.reopen", "case.split"
BEGUN = (REOPENED, SPLIT)
"""What begins the work on a case anew; its first answer counts from its report all the same."""
APPEALED = "appealed"
APPEAL_ANSWERS = frozenset({"appeal.upheld", REOPENED})
CONFIRMED, DEPLOYED, REFUTED = "move.confirm", "move.deploy_fix", "move.fix_refuted"
RATED, FIX_KIND = "rated", "fix.kind"
EXPLOITED, MITIGATED = "exploited", "mitigated"
AGREED, ENDED_EARLY, PUBLISHED = "embargo.agreed", "embargo.ended", "advisory.published"
GRAVE = frozenset({"High", "Critical"})
"""The bands for which a mitigation is promised before the fix."""
Pauses = Sequence[tuple[datetime, datetime | None]]


def clocks(log: Sequence[Entry], *, opened: datetime, at: datetime, promises: Promises | None = None) -> list[Clock]:
    """The clocks of a case at the moment `at`, from its log alone.

    The first answer; the decision, anew once a case is reopened; the next word while it is open; a mitigation where the
    flaw is exploited or graver than Medium; the fix by severity or kind; the answer to an appeal; the publication.
    """
    rows = sorted((entry for entry in log if entry.at <= at), key=lambda entry: entry.at)
    asked = _Asked(log=rows, opened=opened, at=at, promised=promises or Promises())
    found = (first_answer, decision, next_word, mitigation, fix_due, appeal, publication)
    return [clock for clock in (one(asked) for one in found) if clock is not None]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What every clock is computed from."""

    log: Sequence[Entry]
    opened: datetime
    at: datetime
    promised: Promises

    @property
    def since_reopening(self) -> Sequence[Entry]:
        """The lines after the newest reopening; all of them where there was none."""
        return self.log[self.last(*BEGUN) + 1 :]

    @property
    def began(self) -> datetime:
        """When the case was opened, split off from another, or last taken up again."""
        place = self.last(*BEGUN)
        return self.opened if place < 0 else self.log[place].at

    def last(self, *kinds: str) -> int:
        """The place of the newest line of these kinds; -1 without one."""
        return max((place for place, entry in enumerate(self.log) if entry.kind in kinds), default=-1)

    @property
    def pauses(self) -> Pauses:
        """The stretches in which the researcher owed an answer; the last one may be open."""
        found: list[tuple[datetime, datetime | None]] = []
        since: datetime | None = None
        for entry in self.log:
            if entry.kind == PAUSE and since is None:
                since = entry.at
            elif entry.kind in RESUME and since is not None:
                found.append((since, entry.at))
                since = None
        return found if since is None else [*found, (since, None)]


def first_answer(asked: _Asked) -> Clock:
    """The first word of a person of the team to the researcher; automatic mail never counts, nothing pauses it.

    Who takes the report back before it is owed nothing any more.
    """
    done, gone = first_word(asked.log), _first(asked.log, lambda entry: entry.kind == WITHDRAWN)
    if done is not None and gone is not None:
        done, gone = (done, None) if done <= gone else (None, gone)
    hours = timedelta(hours=asked.promised.first_answer_hours)
    return _clock("first_answer", asked, asked.opened, hours, done=done, stopped=gone)


def decision(asked: _Asked) -> Clock:
    """Confirmed or closed; stands still while the researcher owes an answer."""
    done = _first(asked.since_reopening, lambda entry: entry.kind in DECISIONS)
    hours = timedelta(hours=asked.promised.decision_hours)
    return _clock("decision", asked, asked.began, hours, done=done, pauses=asked.pauses)


def next_word(asked: _Asked) -> Clock | None:
    """The next word to the researcher, while the case is open and after the first answer; pauses with the decision."""
    said = [entry.at for entry in asked.log if _is_word(entry)]
    if not said or asked.last(*ENDS) > asked.last(REOPENED):
        return None
    hours = timedelta(hours=asked.promised.word_hours)
    return _clock("next_word", asked, said[-1], hours, pauses=asked.pauses)


def mitigation(asked: _Asked) -> Clock | None:
    """Something that lowers the risk before the fix is there: soon where somebody uses the flaw, else when it is grave.

    A fix in service is one too, unless it is refuted.
    """
    since = asked.since_reopening
    starts: list[tuple[datetime, timedelta]] = []
    if (used := _first(asked.log, lambda entry: entry.kind == EXPLOITED)) is not None:
        starts.append((max(used, asked.began), timedelta(hours=asked.promised.exploited_hours)))
    confirmed = _first(since, lambda entry: entry.kind == CONFIRMED)
    done, stopped = _ended(since, MITIGATED)
    if confirmed is not None and _detail(asked.log, RATED, until=done or stopped) in GRAVE:
        starts.append((confirmed, timedelta(hours=asked.promised.mitigation_hours)))
    if not starts:
        return None
    start, promised = min(starts, key=lambda one: one[0] + one[1])
    return _clock("mitigation", asked, start, promised, done=done, stopped=stopped)


def fix_due(asked: _Asked) -> Clock | None:
    """The fix in service, counted from the confirmation; its days depend on its kind, else on the severity.

    A fix that was refuted was none: the clock goes on from where it began, as if nothing had been deployed.
    """
    since = asked.since_reopening
    confirmed = _first(since, lambda entry: entry.kind == CONFIRMED)
    if confirmed is None:
        return None
    done, stopped = _ended(since)
    ended = done or stopped
    days = asked.promised.kind_days.get(_detail(since, FIX_KIND, until=ended))
    days = asked.promised.fix_days.get(_detail(asked.log, RATED, until=ended)) if days is None else days
    if days is None:
        return None
    return _clock("fix", asked, confirmed, timedelta(days=days), done=done, stopped=stopped)


def appeal(asked: _Asked) -> Clock | None:
    """A person's answer to the newest appeal against a close: a reasoned no, or the case taken up again."""
    place = asked.last(APPEALED)
    if place < 0:
        return None
    done = _first(asked.log[place + 1 :], lambda entry: entry.kind in APPEAL_ANSWERS and _is_word(entry))
    hours = timedelta(hours=asked.promised.word_hours)
    return _clock("appeal", asked, asked.log[place].at, hours, done=done)


def publication(asked: _Asked) -> Clock | None:
    """The day from which everybody may speak of a confirmed finding: as the policy says, or as both sides agreed.

    It goes on once the finding is resolved; a case that was closed has nothing to publish.
    """
    confirmed, closed = asked.last(CONFIRMED), asked.last(CLOSED, WITHDRAWN)
    done = _first(asked.log, lambda entry: entry.kind == PUBLISHED)
    if confirmed < 0 or (closed > asked.last(REOPENED) and done is None):
        return None
    until = asked.opened + timedelta(days=asked.promised.embargo_days)
    for entry in asked.log:
        if entry.kind == AGREED and entry.detail:
            until = datetime.fromisoformat(entry.detail)
        elif entry.kind == ENDED_EARLY:
            until = min(until, entry.at)
    promised = max(until - asked.opened, timedelta())
    return _clock("publication", asked, asked.opened, promised, done=done)


def first_word(log: Sequence[Entry]) -> datetime | None:
    """When a person of the team first wrote to the researcher."""
    return _first(log, _is_word)


def _is_word(entry: Entry) -> bool:
    return entry.human and entry.public and entry.by_team


def _first(log: Sequence[Entry], fits: Callable[[Entry], bool]) -> datetime | None:
    return next((entry.at for entry in log if fits(entry)), None)


def _detail(log: Sequence[Entry], kind: str, *, until: datetime | None) -> str:
    """What the newest line of this kind says; what came after the clock had ended moves it no more."""
    return next((row.detail for row in reversed(log) if row.kind == kind and (until is None or row.at <= until)), "")


def _ended(log: Sequence[Entry], also: str = "") -> tuple[datetime | None, datetime | None]:
    """(since when a fix stands in service unrefuted, or the kind `also` was told; or when the case ended first)."""
    done: datetime | None = None
    for entry in log:
        if entry.kind == also:
            return done or entry.at, None
        if entry.kind in ENDS:
            return done, None if done else entry.at
        if entry.kind == REFUTED:
            done = None
        elif entry.kind == DEPLOYED and done is None:
            done = entry.at
    return done, None


def _clock(
    name: str, asked: _Asked, start: datetime, promised: timedelta, *, done: datetime | None = None,
    stopped: datetime | None = None, pauses: Pauses = (),
) -> Clock:  # fmt: skip
    """A clock: what counts between its start and its end, less what it stood still."""
    # An appeal is answered like any word, so it counts the same days.
    calendar = asked.promised.calendar_of("next_word" if name == "appeal" else name)
    ended = done or stopped
    moment = max(ended or asked.at, start)
    active = _active(start, moment, pauses)
    used = sum((elapsed(begins, ends, calendar) for begins, ends in active), timedelta())
    due = _when(active, moment, promised, calendar)
    paused = next((begins for begins, ends in pauses if ends is None), None) if ended is None else None
    return Clock(
        name=name, label=LABELS[name], started_at=start, promised=promised, due=due, calendar=calendar,
        warn_at=_when(active, moment, promised * WARN_AT, calendar), done_at=done, stopped_at=stopped,
        late=(ended or asked.at) > due, paused_since=paused, pause="researcher" if paused else "",
        fraction=used / promised if promised else 1.0,
    )  # fmt: skip


def _active(start: datetime, end: datetime, pauses: Pauses) -> list[tuple[datetime, datetime]]:
    """The stretches between two moments in which the clock did not stand still, in order."""
    found, since = [], start
    for stands, goes_on in pauses:
        if goes_on is not None and goes_on <= since:
            continue
        if stands >= end:
            break
        found.append((since, max(stands, since)))
        since = end if goes_on is None else min(goes_on, end)
    return [*found, (since, end)]


def _when(
    active: Sequence[tuple[datetime, datetime]], now: datetime, amount: timedelta, calendar: Calendar | None
) -> datetime:
    """When `amount` has passed: on the way, or, counted on from `now`, ahead. A pause after that heals nothing."""
    for begins, ends in active:
        passed = elapsed(begins, ends, calendar)
        if passed >= amount:
            return reached(begins, amount, calendar)
        amount -= passed
    return reached(now, amount, calendar)
