"""Ten thousand random histories, told to the clocks and to an oracle that counts in another manner: equal.

The oracle knows nothing of `rules.calendars`: which seconds count it reads off a table made by looking at the wall
clock of the zone every quarter of an hour, and it finds the end of a promise by walking along that table.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from manyeyes.rules.calendars import Calendar
from manyeyes.rules.deadlines import Clock, Entry, Promises, clocks

HISTORIES, SHARES = 10_000, 8
HOUR, DAY, QUARTER = 3600, 86_400, 900
FIRST = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2028, 6, 1, tzinfo=UTC).timestamp())
# With and without summer time, on both sides of the equator; half hours and quarters; midnight that is skipped (Cairo,
# Beirut), doubled (Azores, Havana); half an hour of summer time (Lord Howe); summer time that ends in Ramadan.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "Asia/Beirut",
    "Atlantic/Azores", "America/Havana", "America/Santiago", "Asia/Kolkata", "Africa/Casablanca", "UTC",
)  # fmt: skip
TURNS = ("2025-03-30", "2025-10-26", "2026-03-08", "2026-03-29", "2026-04-23", "2026-04-24", "2026-10-25", "2026-10-29")
BANDS = ("Critical", "High", "Medium", "Low", "None")
KINDS = ("prompt", "filter", "retrain", "upstream")
OPEN = {"new", "asked", "triaged", "confirmed", "fixing", "deployed", "testing"}


@dataclass
class Table:
    """When the seconds of a calendar count: the moments at which that changes, beginning with the first that counts."""

    flips: list[int]
    counts_at_first: bool

    def counts(self, moment: int) -> bool:
        return self.counts_at_first ^ (bisect_right(self.flips, moment) % 2 == 1)

    def next_flip(self, moment: int) -> int:
        return self.flips[bisect_right(self.flips, moment)]


def look_at_the_wall_clock(zone: str, weekdays: set[int], off: set[str]) -> Table:
    """A table by looking every quarter of an hour; every zone in use is set to a whole one."""
    wall, flips, before = ZoneInfo(zone), [], None
    first = None
    known: dict[tuple[int, int, int], bool] = {}
    for moment in range(FIRST, LAST, QUARTER):
        shown = datetime.fromtimestamp(moment, wall)
        name = (shown.year, shown.month, shown.day)
        if name not in known:
            known[name] = shown.weekday() in weekdays and f"{shown:%Y-%m-%d}" not in off
        if before is None:
            first = known[name]
        elif known[name] != before:
            flips.append(moment)
        before = known[name]
    return Table(flips, bool(first))


def make_calendars(dice: Random) -> list[tuple[Calendar, Table]]:
    made = []
    for zone in ZONES:
        weekdays = set(dice.choice([range(5), range(5), (6, 0, 1, 2, 3), range(7), (0, 2, 4, 6), (5, 6)]))
        days = {date(2025, 1, 1) + timedelta(days=dice.randrange(1200)) for _ in range(dice.randrange(60))}
        days |= {date.fromisoformat(turn) for turn in TURNS if dice.random() < 0.3}
        calendar = Calendar(zone, frozenset(weekdays), frozenset(days))
        made.append((calendar, look_at_the_wall_clock(zone, weekdays, {day.isoformat() for day in days})))
    return made


@dataclass
class Told:
    """One line of a history, in whole seconds."""

    at: int
    kind: str
    word: bool = False
    detail: str = ""

    def entry(self, dice: Random) -> Entry:
        lacking = None if self.word else dice.choice(["human", "public", "by_team"])
        flags = {name: name != lacking for name in ("human", "public", "by_team")}
        return Entry(at=moment(self.at), kind=self.kind, detail=self.detail, **flags)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def history(dice: Random, opened: int) -> list[Told]:
    """What happens to a case: moves that the table of moves allows, and between them words, notes and facts."""
    log, now, status, before = [Told(opened, "report.received")], opened, "new", "new"
    for _ in range(dice.randrange(1, 28)):
        now += int(dice.choice([60, HOUR, 9 * HOUR, 2 * DAY, 5 * DAY]) * dice.random() * 2) + 1
        if dice.random() < 0.42:
            log.append(_beside(dice, now))
            continue
        status, before, told = _move(dice, now, status, before)
        log += told
    return log


def _beside(dice: Random, now: int) -> Told:
    kind = dice.choice(["said", "said", "note", "rated", "fix.kind", "exploited", "mitigated", "appealed",
                        "appeal.upheld", "embargo.agreed", "embargo.ended", "advisory.published"])  # fmt: skip
    detail = {"rated": dice.choice(BANDS), "fix.kind": dice.choice(KINDS)}.get(kind, "")
    if kind == "embargo.agreed":
        detail = moment(now + dice.randrange(-20 * DAY, 90 * DAY)).isoformat()
    return Told(now, kind, kind in ("said", "appeal.upheld") and dice.random() < 0.8, detail)


def _move(dice: Random, now: int, status: str, before: str) -> tuple[str, str, list[Told]]:
    ways = {
        "new": ["ask_researcher", "accept", "withdraw", "close"],
        "asked": ["answer", "answer", "accept", "close", "withdraw"],
        "triaged": ["ask_researcher", "confirm", "confirm", "close"],
        "confirmed": ["start_fix", "close"],
        "fixing": ["deploy_fix", "deploy_fix", "close"],
        "deployed": ["request_verification"],
        "testing": ["fix_refuted", "resolve", "resolve", "close"],
        "resolved": ["reopen"],
        "closed": ["reopen"],
    }
    leads = {
        "ask_researcher": "asked", "accept": "triaged", "withdraw": "closed", "close": "closed", "confirm": "confirmed",
        "start_fix": "fixing", "deploy_fix": "deployed", "request_verification": "testing", "fix_refuted": "fixing",
        "resolve": "resolved", "reopen": "triaged", "answer": before,
    }  # fmt: skip
    move = dice.choice(ways[status])
    told = [Told(now, f"move.{move}", move not in ("withdraw", "answer", "request_verification", "fix_refuted"))]
    if move == "confirm" and dice.random() < 0.9:
        told.insert(0, Told(now, "rated", detail=dice.choice(BANDS)))
    return leads[move], status if move == "ask_researcher" else before, told


@dataclass
class Run:
    """A promise as the oracle sees it: from when, how long, what ended it, and when it stood still."""

    start: int
    promised: int
    done: int | None = None
    stopped: int | None = None
    still: list[int] | None = None

    @property
    def ended(self) -> int | None:
        return self.done if self.done is not None else self.stopped


class Oracle:
    """Reads a history line by line, as somebody would who keeps a card for each promise."""

    def __init__(self, opened: int, promises: Promises) -> None:
        self.opened, self.promises = opened, promises
        self.card: dict[str, Run] = {
            "first_answer": Run(opened, promises.first_answer_hours * HOUR),
            "decision": Run(opened, promises.decision_hours * HOUR),
        }
        self.still: list[int] = []  # when the researcher began to owe an answer, when it came, and so on
        self.is_open, self.exploited, self.reopened = True, 0, opened
        self.confirmed = self.deployed = self.mitigated = self.first_end = self.closed = 0
        self.band = self.band_at_fix = self.band_at_mitigation = self.kind = self.kind_at_fix = ""
        self.withdrawn, self.until, self.published, self.ever_confirmed = False, 0, 0, False

    def read(self, line: Told) -> None:
        self._beside(line)
        name = line.kind.removeprefix("move.")
        if hasattr(self, f"_{name}") and line.kind.startswith("move."):
            getattr(self, f"_{name}")(line.at)
        if line.word:
            self._word(line)

    def _word(self, line: Told) -> None:
        first = self.card["first_answer"]
        if first.ended is None:
            first.done = line.at
        self.card["next_word"] = Run(line.at, self.promises.word_hours * HOUR)
        owed = self.card.get("appeal")
        if owed and owed.done is None and line.kind in ("appeal.upheld", "move.reopen"):
            owed.done = line.at

    def _beside(self, line: Told) -> None:
        if line.kind == "rated":
            self.band = line.detail
        elif line.kind == "fix.kind":
            self.kind = line.detail
        elif line.kind == "exploited":
            self.exploited = self.exploited or line.at
        elif line.kind == "mitigated" and not self.first_end:
            self.mitigated = self.mitigated or self.deployed or line.at
        elif line.kind == "appealed":
            self.card["appeal"] = Run(line.at, self.promises.word_hours * HOUR)
        elif line.kind == "embargo.agreed":
            self.until = int(datetime.fromisoformat(line.detail).timestamp())
        elif line.kind == "embargo.ended":
            until = self.until or self.opened + self.promises.embargo_days * DAY
            self.until = min(until, line.at)
        elif line.kind == "advisory.published":
            self.published = self.published or line.at
        self._remember()

    def _remember(self) -> None:
        """What is known while a promise still runs; what comes to be known after its end does not move it."""
        if not (self.deployed or self.closed):
            self.band_at_fix, self.kind_at_fix = self.band, self.kind
        if not (self.mitigated or self.deployed or self.first_end):
            self.band_at_mitigation = self.band

    def _ask_researcher(self, at: int) -> None:
        self.still.append(at)

    def _go_on(self, at: int) -> None:
        if len(self.still) % 2:
            self.still.append(at)

    _answer = _accept = _go_on

    def _decide(self, at: int) -> None:
        if self.card["decision"].done is None:
            self.card["decision"].done = at

    def _confirm(self, at: int) -> None:
        self._decide(at)
        self.confirmed, self.ever_confirmed = at, True

    def _close(self, at: int) -> None:
        self._go_on(at)
        self._decide(at)
        self.closed = self.closed or at
        self._resolve(at)

    def _withdraw(self, at: int) -> None:
        self._close(at)
        self.closed = 0  # no close by the team: a fix of ours ends by that alone
        first = self.card["first_answer"]
        if first.done is None and first.stopped is None:
            first.stopped = at
        self.withdrawn = True

    def _resolve(self, at: int) -> None:
        self.is_open, self.first_end = False, self.first_end or at

    def _deploy_fix(self, at: int) -> None:
        self.deployed = at

    def _fix_refuted(self, at: int) -> None:
        self.deployed = 0
        self._remember()

    def _reopen(self, at: int) -> None:
        self.is_open, self.reopened, self.withdrawn = True, at, False
        self.card["decision"] = Run(at, self.promises.decision_hours * HOUR)
        self.confirmed = self.deployed = self.mitigated = self.first_end = self.closed = 0
        self.kind = ""
        self._remember()

    def cards(self, at: int) -> dict[str, Run]:
        """Every promise that stands at the end of the history."""
        found = dict(self.card)
        found["decision"].still = self.still
        if "next_word" in found:
            found["next_word"].still = self.still
            if not self.is_open:
                del found["next_word"]
        days = self.promises.kind_days.get(self.kind_at_fix, self.promises.fix_days.get(self.band_at_fix))
        if self.confirmed and days is not None:
            found["fix"] = Run(self.confirmed, days * DAY, self.deployed or None)
            found["fix"].stopped = None if self.deployed else self.closed or None
        if starts := self._mitigations():
            start, promised = min(starts, key=lambda one: one[0] + one[1])
            done = self.mitigated or self.deployed or None
            found["mitigation"] = Run(start, promised, done, None if done else self.first_end or None)
        if self.ever_confirmed and (self.published or not (self.closed or self.withdrawn)):
            until = self.until or self.opened + self.promises.embargo_days * DAY
            found["publication"] = Run(self.opened, max(0, until - self.opened), self.published or None)
        return found

    def _mitigations(self) -> list[tuple[int, int]]:
        starts = []
        if self.exploited:
            starts.append((max(self.exploited, self.reopened), self.promises.exploited_hours * HOUR))
        if self.confirmed and self.band_at_mitigation in ("Critical", "High"):
            starts.append((self.confirmed, self.promises.mitigation_hours * HOUR))
        return starts


def walk(run: Run, table: Table | None, at: int, amount: float) -> tuple[float, int]:
    """(when `amount` has passed, what has passed at the end or now), stretch by stretch along the time line."""
    end = max(at if run.ended is None else run.ended, run.start)
    toggles = [one for one in run.still or [] if one < end]
    here, passed, spent = run.start, 0, 0
    due: float | None = None if amount else here
    while due is None or here < end:
        stands = here < end and bisect_right(toggles, here) % 2 == 1
        edges = [one for one in (*toggles, end) if one > here] + ([table.next_flip(here)] if table else [])
        stop = min(edges, default=here + 400 * DAY)
        if not stands and (table is None or table.counts(here)):
            if due is None and passed + stop - here >= amount:
                due = here + amount - passed
            passed += stop - here
            spent += stop - here if here < end else 0
        here = stop
    return due, spent


def compare(clock: Clock, run: Run, table: Table | None, at: int) -> None:
    due, spent = walk(run, table, at, run.promised)
    warned, _ = walk(run, table, at, run.promised * 0.75)
    ended = run.ended
    owes = ended is None and run.still is not None and len(run.still) % 2 == 1
    told = {
        "started_at": moment(run.start), "promised": timedelta(seconds=run.promised), "due": moment(due),
        "warn_at": moment(warned), "done_at": None if run.done is None else moment(run.done),
        "stopped_at": None if run.stopped is None else moment(run.stopped),
        "late": (at if ended is None else ended) > due,
        "paused_since": moment(run.still[-1]) if owes and run.still else None,
    }  # fmt: skip
    assert {name: getattr(clock, name) for name in told} == told, clock.name
    used = round(clock.fraction * run.promised) if run.promised else spent
    assert used == spent, clock.name
    assert clock.running == (ended is None and not owes)


def random_promises(dice: Random, calendar: Calendar | None) -> Promises:
    names = ("first_answer", "decision", "next_word", "fix")
    return Promises(
        first_answer_hours=dice.choice([0, 4, 24, 48, 72]), decision_hours=dice.choice([24, 120, 240]),
        word_hours=dice.choice([24, 96, 168]), mitigation_hours=dice.choice([24, 168]),
        exploited_hours=dice.choice([4, 72]), embargo_days=dice.choice([7, 30, 90]),
        fix_days={band: dice.choice([1, 4, 14, 40]) for band in BANDS},
        kind_days={kind: dice.choice([2, 12, 40]) for kind in KINDS if dice.random() < 0.7},
        calendar=calendar, working=frozenset(name for name in names if dice.random() < 0.7),
    )  # fmt: skip


def random_opening(dice: Random) -> int:
    if dice.random() < 0.5:  # near a night on which some zone changes its clocks
        turn = int(datetime.fromisoformat(f"{dice.choice(TURNS)}T00:00:00+00:00").timestamp())
        return turn + dice.randrange(-6 * DAY, 2 * DAY)
    return dice.randrange(FIRST + 7 * DAY, int(datetime(2026, 9, 1, tzinfo=UTC).timestamp()))


@pytest.fixture(scope="module")
def calendars() -> list[tuple[Calendar, Table]]:
    return make_calendars(Random(20_261_123))


@pytest.mark.parametrize("share", range(SHARES))
def test_every_clock_of_a_random_history_agrees_with_the_oracle(
    share: int, calendars: list[tuple[Calendar, Table]]
) -> None:
    dice, seen = Random(5_000 + share), set()
    for _ in range(HISTORIES // SHARES):
        calendar, table = dice.choice(calendars) if dice.random() < 0.8 else (None, None)
        opened, promises = random_opening(dice), random_promises(dice, calendar)
        log = history(dice, opened)
        at = dice.choice([log[-1].at, log[-1].at + dice.randrange(20 * DAY), dice.randrange(opened, log[-1].at + 1)])
        oracle = Oracle(opened, promises)
        for line in log:
            if line.at <= at:
                oracle.read(line)
        cards = oracle.cards(at)
        found = {
            clock.name: clock
            for clock in clocks([line.entry(dice) for line in log], opened=moment(opened), at=moment(at),
                                promises=promises)
        }  # fmt: skip
        assert set(found) == set(cards)
        for name, clock in found.items():
            counted = "next_word" if name == "appeal" else name
            compare(clock, cards[name], table if counted in promises.working else None, at)
            seen.add((name, clock.late, clock.done_at is None, clock.paused_since is None, clock.stopped_at is None))
    names = {one[0] for one in seen}
    assert len(names) == 7
    assert all({(name, late) for late in (True, False)} <= {one[:2] for one in seen} for name in names)
    assert any(not one[3] for one in seen)
    assert any(not one[4] for one in seen)


def test_the_oracle_knows_a_day_of_23_hours_and_one_of_25() -> None:
    table = look_at_the_wall_clock("Europe/Berlin", set(range(5)) | {6}, set())
    day = {name: int(datetime.fromisoformat(f"{name}T12:00:00+00:00").timestamp()) for name in TURNS}
    for name, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        begins, ends = next(pair for pair in pairwise(table.flips) if pair[0] <= day[name] < pair[1])
        # Sunday and the working days after it are one stretch: five whole days follow it.
        assert ends - begins == hours * HOUR + 5 * DAY
