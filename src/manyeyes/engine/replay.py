"""The replay: a conversation that yields batches of trials, takes answers, and returns the verdict."""

from __future__ import annotations

from collections.abc import Generator

from manyeyes.engine.build import build_verdict
from manyeyes.engine.ledger import Ledger
from manyeyes.engine.parts import rate_before
from manyeyes.engine.plan import Arm, Batch, Feed, Plan, Progress, Question, Stream
from manyeyes.engine.schedule import Layout
from manyeyes.engine.stages import ArmCount, ArmsStage, MainStage, PartsStage, ScoreStage, gated
from manyeyes.engine.verdict import Verdict
from manyeyes.engine.wider import WIDER, WiderRun

Stage = ArmsStage | MainStage | PartsStage | ScoreStage


class Run:
    """One replay in progress: the ledger, the stages it went through, and where it stands."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.layout = plan, Layout(plan)
        self.ledger = Ledger(self.layout)
        self.arms = [ArmCount(stream, arm) for stream, arm in self.layout.arms()]
        first = gated(plan, self.arms)
        self.gate = ArmsStage(first)
        self.later = [count for count in self.arms if count not in first]
        if plan.control_n:
            fixed = Arm(cells=plan.control, n=plan.control_n)
            self.later.insert(0, ArmCount(Stream.CONTROL, fixed, start=plan.cap))
            self.arms.insert(0, self.later[0])
        self.main: MainStage | None = None
        self.parts: PartsStage | None = None
        self.score: ScoreStage | None = None
        self.stage: Stage | None = self.gate

    def settle(self) -> Verdict | None:
        """Read everything on record; the verdict when the last stage is over."""
        while self.stage is not None:
            if not self.stage.advance(self.ledger):
                return None
            self.stage = self._next()
        return build_verdict(
            self.plan, self.ledger, arms=self.arms, gate=self.gate, main=self.main, parts=self.parts, score=self.score
        )

    def _next(self) -> Stage | None:
        if self.stage is self.gate:
            if self.gate.failed is not None:
                return None
            if self.plan.question is Question.SCORE:
                self.score = ScoreStage(self.layout, self.later)
                return self.score
            echoes = {digest for count in self.gate.counts if count.stream is Stream.BENIGN for digest in count.digests}
            self.main = MainStage(self.plan, self.layout, echoes)
            return self.main
        if self.main is None or self.stage is not self.main:
            return None
        if self.main.decision == "reproduced":
            self.score = ScoreStage(self.layout, self.later)
            return self.score
        if self.plan.question is Question.VERIFY and self.main.decision != "echo":
            flawed = next(((arm.k, arm.n) for arm in self.gate.counts if arm.stream is Stream.POSITIVE), None)
            self.parts = PartsStage(self.plan, self.layout, self.main, rate_before(self.plan, flawed))
            refuted = self.main.decision in ("fails", "not_shown") and len(self.layout.parts) > 1
            return self.parts if refuted else None
        return None

    def batch(self, room: int, *, look: bool = True) -> Batch:
        """Up to `room` trials of the stage the replay is in, with its progress."""
        trials = self.ledger.hand_out(iter(self.stage.wanted()), room) if self.stage is not None else ()
        return Batch(trials=trials, progress=self.progress(look=look))

    def progress(self, *, look: bool = True) -> Progress:
        """Where the replay stands, for people to look at; without `look` as far as counts go."""
        tally = self.main.tally if self.main else None
        n, k = (tally.n, tally.k) if tally else (0, 0)
        low, high = tally.interval() if tally and look else (0.0, 1.0)
        return Progress(
            phase=self.stage.phase if self.stage else "done",
            n=n,
            k=k,
            low=low,
            high=high,
            evalues=tally.evalues() if tally and look else {},
            threshold=1 / self.plan.alpha,
            asked=self.ledger.asked,
            cap=self.layout.limit(Stream.MAIN) or self.layout.limit(Stream.SCORE),
        )


def replay(plan: Plan) -> Generator[Batch, Feed, Verdict]:
    """Replay a plan: yields `Batch`, takes `Feed`, returns `Verdict` (as the generator's value).

    The first `next` gives an empty batch: the engine has not been told any room yet. Send `Feed(answers, room)` from
    then on. Answers may come in any order, in any portion, and for trials this run never yielded: resuming is feeding
    back the answers on record. The rule is looked at on every prefix in index order, so the verdict and n depend on
    the answers alone. With room and nothing outstanding, a batch always has at least one trial. Sending `room=0` only
    evaluates. Raises ValueError for an answer that contradicts one on record or names a trial the plan does not have.

    >>> from manyeyes.engine import Answer, Outcome, plan_reproduce
    >>> run = replay(plan_reproduce(seed=1))
    >>> next(run).trials
    ()
    >>> trial = run.send(Feed(room=1)).trials[0]
    >>> trial.stream, trial.index
    (<Stream.MAIN: 'main'>, 0)
    >>> try:
    ...     _ = run.send(Feed(answers=[Answer(stream=trial.stream, index=0, outcome=Outcome.SUCCESS)]))
    ... except StopIteration as stop:
    ...     stop.value.verdict, stop.value.n, stop.value.k
    ('reproduced', 1, 1)
    """
    run = WiderRun(plan) if plan.question in WIDER else Run(plan)
    feed = yield run.batch(0)
    while True:
        run.ledger.take(feed.answers)
        verdict = run.settle()
        if verdict is not None and not feed.more:
            return verdict
        feed = yield run.batch(0 if feed.more else feed.room, look=feed.look)
