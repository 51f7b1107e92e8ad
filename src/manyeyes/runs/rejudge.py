"""Judges stored answers again by a new rule or judge, and shows what changes; what is on record stays as it is."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

from manyeyes.engine import replay
from manyeyes.engine.plan import Feed, Outcome, Plan
from manyeyes.engine.special import log_betainc
from manyeyes.engine.verdict import Verdict
from manyeyes.plugins.detection import Whole
from manyeyes.plugins.protocols import Ask, Reply, Request, Target, TargetError
from manyeyes.runs.deciding import Judged, decide, recalled
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.judges import check_asked
from manyeyes.runs.labels import first_words
from manyeyes.runs.pacing import Pacing
from manyeyes.runs.resumed import answer_of
from manyeyes.runs.steps import exchange_of
from manyeyes.runs.store import Stored, StoreError, TrialRecord
from manyeyes.runs.throttling import Repeats, Throttling


@dataclass(frozen=True, kw_only=True)
class Again:
    """One answer judged twice. `new` None: a person must say, or the calls were used up."""

    stream: str
    index: int
    cell: str
    old: str | None
    new: str | None
    judged: tuple[Judged, ...] = ()

    @property
    def flipped(self) -> bool:
        """Whether a success became something else, or something else a success."""
        success = str(Outcome.SUCCESS)
        return None not in (self.old, self.new) and (self.old == success) != (self.new == success)


@dataclass(frozen=True, kw_only=True)
class Rejudged:
    """All answers of a run by the old and the new rule. `verdict` None: it would need trials that were not made."""

    plan_hash: str
    old_version: str
    new_version: str
    rule: Mapping[str, Any]
    rows: tuple[Again, ...]
    calls: int
    verdict: Verdict | None = None

    @property
    def gained(self) -> int:
        """Answers that only the new rule calls a success."""
        return sum(one.flipped and one.new == Outcome.SUCCESS for one in self.rows)

    @property
    def lost(self) -> int:
        """Answers that only the old rule called a success."""
        return sum(one.flipped and one.old == Outcome.SUCCESS for one in self.rows)

    @property
    def p_value(self) -> float:
        """The chance of flips so uneven if neither rule called more successes (McNemar's test, exact, two-sided)."""
        return mcnemar(self.gained, self.lost)

    def table(self) -> dict[str, dict[str, int]]:
        """Counts of answers: by the old outcome, then by the new one; `open` where there is none."""
        counts = Counter((one.old or "open", one.new or "open") for one in self.rows)
        words = [*map(str, Outcome), "open"]
        return {old: {new: counts[old, new] for new in words} for old in words}

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a file or a terminal."""
        return {
            "plan_hash": self.plan_hash,
            "old_version": self.old_version,
            "new_version": self.new_version,
            "rule": self.rule,
            "answers": len(self.rows),
            "gained": self.gained,
            "lost": self.lost,
            "p_value": self.p_value,
            "table": self.table(),
            "calls": self.calls,
            "verdict": None if self.verdict is None else self.verdict.to_json(),
            "rows": [asdict(one) for one in self.rows],
        }


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p-value of McNemar's test.

    >>> round(mcnemar(1, 9), 4), mcnemar(0, 0)
    (0.0215, 1.0)
    """
    n, least = gained + lost, min(gained, lost)
    return 1.0 if n == 0 or gained == lost else min(1.0, 2 * exp(log_betainc(0.5, n - least, least + 1)))


@dataclass
class _Asking:
    targets: Mapping[str, Target]
    pacing: Pacing
    most: int | None
    gate: asyncio.Semaphore
    calls: int = 0

    def __post_init__(self) -> None:
        self.throttling = Throttling(self.pacing)

    async def answer(self, one: TrialRecord, ask: Ask) -> tuple[Reply, int, int]:
        """A judge's answer, repeated on errors. Raises TargetUnreachable, and _SpentError where no calls are left."""
        sent = Request(messages=ask.messages, params=ask.params, seed=one.seed, stream=one.stream, index=one.index)
        repeats, attempt = Repeats(ask.role, self.pacing, self.throttling), 0
        while True:
            attempt += 1
            async with self.gate:
                if self.most is not None and self.calls >= self.most:
                    raise _SpentError
                self.calls += 1
                taken = asyncio.get_running_loop().time()
                try:
                    reply = await self.targets[ask.role].ask(replace(sent, attempt=attempt))
                    repeats.answered()
                    return reply, attempt, 0
                except TargetError as error:
                    if error.throttled:
                        self.throttling.asked(ask.role, taken, error.retry_after)
                    wait = repeats.after(error)
            await asyncio.sleep(wait)


class _SpentError(Exception):
    """No calls are left."""


async def rejudge(
    stored: Stored,
    rule: Mapping[str, Any],
    *,
    targets: Mapping[str, Target] | None = None,
    fresh: bool = False,
    concurrency: int = 4,
    max_calls: int | None = None,
    pacing: Pacing | None = None,
) -> Rejudged:
    """Every stored answer to the exploit and its controls by `rule` (as in a reproducer's `success`).

    Judges on record are not asked again where the new rule puts the very same question, unless `fresh` (for a new
    model under the same words). What a person must say is taken from the labels. At most `max_calls` are made; answers
    left over stay open. Raises ValueError for a rule whose judge has no target, StoreError where there is no run, and
    TargetUnreachable where a judge gives no answer.
    """
    document, named = stored.document, targets or {}
    if document is None:
        raise StoreError("there is no run here")
    check_asked({"rule": rule}, {role: TargetInfo() for role in named}, document.hazard)
    whole, words = Whole(rule), first_words(stored.labels)
    asking = _Asking(named, pacing or Pacing(), max_calls, gate=asyncio.Semaphore(concurrency))

    async def again(one: TrialRecord) -> Again:
        exchange = exchange_of(document.requests[one.cell], one)
        kept = recalled(whole, exchange, () if fresh else one.judged)
        judged: tuple[Judged, ...] = ()
        if isinstance(kept, Ask):
            try:
                found = await decide(whole, exchange, lambda ask: asking.answer(one, ask))
            except _SpentError:
                return _row(one, None)
            label = words.get(one.identity)
            new = label.outcome if found.outcome is None and label else found.outcome
            return _row(one, new, found.judged)
        return _row(one, kept, judged)

    wanted = [one for one in stored.trials if document.requests[one.cell].detector.rpartition("/")[2] == "success"]
    rows: list[Again] = []
    for start in range(0, len(wanted), 200):
        rows += await asyncio.gather(*(again(one) for one in wanted[start : start + 200]))
    return Rejudged(
        plan_hash=document.hash,
        old_version=document.detector_versions.get("success", ""),
        new_version=whole.version,
        rule=rule,
        rows=tuple(rows),
        calls=asking.calls,
        verdict=_verdict(document.plan, stored, rows),
    )


def _row(one: TrialRecord, new: str | None, judged: Sequence[Judged] = ()) -> Again:
    said = None if new is None else str(new)
    return Again(stream=one.stream, index=one.index, cell=one.cell, old=one.outcome, new=said, judged=tuple(judged))


def _verdict(plan: Plan, stored: Stored, rows: Sequence[Again]) -> Verdict | None:
    """What the frozen plan says of the new outcomes; None where one is open or another trial would be needed."""
    new = {(one.stream, one.index): one.new for one in rows}
    judged = {(one.stream, one.index): one.judged for one in rows if one.judged}
    outcomes = [(one, new.get(one.identity, one.outcome)) for one in stored.trials]
    answers = [answer_of(one, word, judged=judged.get(one.identity)) for one, word in outcomes if word is not None]
    run = replay(plan)
    next(run)
    try:
        run.send(Feed(answers=answers, room=0))
    except StopIteration as stop:
        verdict: Verdict = stop.value
        return verdict
    run.close()
    return None


def keep(directory: Path, found: Rejudged) -> Path:
    """Writes the second look beside the run, under the new rule's version; nothing that is there is overwritten."""
    number = 1
    while True:
        path = directory / f"rejudged-{found.new_version.rpartition(':')[2][:12]}-{number}.json"
        try:
            with path.open("x", encoding="utf-8") as file:
                json.dump(found.to_json(), file, indent=1)
            path.chmod(0o600)
            return path
        except FileExistsError:
            number += 1
