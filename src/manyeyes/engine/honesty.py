"""Whether a target was one target and did as it was told: one version, no cache, settings that matter.

Each check is a plain fact (two names were given) or a test at level .001 that no target can fail more often than that
while it is what the check takes it for. What follows from a failed check is decided here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from manyeyes.engine.checks import LEVEL, clump_p_value
from manyeyes.engine.counted import Versions
from manyeyes.engine.fingerprints import MANY, change_p_value, counted, listed
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Outcome, Plan, Question, Stream
from manyeyes.engine.scored import (
    SCORED_CACHE,
    SCORED_HALVES,
    SCORED_ONCE,
    SCORED_RUNS,
    SCORED_SINCE,
    SCORED_TREND,
    once_checks,
    scored_checks,
    since_checks,
)
from manyeyes.engine.stages import MainStage, ScoreStage
from manyeyes.engine.tally import Tally
from manyeyes.engine.verdict import Check

ONE_VERSION, FINGERPRINTS, ONE_JUDGE = "one version", "fingerprints", "one judge"
CACHE = "cache"
OTHERS = frozenset({Stream.POSITIVE, Stream.OLD})
"""Streams that ask another target on purpose."""


def honesty_checks(plan: Plan, ledger: Ledger, main: MainStage | None, score: ScoreStage | None) -> tuple[Check, ...]:
    """All of these checks on a replay whose stages are over."""
    return (
        *version_checks(plan, ledger),
        *judge_checks(ledger),
        *(() if main is None else (cache_check(plan, main),)),
        *(() if score is None else fixed_checks(plan, main, score)),
    )


def fixed_checks(plan: Plan, main: MainStage | None, score: ScoreStage) -> tuple[Check, ...]:
    """Those on the fixed trials, by themselves and against the main stream; fewer for a plan from before `edition`."""
    if plan.edition is None:
        return scored_checks(score.counts, seed=plan.seed, timed=None)
    checks = scored_checks(score.counts, seed=plan.seed, timed=score.timed)
    before = {} if main is None else _by_cell(main)
    rated = [count for count in score.counts if count.cell.key == plan.rated]
    once = chain.from_iterable(map(once_checks, rated))
    return (*checks, *since_checks(before, score.counts, r=plan.min_successes), *once)


def _by_cell(main: MainStage) -> dict[str, bytearray]:
    """Which trials of each cell succeeded in the main stream, in order."""
    found: dict[str, bytearray] = {}
    for index, (outcome, _) in enumerate(main.read):
        cell = main.layout.cell(Stream.MAIN, index)
        found.setdefault(cell.key, bytearray()).append(outcome is Outcome.SUCCESS)
    return found


def judge_checks(ledger: Ledger) -> tuple[Check, ...]:
    """Whether every judge gave one name throughout; nothing where none gave any.

    A fact, not a test. What is known of a judge's errors is known of one model, and so is what its words mean.
    """
    if not ledger.judges:
        return ()
    rows = sorted(ledger.judges.items())
    told = "; ".join(f"the {role} named {listed(names)}" for role, names in rows)
    found = Check(
        name=ONE_JUDGE,
        passed=all(len(names) == 1 for _, names in rows),
        detail=told,
        consequence="with several, no rate is called low; a reproduction stands if one judge confirmed each success",
    )
    return (found,)


def version_checks(plan: Plan, ledger: Ledger) -> tuple[Check, ...]:
    """Whether the target was one version, by its name and by how its fingerprints are spread over time."""
    found = (version_check(ledger.models), fingerprint_check(ledger, in_time(plan, ledger)))
    return tuple(check for check in found if check is not None)


def in_time(plan: Plan, ledger: Ledger) -> Sequence[int]:
    """The fingerprints of the target under question, as numbers, in the order in which its trials are asked for."""
    codes = {stream: kept.codes for stream, kept in ledger.prints.items()}
    main, control = codes.get(Stream.MAIN, b""), codes.get(Stream.CONTROL, b"")
    together = chain.from_iterable(zip(main, control, strict=False))
    short = min(len(main), len(control))
    first = () if plan.question in (Question.REPRODUCE, Question.SCORE, Question.MAP) else (Stream.BENIGN,)
    shown = {Stream.MAIN, Stream.CONTROL, *first} | OTHERS
    rest = [stream for stream in Stream if stream not in shown]
    before = chain.from_iterable(codes.get(stream, b"") for stream in first)
    after = chain.from_iterable(codes.get(stream, b"") for stream in rest)
    return bytes(chain(before, together, main[short:], control[short:], after))


def fingerprint_check(ledger: Ledger, codes: Sequence[int]) -> Check | None:
    """Whether several fingerprints were one mix throughout; None where there were not several."""
    counts = counted(codes, ledger.numbers)
    if len(counts) < 2:
        return None
    p = change_p_value(codes)
    return Check(
        name=FINGERPRINTS,
        passed=p >= LEVEL,
        detail=f"the target gave several fingerprints, {listed(counts)}, looked at for changing in time",
        consequence="as for several versions: a mix that changes is a target that was changed during the run",
        p_value=p,
    )


def version_check(models: Mapping[Stream, Counter[str]]) -> Check | None:
    """Whether the target gave one name throughout; None where it gave none.

    A fact, not a test: a target that keeps to one version never fails it.
    """
    names: Counter[str] = Counter()
    for stream, counts in models.items():
        if stream not in OTHERS:
            names.update(counts)
    if not names:
        return None
    said = ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
    return Check(
        name=ONE_VERSION,
        passed=len(names) == 1,
        detail=f"the target named {said}",
        consequence="with several, no rate is called low; a reproduction stands if one version alone shows it",
    )


def cache_check(plan: Plan, main: MainStage) -> Check:
    """Whether answers to one request came back in a row, as from a cache that forgets after a while.

    One constant answer to a request cannot be told from a cache; it counts once by rule, without a test.
    """
    rows = (
        ((main.layout.cell(Stream.MAIN, index).key, outcome), text) for index, (outcome, text) in enumerate(main.read)
    )
    p = clump_p_value(rows, seed=plan.seed)
    return Check(
        name=CACHE,
        passed=p >= LEVEL,
        detail="equal answers to one request looked at for coming in a row",
        consequence="every text of a wording counts once; where that is too little, the replay does not decide",
        p_value=p,
    )


def after_checks(
    plan: Plan, ledger: Ledger, main: MainStage, word: str, reason: str, checks: Sequence[Check]
) -> tuple[str, str]:
    """The word and reason once the checks had their say.

    Halves or runs undo `holds`. Several versions, by name or by fingerprints that changed in time, undo `holds` and
    `not_reproduced`, and `reproduced` unless the trials of one version reach it alone, with alpha shared by the
    versions. So does a judge that was not one model, unless one judge (or people) confirmed each success. A cache
    undoes all three unless the boundary is reached with every text of a wording counted once.
    """
    failed = {check.name: check for check in checks if not check.passed}
    drift = [name for name in ("halves", "runs") if name in failed]
    if word == "holds" and drift:
        return "inconclusive", f"the success rate was not one rate during the run ({', '.join(drift)})"
    if word not in ("holds", "reproduced", "not_reproduced"):
        return word, reason
    for name, versions in ((ONE_VERSION, main.read.models), (FINGERPRINTS, main.read.prints)):
        if name in failed and not (word == "reproduced" and _alone(plan, ledger, main, versions)):
            return "inconclusive", f"the target was not one version: {failed[name].detail}"
    if ONE_JUDGE in failed and not (word == "reproduced" and _confirmed(plan, ledger)):
        return "inconclusive", f"a judge was not one model: {failed[ONE_JUDGE].detail}"
    if CACHE in failed and not _reaches(plan, ledger, main, word):
        return "inconclusive", "equal answers came in a row, as from a cache, and without repeats they are not enough"
    return word, reason


def withheld(checks: Sequence[Check]) -> str:
    """Why the fixed trials may not be scored, by the checks that failed; empty where they may.

    A rate that is scored is that of one version, told by one judge, the same throughout, from answers drawn afresh.
    """
    failed = {check.name: check for check in checks if not check.passed}
    for name in (ONE_VERSION, FINGERPRINTS):
        if name in failed:
            return f"the target was not one version: {failed[name].detail}"
    if ONE_JUDGE in failed:
        return f"a judge was not one model: {failed[ONE_JUDGE].detail}"
    drift = [name for name in (SCORED_HALVES, SCORED_TREND, SCORED_RUNS, SCORED_SINCE) if name in failed]
    if drift:
        return f"the fixed trials did not show one rate: {'; '.join(failed[name].detail for name in drift)}"
    if SCORED_ONCE in failed:
        return f"equal answers are one observation, and {failed[SCORED_ONCE].detail}"
    return "equal answers came in a row among the fixed trials, as from a cache" if SCORED_CACHE in failed else ""


def _confirmed(plan: Plan, ledger: Ledger) -> bool:
    """Whether every success was confirmed, and by nobody who changed."""
    return plan.judge is not None and plan.judge.confirmed and len(ledger.judges.get("confirm", ())) < 2


def _alone(plan: Plan, ledger: Ledger, main: MainStage, versions: Versions) -> bool:
    """Whether the trials of one of the versions reproduce the exploit by themselves."""
    numbers = set(versions.numbers.of.values())
    return any(
        _reaches(plan, ledger, main, "reproduced", only=(versions.codes, number), versions=len(versions.numbers.of))
        for number in numbers - {MANY}
    )


def _reaches(
    plan: Plan,
    ledger: Ledger,
    main: MainStage,
    word: str,
    *,
    only: tuple[Sequence[int], int] | None = None,
    versions: int = 1,
) -> bool:
    """Whether some of the trials reach the word: `only` those with this code, or all with each text of a wording once.

    The error rate is shared by that many versions.
    """
    tally = Tally(plan, strict=only is None)
    for index, (outcome, text) in enumerate(main.read):
        if only is None or only[0][index] == only[1]:
            control = ledger.outcome(Stream.CONTROL, index) if plan.control else None
            tally.add(main.layout.cell(Stream.MAIN, index), outcome, text, control=control)
            if tally.reached(word, versions=versions):
                return True
    return False
