"""Scores an evidence bundle again, offline: signature, hashes, plan, answers by detectors, outcomes by the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from manyeyes.engine import replay
from manyeyes.engine.plan import REPORTED, Answer, Feed, Plan, Stream, Trial
from manyeyes.engine.verdict import Verdict
from manyeyes.plugins.detection import Whole
from manyeyes.plugins.protocols import Ask, Exchange
from manyeyes.runs.bundle import TRIALS, VERDICT, BundleError
from manyeyes.runs.deciding import recalled
from manyeyes.runs.differing import Difference, differing
from manyeyes.runs.document import CellRequest, PlanDocument
from manyeyes.runs.honoured import NOTICED, Honoured
from manyeyes.runs.opening import LARGEST, Opened, opened
from manyeyes.runs.recounting import HERE_ONLY, bill, built_anew
from manyeyes.runs.resumed import answer_of
from manyeyes.runs.sending import ROLES, Sendings
from manyeyes.runs.signing import plain
from manyeyes.runs.steps import digest, exchange_of
from manyeyes.runs.store import TrialRecord

MOST = 10_000_000
"""Trials of a plan that a stranger's bundle may name, so that its arithmetic stays within memory."""
SHOWN = 20
BY_HAND = "manual"
DECIDING = ("runner", BY_HAND, "researcher")
_BROKEN = (ValueError, KeyError, TypeError, ArithmeticError, IndexError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class BundleReport:
    """What looking into a bundle came to.

    `intact`: the signature fits, no file was changed and the signer is the one expected. `identical`: scoring again
    gives the verdict on record, the detectors say of every stored answer what the record says, and what was sent is
    what the plan has to send. `sent_checked` and `sent_unchecked` count the trials of which that can be told, or not;
    `asked_checked` and `asked_unchecked` the questions to judges. `command` is what the maker says they typed.
    `differences` are the first of `differing`, those of the result before those of single trials. `result` is the one
    on record, `rebuilt` the one that the outcomes give here; empty where they give none.
    """

    signer: str
    intact: bool
    identical: bool
    question: str
    verdict: str
    rescored: str | None
    plan_hash: str
    title: str
    trials: int
    with_text: int
    judged_again: int
    sent_checked: int = 0
    sent_unchecked: int = 0
    asked_checked: int = 0
    asked_unchecked: int = 0
    by_hand: bool = False
    command: str = ""
    problems: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    differing: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)
    rebuilt: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the bundle is what it says: intact, and identical when scored again."""
        return self.intact and self.identical

    @property
    def by_machine(self) -> bool:
        """Whether anything that was sent or said was checked here; else all rests on the word of the signer."""
        return bool(self.judged_again or self.sent_checked)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {**asdict(self), "ok": self.ok, "by_machine": self.by_machine}


def verify_bundle(bundle: bytes | Path, *, signer: str | None = None, largest: int = LARGEST) -> BundleReport:
    """Looks at everything in a bundle and scores it again; nothing is fetched and nothing is sent.

    `signer` is the fingerprint that must have signed (ValueError where it is no fingerprint); without it any key's
    signature will do, which shows that nothing was changed since, not who made it. Raises BundleError for what is no
    bundle or passes a limit. The engine works as long as the plan in the bundle makes it: give a bundle of a stranger
    to a process with a time limit.
    """
    wanted = None if signer is None else plain(signer)
    held, file = opened(bundle, largest=largest)
    with file:
        found = held.signer()
        problems = [] if found.genuine else ["the signature does not fit the manifest"]
        if wanted is not None and plain(found.fingerprint) != wanted:
            problems.append(f"signed by {found.fingerprint}, not by the expected {signer}")
        problems += held.altered()
        return _scored(held, found.fingerprint, problems)


def _scored(held: Opened, signer: str, problems: list[str]) -> BundleReport:
    document, recorded = held.document(), held.result()
    looked = _Looked(document, origin=str(recorded.get("origin", "runner")))
    trials = list(looked.over(held.trials()))
    verdict, more = rescored(document, trials)
    rebuilt, changed = _compared(document, trials, verdict, recorded, looked) if verdict is not None else ({}, [])
    differences = [*_hashes(held, document, recorded), *changed, *bill(recorded, trials), *more, *looked.differences]
    return BundleReport(
        signer=signer,
        intact=not problems,
        identical=not differences,
        question=str(document.plan.question),
        verdict=str(recorded.get("verdict")),
        rescored=None if verdict is None else verdict.verdict,
        plan_hash=document.hash,
        title=document.title,
        trials=len(trials),
        with_text=looked.with_text,
        judged_again=looked.judged,
        sent_checked=looked.sendings.checked,
        sent_unchecked=looked.sendings.unchecked,
        asked_checked=looked.sendings.asked,
        asked_unchecked=looked.sendings.unasked,
        by_hand=bool(trials) and all(one.origin == BY_HAND for one in trials),
        command=held.command(),
        problems=tuple(problems),
        differences=tuple(differences[:SHOWN]),
        differing=len(differences),
        result=recorded,
        rebuilt=rebuilt,
    )


def rescored(document: PlanDocument, trials: Sequence[TrialRecord]) -> tuple[Verdict | None, list[Difference]]:
    """The verdict that the engine gives for these outcomes, and what of the trials is not as the plan says."""
    try:
        _bounded(document.plan)
        verdict = _fed(document.plan, trials)
        return verdict, list(_planned(document.plan, trials))
    except _BROKEN as error:
        said = f"{type(error).__name__}: {error}"[:300]
        return None, [Difference(what=TRIALS, on_record="trials of this plan", found=f"the plan refuses them: {said}")]


def _bounded(plan: Plan) -> None:
    arms = [arm.end for arm in (plan.benign, plan.positive) if arm is not None]
    arms += [plan.sweep.cap * len(plan.sweep.items)] if plan.sweep else []
    arms += [plan.worst.score_n] if plan.worst else []
    rounds = [rule.round for rule in (plan.sweep, plan.worst) if rule is not None]
    if not all(isinstance(size, int) and size > 0 for size in rounds):
        raise ValueError("a round has no trial, so that it would never end")
    parts = 2 * plan.most_of(REPORTED) * len(plan.cells)
    total = sum((plan.cap, plan.control_n, parts, *arms, *(one.n for one in plan.score)))
    if not 0 <= total <= MOST:
        raise ValueError(f"the plan has {total} trials; at most {MOST} are scored again")


def _fed(plan: Plan, trials: Sequence[TrialRecord]) -> Verdict:
    engine = replay(plan)
    next(engine)
    try:
        engine.send(Feed(answers=[answer_of(one, one.outcome) for one in trials if one.outcome is not None], room=0))
    except StopIteration as stop:
        verdict: Verdict = stop.value
        return verdict
    raise ValueError("the outcomes on record do not reach a verdict")


def _planned(plan: Plan, trials: Sequence[TrialRecord]) -> Iterator[Difference]:
    """Each trial on record against the one that the plan hands out in its place: same cell, same seed."""
    left = {(one.stream, one.index): one for one in trials}
    engine = replay(plan)
    batch = next(engine)
    answers: list[Answer] = []
    while True:
        try:
            batch = engine.send(Feed(answers=answers, room=256))
        except StopIteration:
            return
        known = [(trial, one) for trial in batch.trials if (one := left.pop((str(trial.stream), trial.index), None))]
        yield from (found for trial, one in known if (found := _otherwise(trial, one)))
        if not known:
            return
        answers = [answer_of(one, one.outcome) for _, one in known if one.outcome is not None]


def _otherwise(trial: Trial, one: TrialRecord) -> Difference | None:
    if (trial.cell, trial.seed) == (one.cell, one.seed):
        return None
    return Difference(
        what=f"trial {one.stream} {one.index}",
        on_record=f"{one.cell}, seed {one.seed}",
        found=f"the plan says {trial.cell}, seed {trial.seed}",
    )


class _Looked:
    """Looks at every trial by itself: its digest, its origin, and what the detector says of its answer."""

    def __init__(self, document: PlanDocument, *, origin: str) -> None:
        self.document, self.origin = document, origin
        self.differences: list[Difference] = []
        self.honoured: tuple[Honoured, ...] = ()
        try:
            self.honoured = (Honoured(document), Honoured(document))
        except _BROKEN as error:
            self._found("settings", "settings that can be read", f"{type(error).__name__}: {error}"[:300])
        self.with_text = self.judged = 0
        self.sendings = Sendings(document)
        self.seen: set[tuple[str, int]] = set()
        self.rules: dict[str, Whole] = {}
        for name, rule in document.detectors.items():
            self._build(name, rule)

    def _build(self, name: str, rule: Mapping[str, Any]) -> None:
        try:
            made = Whole(rule)
        except _BROKEN as error:
            self._found(f"success rule {name}", "a rule that can be run", f"{type(error).__name__}: {error}"[:300])
            return
        wanted = self.document.detector_versions.get(name)
        if wanted in (None, made.version):
            self.rules[name] = made
        else:
            self._found(f"success rule {name}", f"version {wanted}", f"here it is version {made.version}")

    def over(self, trials: Iterator[TrialRecord]) -> Iterator[TrialRecord]:
        """Gives each trial on without its texts, which only the detectors need."""
        for one in trials:
            self._look(one)
            for counting in self.honoured[one.overrun :]:
                counting.add(one)
            one.answer = one.sent = ""
            one.steps = one.tool_calls = ()
            one.observations = {}
            yield one

    def _look(self, one: TrialRecord) -> None:
        name = f"trial {one.stream} {one.index}"
        if (one.stream, one.index) in self.seen:
            raise BundleError(f"{TRIALS}: {name} is there twice")
        self.seen.add((one.stream, one.index))
        if one.origin not in DECIDING:
            self._found(name, f"origin {one.origin}", "only trials that were planned beforehand decide a verdict")
        elif one.origin != self.origin:
            self._found(name, f"origin {one.origin}", f"the result speaks of trials of origin {self.origin}")
        elif one.origin == BY_HAND and self._for_machine(one):
            self._found(name, f"origin {one.origin}", "the plan names a target that is asked by machine")
        request = self.document.requests.get(one.cell, CellRequest(messages=()))
        try:
            exchange = exchange_of(request, one)
            self._read(name, one, exchange, self.rules.get(request.detector))
        except _BROKEN as error:
            self._found(name, "a trial that can be read", f"{type(error).__name__}: {error}"[:300])

    def _for_machine(self, one: TrialRecord) -> bool:
        """Whether the plan has this trial sent by a machine, so that nobody may tick it."""
        info = self.document.targets.get(ROLES.get(Stream(one.stream), "main"))
        return info is not None and info.kind != BY_HAND

    def _read(self, name: str, one: TrialRecord, exchange: Exchange, rule: Whole | None) -> None:
        found = digest(exchange)
        if not one.answer and not one.steps and not one.tool_calls and found != one.digest:
            return  # the text was left out
        self.with_text += 1
        if found != one.digest and one.digest is not None:
            self._found(name, f"digest {one.digest}", f"the answer's digest is {found}")
        if otherwise := self.sendings.otherwise(one):
            self._found(f"{name}: what was sent", one.sent[:120], otherwise)
        if one.origin == "runner" and rule is not None:
            self._judge(name, one, exchange, rule)

    def _judge(self, name: str, one: TrialRecord, exchange: Exchange, rule: Whole) -> None:
        """The rule on the stored answer, with what judges said of it on record; a person's word stands as it is."""
        if otherwise := self.sendings.judges_otherwise(one, exchange, rule):
            self._found(f"{name}: what a judge was asked", "another question", otherwise)
        said = recalled(rule, exchange, one.judged)
        if isinstance(said, Ask):
            return
        self.judged += 1
        if str(said) != one.outcome:
            self._found(name, f"outcome {one.outcome}", f"the success rule says {said} of the stored answer")
            # Scored again is what the answers are, not what the file says of them; a missing outcome stays missing.
            one.outcome = str(said) if one.outcome is not None else None

    def noticed(self, recorded: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The checks that a run makes on all that came: as on record where late answers can have made them so."""
        said = {row["name"]: row for row in recorded["checks"] if row["name"] in NOTICED}
        sure, most = ({row["name"]: row for row in one.checks()} for one in self.honoured)
        rows: list[Mapping[str, Any]] = []
        for name, row in most.items():
            least = sure.get(name, row)
            kept = said.get(name, sure.get(name))
            if kept is not None:
                fits = kept["passed"] in (least["passed"], row["passed"])
                rows.append({**row, "detail": kept["detail"], "passed": kept["passed"]} if fits else least)
        return rows

    def _found(self, what: str, on_record: str, found: str) -> None:
        self.differences.append(Difference(what=what, on_record=on_record, found=found))


def _hashes(held: Opened, document: PlanDocument, recorded: Mapping[str, Any]) -> Iterator[Difference]:
    named = {VERDICT: str(recorded.get("plan_hash")), "manifest.json": str(held.manifest.get("plan_hash"))}
    for wrong in dict.fromkeys(one for one in named.values() if one != document.hash):
        where = " and ".join(file for file, one in named.items() if one == wrong)
        yield Difference(what=f"plan hash in {where}", on_record=wrong, found=document.hash)
    if held.manifest.get("verdict") != recorded.get("verdict"):
        yield Difference(
            what="verdict in manifest.json",
            on_record=str(held.manifest.get("verdict")),
            found=str(recorded.get("verdict")),
        )


def _compared(
    document: PlanDocument,
    trials: Sequence[TrialRecord],
    verdict: Verdict,
    recorded: Mapping[str, Any],
    looked: _Looked,
) -> tuple[Mapping[str, Any], list[Difference]]:
    """The result built anew, and the whole of the one on record against it."""
    try:
        again = built_anew(document, trials, verdict, recorded)
        again["checks"] += looked.noticed(recorded)
        names = sorted({*recorded, *again} - HERE_ONLY - {"plan_hash"})  # `_hashes` tells that one
        return again, [found for name in names for found in differing(name, recorded.get(name), again.get(name))]
    except _BROKEN as error:
        said = f"{type(error).__name__}: {error}"[:300]
        return {}, [Difference(what=VERDICT, on_record="a result that can be read", found=said)]
