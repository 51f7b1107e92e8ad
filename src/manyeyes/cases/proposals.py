"""What a replay of a case would be before anything is spent: the frozen plan, its odds, and what forbids it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from manyeyes.cases import judging, tryout
from manyeyes.cases.models import Case
from manyeyes.cases.moves import acting
from manyeyes.engine import Characteristics, characteristics
from manyeyes.engine.plan import Question
from manyeyes.programs.models import Target, TargetVersion
from manyeyes.programs.targets import permit_of, price_of
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules.errors import IllegalMove, Invalid
from manyeyes.rules.lifecycle import TRIAGERS, Role
from manyeyes.rules.permits import Refusal, Why, kinds, may_replay
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.estimate import tokens
from manyeyes.runs.prepare import Options, PrepareError, prepare

ASKERS = frozenset(TRIAGERS | {Role.TARGET_OWNER})
"""Who may ask for a replay."""
RUNNER, MANUAL = str(Replay.Mode.RUNNER), str(Replay.Mode.MANUAL)
NO_REPRODUCER = "There is no reproducer yet. Attach one, or ask the researcher for it."
NO_VERSION = "There is no version of the target to test. Ask the target owner to register one."


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A replay that could be requested. With `problems` it cannot; they say why, one sentence each."""

    case: Case
    mode: str
    version: TargetVersion | None
    positive: TargetVersion | None
    judge: TargetVersion | None
    asks_judge: bool
    document: PlanDocument | None
    odds: Characteristics | None
    most_calls: int
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it may be requested."""
        return self.document is not None and not self.problems

    @property
    def most_cost(self) -> float | None:
        """The most it can cost, from estimated tokens, and never more than its cap; None where no price is known."""
        if self.document is None or self.document.price is None:
            return None
        into, out = tokens(self.document)
        estimated = self.document.price.cost(round(self.most_calls * into), round(self.most_calls * out))
        cap = self.document.caps.max_cost
        return estimated if cap is None else min(cap, estimated)

    def expected_trials(self, rate: float) -> float | None:
        """The expected number of scored trials if every trial succeeds with chance `rate` (asked at the planner)."""
        return next((point.expected for point in self.odds.points if point.p == rate), None) if self.odds else None


def reproducer_of(case: Case) -> Reproducer | None:
    """The newest reproducer of the case, or None. What was stored was valid when it came."""
    return tryout.read(case.reproducers.order_by("-at").first())


def make(
    case: Case,
    question: Question,
    *,
    version: TargetVersion | None,
    positive: TargetVersion | None = None,
    judge: TargetVersion | None = None,
    mode: str = RUNNER,
    options: Options,
    rates: tuple[float, ...] = (),
) -> Proposal:
    """The proposal for a question about a version of the case's target; `judge` answers where a rule asks a model."""
    reproducer = reproducer_of(case)
    if reproducer is not None and mode == MANUAL:
        reproducer = _by_hand(reproducer)
    asks_judge = mode == RUNNER and judging.asks(reproducer)
    judge = (judge or judging.before(case)) if asks_judge else None
    problems: list[str] = [] if reproducer is not None else [NO_REPRODUCER]
    problems += [] if version is not None else [NO_VERSION]
    document, odds, most, asked = None, None, 0, 0
    if reproducer is not None and version is not None and (judge or not asks_judge):
        try:
            document = _document(reproducer, question, version, positive, judge, mode, options)
        except PrepareError as error:
            problems.append(str(error))
    if document is not None:
        # A simulated plan (with a control) costs time; few runs are enough to say about how long it takes.
        odds = characteristics(document.plan, rates, runs=60)
        asked, most = calls_of(document, odds)
    if mode == RUNNER and reproducer is not None:
        played = reproducer.environment.name if reproducer.environment else ""
        problems += forbidden(
            case, effects=reproducer.effects, hazard=reproducer.hazard or "", calls=asked, environment=played
        )
        problems += judging.problems(case, reproducer, judge)
    return Proposal(
        case=case, mode=mode, version=version, positive=positive, judge=judge, asks_judge=asks_judge,
        document=document, odds=odds, most_calls=most, problems=tuple(problems),
    )  # fmt: skip


def _document(
    reproducer: Reproducer, question: Question, version: TargetVersion, positive: TargetVersion | None,
    judge: TargetVersion | None, mode: str, options: Options,
) -> PlanDocument:  # fmt: skip
    """The frozen plan. Raises PrepareError."""
    if mode == RUNNER and options.price is None:
        options = replace(options, price=price_of(version))
    if reproducer.control is None or not options.use_control:
        options = replace(options, margin=0.0)  # there is nothing to stand out from
    targets = {"main": _info(version, mode)} | ({"positive": _info(positive, mode)} if positive else {})
    if judge is not None:
        targets, options = targets | {"judge": _info(judge, mode)}, judging.told(options, judge)
    return prepare(reproducer, question, targets=targets, options=options)


def calls_of(document: PlanDocument, odds: Characteristics) -> tuple[int, int]:
    """The calls that the longest run takes at least, and the most that it can take."""
    per_look = 2 if document.plan.control else 1
    trials = odds.most * per_look + odds.side + odds.score + odds.attribute
    least, many = document.calls_per_trial
    most = min(trials * many, document.caps.max_calls or trials * many)
    return min(trials * least, most), most


def mode_of(case: Case) -> str:
    """How trials are made where nobody chose: by the worker if it can reach the target, else by hand."""
    return RUNNER if case.target.by_machine else MANUAL


def forbidden(case: Case, *, effects: str, hazard: str = "", calls: int, environment: str = "") -> list[Refusal]:
    """Why the machine may not make these calls to the case's target today, or not in this environment.

    The hazard class that people gave the case counts beside that of its reproducer.
    """
    target = case.target
    if not target.by_machine:
        by_hand = f"{target.name} cannot be reached by machine. Work through the plan by hand."
        return [Refusal(Why.PERMIT, by_hand)]
    refused = []
    if environment and target.access != Target.Access.HARNESS:
        first = f"The reproducer plays in {environment}; register {target.name} as reached by a harness first."
        refused.append(Refusal(Why.PERMIT, first))
    today = queue.calls_today(target)
    return refused + may_replay(
        permit_of(target), effects, hazard, also=case.hazard, calls=calls, calls_today=today, resets=bool(environment)
    )


def require(proposal: Proposal, label: str, *, by: Any) -> PlanDocument:
    """The document of a proposal that may be requested. Raises IllegalMove saying what stands in the way.

    That somebody asked for what the permit forbids is put on record, with the kinds of what forbids it.
    """
    if proposal.document is None or proposal.problems:
        refuse(proposal.case, proposal.problems, by=by)
        raise IllegalMove(f"{label} {' '.join(proposal.problems)}", missing=list(proposal.problems))
    return proposal.document


def refuse(case: Case, problems: Iterable[str], *, by: Any) -> None:
    """Put a refusal by the permit on record; what is only missing from the case is none. Raises NotAllowed."""
    why = kinds(problems)
    if why:
        with acting(case, "replay.refused", by=by, allowed=ASKERS, why=why):
            pass


def seeded(options: Options, request_id: uuid.UUID) -> Options:
    """The options with a seed that belongs to this request: asking again with the same id gives the same plan."""
    return replace(options, seed=request_id.int % 2**31) if options.seed == 0 else options


def chosen(options: Options, **changes: Any) -> Options:
    """The options with what was chosen in a form. Raises Invalid for numbers that make no plan."""
    wrong: dict[str, str] = {}
    for name in ("p_min", "tau"):
        if name in changes and not 0 < changes[name] < 1:
            wrong[name] = "Give a rate between 0 and 100 %."
    for name in ("cap", "rated_n", "setting_n", "benign_n", "positive_n", "per_family"):
        if changes.get(name) is not None and not 1 <= changes[name] <= 100_000:
            wrong[name] = "Give a whole number of at least 1."
    if wrong:
        raise Invalid(wrong)
    return replace(options, **changes)


def _info(version: TargetVersion, mode: str) -> TargetInfo:
    if mode == MANUAL:
        return TargetInfo(kind="manual", label=version.label)
    return TargetInfo(url=version.endpoint_url, model=version.model, label=version.label)


def _by_hand(reproducer: Reproducer) -> Reproducer:
    """Only the rated setting: nobody ticks through a grid."""
    rated = reproducer.rated_setting()
    values: Mapping[str, Any] = {"settings": [rated], "control": None}
    return reproducer.model_copy(update=dict(values))
