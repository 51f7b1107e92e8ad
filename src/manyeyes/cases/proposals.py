"""What a replay of a case would be before anything is spent: the frozen plan, its odds, and what forbids it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from manyeyes.cases.models import Case
from manyeyes.engine import Characteristics, characteristics
from manyeyes.engine.plan import Question
from manyeyes.programs.models import Target, TargetVersion
from manyeyes.programs.targets import permit_of
from manyeyes.replays import queue
from manyeyes.replays.models import Replay
from manyeyes.reproducer.load import ReproducerError, load_text
from manyeyes.reproducer.model import Reproducer
from manyeyes.rules.errors import IllegalMove, Invalid
from manyeyes.rules.permits import may_replay
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.prepare import Options, PrepareError, prepare

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
    document: PlanDocument | None
    odds: Characteristics | None
    most_calls: int
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it may be requested."""
        return self.document is not None and not self.problems

    def expected_trials(self, rate: float) -> float | None:
        """The expected number of scored trials if every trial succeeds with chance `rate` (asked at the planner)."""
        return next((point.expected for point in self.odds.points if point.p == rate), None) if self.odds else None


def reproducer_of(case: Case) -> Reproducer | None:
    """The newest reproducer of the case, or None. What was stored was valid when it came."""
    file = case.reproducers.order_by("-at").first()
    if file is None:
        return None
    try:
        return load_text(file.text, file.name or "reproducer")
    except ReproducerError:
        return None


def make(
    case: Case,
    question: Question,
    *,
    version: TargetVersion | None,
    positive: TargetVersion | None = None,
    mode: str = RUNNER,
    options: Options,
    rates: tuple[float, ...] = (),
) -> Proposal:
    """The proposal for a question about a version of the case's target."""
    reproducer = reproducer_of(case)
    problems = [] if reproducer is not None else [NO_REPRODUCER]
    problems += [] if version is not None else [NO_VERSION]
    document, odds, most, asked = None, None, 0, 0
    if reproducer is not None and version is not None:
        if mode == MANUAL:
            reproducer = _by_hand(reproducer)
        if reproducer.control is None or not options.use_control:
            options = replace(options, margin=0.0)  # there is nothing to stand out from
        targets = {"main": _info(version, mode)} | ({"positive": _info(positive, mode)} if positive else {})
        try:
            document = prepare(reproducer, question, targets=targets, options=options)
        except PrepareError as error:
            problems.append(str(error))
    if document is not None:
        # A simulated plan (with a control) costs time; few runs are enough to say about how long it takes.
        odds = characteristics(document.plan, rates, runs=60)
        asked, most = calls_of(document, odds)
    if mode == RUNNER and reproducer is not None:
        played = reproducer.environment.name if reproducer.environment else ""
        problems += forbidden(
            case.target, effects=reproducer.effects, hazard=reproducer.hazard or "", calls=asked, environment=played
        )
    return Proposal(
        case=case, mode=mode, version=version, positive=positive, document=document, odds=odds, most_calls=most,
        problems=tuple(problems),
    )  # fmt: skip


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


def forbidden(target: Target, *, effects: str, hazard: str = "", calls: int, environment: str = "") -> list[str]:
    """Why the machine may not make these calls to the target today, or not in this environment."""
    if not target.by_machine:
        return [f"{target.name} cannot be reached by machine. Work through the plan by hand."]
    refused = []
    if environment and target.access != Target.Access.HARNESS:
        refused.append(f"The reproducer plays in {environment}; register {target.name} as reached by a harness first.")
    today = queue.calls_today(target)
    return refused + may_replay(
        permit_of(target), effects, hazard, calls=calls, calls_today=today, resets=bool(environment)
    )


def require(proposal: Proposal, label: str) -> PlanDocument:
    """The document of a proposal that may be requested. Raises IllegalMove saying what stands in the way."""
    if proposal.document is None or proposal.problems:
        raise IllegalMove(f"{label} {' '.join(proposal.problems)}", missing=list(proposal.problems))
    return proposal.document


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
