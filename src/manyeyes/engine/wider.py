"""Replays that ask about more than one rate: the worst setting, two versions, many closed exploits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from manyeyes.engine.build import arm_checks, arm_result, dead
from manyeyes.engine.comparison import CompareStage, PairLayout
from manyeyes.engine.fingerprints import Prints
from manyeyes.engine.grid import FreshStage, GridLayout
from manyeyes.engine.honesty import (
    FINGERPRINTS,
    ONE_VERSION,
    fingerprint_check,
    judge_checks,
    version_check,
    version_checks,
)
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.plan import Batch, Plan, Progress, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.search import SearchStage
from manyeyes.engine.stages import ArmCount, ArmsStage
from manyeyes.engine.sweep import SweepLayout, SweepStage
from manyeyes.engine.verdict import Check, Verdict

WIDER = (Question.MAP, Question.COMPARE, Question.SWEEP)
"""The questions of this module."""

_LAYOUTS: dict[Question, type[Layout]] = {
    Question.MAP: GridLayout,
    Question.COMPARE: PairLayout,
    Question.SWEEP: SweepLayout,
}


def layout_of(plan: Plan) -> Layout:
    """The layout of any plan. ValueError where a plan lacks the rule of its question."""
    return _LAYOUTS.get(plan.question, Layout)(plan)


Stage = ArmsStage | SearchStage | CompareStage | SweepStage | FreshStage


def _several(word: str) -> dict[str, str]:
    """What becomes of a word when a target was not one version throughout, or a judge not one model."""
    if word == "regressed":
        return {}
    reason = "a target or a judge changed its name, or its fingerprints, during the run, so it was not one version"
    changed = {"reason": reason} | ({"certificate": "none"} if word in ("found", "budget") else {})
    return changed if word == "budget" else changed | {"verdict": "inconclusive"}


class WiderRun:
    """One such replay in progress: arms with a need first, then the question, then what is only described."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.layout = plan, layout_of(plan)
        self.ledger = Ledger(self.layout)
        self.arms = [ArmCount(stream, arm) for stream, arm in self.layout.arms()]
        self.gate = ArmsStage([count for count in self.arms if count.arm.need is not None])
        self.question = self._question()
        self.later = ArmsStage([count for count in self.arms if count.arm.need is None])
        self.fresh: FreshStage | None = None
        self.stage: Stage | None = self.gate

    def _question(self) -> SearchStage | CompareStage | SweepStage:
        if isinstance(self.layout, GridLayout):
            return SearchStage(self.plan, self.layout)
        if isinstance(self.layout, SweepLayout):
            return SweepStage(self.plan, self.layout)
        return CompareStage(self.plan, self.layout)

    def settle(self) -> Verdict | None:
        """Read everything on record; the verdict when the last stage is over."""
        while self.stage is not None:
            if not self.stage.advance(self.ledger):
                return None
            self.stage = self._next()
        return self._verdict()

    def _next(self) -> Stage | None:
        if self.stage is self.gate:
            return None if self.gate.failed is not None else self.question
        if self.stage is self.question and isinstance(self.question, SearchStage):
            self.fresh = self.question.fresh()
            return self.fresh or self.later
        return None if self.stage is self.later else self.later

    def batch(self, room: int, *, look: bool = True) -> Batch:
        """Up to `room` trials of the stage the replay is in, with its progress."""
        trials = self.ledger.hand_out(iter(self.stage.wanted()), room) if self.stage is not None else ()
        return Batch(trials=trials, progress=self.progress(look=look))

    def progress(self, *, look: bool = True) -> Progress:
        """Where the replay stands, for people to look at; without `look` as far as counts go."""
        question = self.question
        low, high = question.interval() if look else (0.0, 1.0)
        return Progress(
            phase=self.stage.phase if self.stage else "done",
            n=question.n,
            k=question.k,
            low=low,
            high=high,
            evalues=question.evalues() if look else {},
            threshold=question.threshold,
            asked=self.ledger.asked,
            cap=self.layout.limit(Stream.MAIN),
        )

    def _versions(self) -> tuple[Check, ...]:
        """Whether each target was one version throughout, and each judge one model, where they said so."""
        ledger, stays = self.ledger, "with several, only a regression stands and nothing is proven"
        old = (
            version_check({Stream.MAIN: ledger.models.get(Stream.OLD, Counter())}),
            fingerprint_check(ledger, ledger.prints.get(Stream.OLD, Prints()).codes),
        )
        new = [(check.name, check) for check in version_checks(self.plan, ledger)]
        more = [(f"{name}, old", check) for name, check in zip((ONE_VERSION, FINGERPRINTS), old, strict=True) if check]
        new += [(check.name, check) for check in judge_checks(ledger)]
        return tuple(replace(check, name=name, consequence=stays) for name, check in (*new, *more))

    def _verdict(self) -> Verdict:
        question, plan = self.question, self.plan
        fresh = self.fresh.count if self.fresh else None
        versions = self._versions()
        found = question.found(fresh, versions) if isinstance(question, SearchStage) else question.found()
        if self.gate.failed is not None:
            word, reason = dead(self.gate.failed)
            found = found | {"verdict": word, "reason": reason}
        elif not all(check.passed for check in versions):
            found = found | _several(found["verdict"])
        used = question.counted + sum(count.n for count in self.arms) + (fresh.n if fresh else 0)
        low, high = question.interval()
        values: dict[str, Any] = {
            "question": str(plan.question),
            "n": question.n,
            "k": question.k,
            "undecided": question.undecided,
            "low": low,
            "high": high,
            "bound": None,
            "bound_side": "",
            "bound_confidence": found["confidence"],
            "residual_at_k": None,
            "retry_budget": plan.retry_budget,
            "evalues": question.evalues(),
            "overrun": self.ledger.total - used,
            "asked": self.ledger.asked,
            "plan_hash": plan.hash,
            **found,
        }
        values["arms"] = (*found.get("arms", ()), *(arm_result(count) for count in self.arms if count.n))
        values["checks"] = (*found["checks"], *versions, *arm_checks(self.gate, None))
        return Verdict(**values)
