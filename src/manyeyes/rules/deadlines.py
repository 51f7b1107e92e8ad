"""The promises of a program as clocks, recomputed from the log of a case. Calendar hours; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the log: what happened; whether a person did it, both sides see it, the team did it."""

    at: datetime
    kind: str
    human: bool = False
    public: bool = False
    by_team: bool = False


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What a program promised, in calendar hours and days."""

    first_answer_hours: int = 48
    decision_hours: int = 240
    word_hours: int = 168
    fix_days: Mapping[str, int] = field(
        default_factory=lambda: {"Critical": 14, "High": 30, "Medium": 60, "Low": 90, "None": 90}
    )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One promise. `due` already counts the pauses; `fraction` is the share of the time used up, above 1 when late."""

    name: str
    label: str
    due: datetime
    done_at: datetime | None
    late: bool
    paused_since: datetime | None
    fraction: float

    @property
    def running(self) -> bool:
        """Whether time is passing on it."""
        return self.done_at is None and self.paused_since is None


DECISIONS = frozenset({"move.confirm", "move.close", "move.withdraw"})
PAUSE = "move.ask_researcher"
RESUME = frozenset({"move.answer", "move.accept", "move.close", "move.withdraw"})
ENDS = frozenset({"move.resolve", "move.close", "move.withdraw"})
REOPENED = "move.reopen"
APPEALED = "appealed"
APPEAL_ANSWERS = frozenset({"appeal.upheld", REOPENED})
CONFIRMED, FIXED = "move.confirm", frozenset({"move.deploy_fix", "move.close"})
REFUTED = "move.fix_refuted"


def clocks(
    log: Sequence[Entry], *, opened: datetime, at: datetime, promises: Promises | None = None, band: str = ""
) -> list[Clock]:
    """The clocks of a case at the moment `at`; `band` (of the graver score) starts the clock of the fix.

    A reopened case is decided anew, and its decision clock starts anew.
    """
    promised = promises or Promises()
    rows = sorted((entry for entry in log if entry.at <= at), key=lambda entry: entry.at)
    found = [first_answer(rows, opened=opened, at=at, hours=promised.first_answer_hours)]
    found.append(decision(rows, opened=opened, at=at, hours=promised.decision_hours))
    words = next_word(rows, at=at, hours=promised.word_hours)
    fix = fix_due(rows, at=at, days=promised.fix_days.get(band))
    second_look = appeal(rows, at=at, hours=promised.word_hours)
    return found + [clock for clock in (words, fix, second_look) if clock is not None]


def first_answer(log: Sequence[Entry], *, opened: datetime, at: datetime, hours: int) -> Clock:
    """The first word of a person of the team to the researcher; automatic mail never counts, nothing pauses it."""
    done = next((entry.at for entry in log if _is_word(entry)), None)
    return _clock("first_answer", "First human answer", opened, timedelta(hours=hours), done, at)


def decision(log: Sequence[Entry], *, opened: datetime, at: datetime, hours: int) -> Clock:
    """Confirmed or closed; stands still while the researcher owes an answer."""
    reopened = [entry.at for entry in log if entry.kind == REOPENED]
    start = reopened[-1] if reopened else opened
    since = [entry for entry in log if entry.at >= start and entry.kind != REOPENED]
    done = next((entry.at for entry in since if entry.kind in DECISIONS), None)
    counted = list(takewhile(lambda entry: entry.kind not in DECISIONS, since))
    paused, since_when = _pauses(counted, done or at)
    allowance = timedelta(hours=hours) + paused
    return _clock("decision", "Decision", start, allowance, done, at, paused, None if done else since_when)


def next_word(log: Sequence[Entry], *, at: datetime, hours: int) -> Clock | None:
    """The next word to the researcher, while the case is open and after the first answer; pauses with the decision."""
    said = [entry.at for entry in log if _is_word(entry)]
    turns = [entry.kind for entry in log if entry.kind in ENDS or entry.kind == REOPENED]
    if not said or (turns and turns[-1] in ENDS):
        return None
    since = [entry for entry in log if entry.at >= said[-1]]
    paused, since_when = _pauses(since, at)
    allowance = timedelta(hours=hours) + paused
    return _clock("next_word", "Next word to the researcher", said[-1], allowance, None, at, paused, since_when)


def fix_due(log: Sequence[Entry], *, at: datetime, days: int | None) -> Clock | None:
    """The fix in service, counted from the confirmation; the days depend on the severity.

    A fix that was refuted was none: the clock goes on from where it began, as if nothing had been deployed.
    """
    confirmed = [place for place, entry in enumerate(log) if entry.kind == CONFIRMED]
    if days is None or not confirmed:
        return None
    done: datetime | None = None
    for entry in log[confirmed[-1] + 1 :]:
        if entry.kind == REFUTED:
            done = None
        elif entry.kind in FIXED and done is None:
            done = entry.at
    return _clock("fix", "Fix in service", log[confirmed[-1]].at, timedelta(days=days), done, at)


def appeal(log: Sequence[Entry], *, at: datetime, hours: int) -> Clock | None:
    """A person's answer to the newest appeal against a close: a reasoned no, or the case taken up again."""
    asked = [entry.at for entry in log if entry.kind == APPEALED]
    if not asked:
        return None
    answers = (entry.at for entry in log if entry.kind in APPEAL_ANSWERS and entry.at > asked[-1] and _is_word(entry))
    done = next(answers, None)
    return _clock("appeal", "Answer to the appeal", asked[-1], timedelta(hours=hours), done, at)


def _is_word(entry: Entry) -> bool:
    return entry.human and entry.public and entry.by_team


def _pauses(log: Sequence[Entry], until: datetime) -> tuple[timedelta, datetime | None]:
    """How long the researcher owed an answer, and since when they do now."""
    total, since = timedelta(), None
    for entry in log:
        if entry.kind == PAUSE and since is None:
            since = entry.at
        elif entry.kind in RESUME and since is not None:
            total, since = total + (entry.at - since), None
    if since is not None:
        total += until - since
    return total, since


def _clock(
    name: str, label: str, start: datetime, allowance: timedelta, done: datetime | None, at: datetime,
    paused: timedelta = timedelta(), since: datetime | None = None,
) -> Clock:  # fmt: skip
    """A clock; `allowance` includes what was paused, which counts neither as promised nor as used time."""
    due, moment = start + allowance, at if done is None else done
    promised = allowance - paused
    used = (moment - start - paused) / promised if promised else 1.0
    return Clock(
        name=name, label=label, due=due, done_at=done, late=moment > due, paused_since=since, fraction=max(0.0, used)
    )  # fmt: skip
