"""Builds the result of a bundle anew from its verdict and its trials, and holds its bill against what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from manyeyes.engine.plan import Outcome, Stream
from manyeyes.engine.verdict import Verdict
from manyeyes.runs.differing import Difference
from manyeyes.runs.document import PlanDocument
from manyeyes.runs.result import RunResult
from manyeyes.runs.store import TrialRecord

HERE_ONLY = frozenset({"calls", "overrun", "asked", "tokens", "cost", "seconds", "out", "origin"})
"""Entries of a result that the run alone knows: its bill, and what came late."""


def built_anew(
    document: PlanDocument, trials: Sequence[TrialRecord], verdict: Verdict, recorded: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole result built anew; what only the run knew is taken from the record."""
    counts: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for one in trials:
        if one.stream in (Stream.MAIN, Stream.ATTRIBUTE) and not one.overrun:
            counts[one.cell] += 1
            hits[one.cell] += one.outcome == Outcome.SUCCESS
    named = [one for one in trials if one.model and one.stream != Stream.POSITIVE]
    seen: Mapping[str, int] = Counter(str(one.model) for one in named if not one.overrun)
    most = Counter(str(one.model) for one in named)
    claimed = (recorded.get("target") or {}).get("models_seen") or {}
    if all(seen.get(name, 0) <= claimed.get(name, 0) <= most[name] for name in {*claimed, *most}):
        seen = claimed  # late answers may or may not be among them
    result = RunResult(
        document=document,
        verdict=verdict,
        calls=0,
        tokens_in=0,
        tokens_out=0,
        cost=None,
        seconds=0.0,
        overrun=0,
        models=seen,
        cells={cell: (n, hits[cell]) for cell, n in counts.items()},
    )
    return {**result.to_json(), **{name: value for name, value in recorded.items() if name in HERE_ONLY}}


def bill(recorded: Mapping[str, Any], trials: Sequence[TrialRecord]) -> Iterator[Difference]:
    """The bill that only the run knows, held against the least that the trials on record have cost."""
    tokens = recorded.get("tokens")
    tokens = tokens if isinstance(tokens, dict) else {}
    least = {
        "calls": (recorded.get("calls"), len(trials)),
        "tokens.in": (tokens.get("in"), sum(one.tokens_in or 0 for one in trials)),
        "tokens.out": (tokens.get("out"), sum(one.tokens_out or 0 for one in trials)),
        "overrun": (recorded.get("overrun"), 0),
        "seconds": (recorded.get("seconds"), 0),
    }
    for name, (said, needed) in least.items():
        if not isinstance(said, int | float) or said < needed:
            yield Difference(what=name, on_record=str(said)[:120], found=f"the trials on record took at least {needed}")
