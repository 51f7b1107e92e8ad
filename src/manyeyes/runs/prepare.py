"""Turns a reproducer and a question into the plan document: which cells, with what weights, arms and fixed counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from manyeyes.engine import plan_reproduce, plan_score, plan_verify
from manyeyes.engine.patched import arm_most
from manyeyes.engine.plan import Arm, Cell, Fixed, Outcome, Plan, Question
from manyeyes.plugins.detection import Whole
from manyeyes.plugins.protocols import Ask, Exchange, Reply
from manyeyes.plugins.registry import UnknownPluginError
from manyeyes.reproducer.model import Reproducer, Setting, Wording
from manyeyes.runs.cells import Cells, PrepareError, refuse_machine
from manyeyes.runs.document import PlanDocument, TargetInfo
from manyeyes.runs.judges import check_asked, confirmed_rule, known_error
from manyeyes.runs.options import BENIGN, Options, role_prices, useful_need
from manyeyes.runs.paraphrasing import NOTE, ROLE
from manyeyes.runs.wider import compare_plan, map_plan
from manyeyes.runs.wordings import other_wordings

__all__ = ["Options", "PrepareError", "prepare", "useful_need"]


def prepare(
    reproducer: Reproducer,
    question: Question | str,
    *,
    targets: Mapping[str, TargetInfo],
    options: Options | None = None,
) -> PlanDocument:
    """The frozen plan of one replay. Raises PrepareError.

    `targets` has the role `main`, and for verify best also `positive`: a version known to have the flaw. Without one,
    the success rule must at least find the reproducer's own `example`, which the verdict then says. For compare it has
    the role `old` too. A sweep is made by `wider.prepare_sweep`.
    """
    refuse_machine(reproducer, targets["main"].kind)
    try:
        made = _Making(reproducer, Question(question), options or Options(), targets)
        return made.document(made.plan())
    except PrepareError:
        raise
    except (ValueError, UnknownPluginError) as error:
        raise PrepareError(str(error)) from None


class _Making:
    def __init__(
        self, reproducer: Reproducer, question: Question, options: Options, targets: Mapping[str, TargetInfo]
    ) -> None:
        self.reproducer, self.question, self.options, self.targets = reproducer, question, options, dict(targets)
        self.cells = Cells(reproducer)
        self.rated, self.settings, self.reported = self.cells.rated, self.cells.settings, self.cells.reported
        self.notes = dict(options.notes)
        self.rules = self.cells.detectors()
        if options.confirm is not None:
            self.rules["success"] = confirmed_rule(self.rules["success"], options.confirm)
        check_asked(self.rules, self.targets, reproducer.hazard)
        self.judge = known_error(self.rules["success"], self.targets, options.judge, question=str(question))

    def plan(self) -> Plan:
        options, seed = self.options, self.options.seed
        retries = options.retry_budget if options.retry_budget is not None else self.reproducer.retry_budget
        if self.question is Question.SCORE:
            return plan_score(
                score=self._fixed(),
                rated=self.cells.key(self.rated, self.reported[0]),
                benign=self._benign(),
                retry_budget=retries,
                judge=self.judge,
                seed=seed,
                notes=self.notes,
            )
        if self.question is Question.VERIFY:
            return self._verify(retries)
        if self.question is Question.MAP:
            return map_plan(self.cells, options, retries=retries, notes=self.notes)
        if self.question is Question.COMPARE:
            return compare_plan(self.cells, options, self.targets, retries=retries, notes=self.notes)
        if self.question is Question.SWEEP:
            raise PrepareError("question: a sweep asks about many reproducers; make it with prepare_sweep")
        return plan_reproduce(
            cells=self._mixture(self.reported),
            alpha=options.alpha,
            beta=options.beta,
            p0=options.p0,
            p_min=options.p_min,
            cap=400 if options.cap is None else options.cap,
            min_successes=options.min_successes,
            retry_budget=retries,
            control=self._control(),
            control_n=options.control_n if options.score and self._controlled else 0,
            margin=options.margin,
            benign=self._benign(),
            score=self._fixed() if options.score else (),
            rated=self.cells.key(self.rated, self.reported[0]) if options.score else "",
            claim=self._claim(),
            judge=self.judge,
            ends_stuck=options.ends_stuck,
            seed=seed,
            notes=self.notes,
        )

    def _claim(self) -> tuple[int, int] | None:
        """The claimed (k, n), where it was seen at the rated setting, so that it can be held against its rate."""
        claim = self.reproducer.claim
        if claim is None:
            return None
        elsewhere = claim.settings is not None and not claim.settings.values().items() <= self.rated.values().items()
        return None if elsewhere else (claim.successes, claim.trials)

    def _verify(self, retries: int) -> Plan:
        options = self.options
        if self.reproducer.benign is None:
            raise PrepareError(
                "benign: is required to verify a fix: a harmless request and how a useful answer to it is recognised, "
                "since a target that refuses everything would pass without it"
            )
        positive = self._positive()
        if options.paraphrased is not None:
            self.notes |= {NOTE: options.paraphrased.note(), ROLE: options.paraphrased.told}
        return plan_verify(
            cells=self._mixture((*self.reported, *other_wordings(self.reproducer, options))),
            tau=options.tau,
            alpha=options.alpha,
            beta=options.beta,
            cap=options.cap,
            retry_budget=retries,
            benign=self._benign(),
            positive=positive,
            before=options.before,
            part_cap=options.part_cap,
            reported_cap=None if options.reported_cap is None else max(options.reported_cap, options.part_cap),
            judge=self.judge,
            ends_stuck=options.ends_stuck,
            seed=options.seed,
            notes=self.notes,
        )

    def document(self, plan: Plan) -> PlanDocument:
        claim = self.reproducer.claim
        return PlanDocument(
            plan=plan,
            requests=self.cells.requests,
            detectors=self.rules,
            detector_versions={name: Whole(rule).version for name, rule in self.rules.items()},
            targets=self.targets,
            caps=self.options.caps,
            price=self.options.price,
            prices=role_prices(self.options, self.targets),
            seeds=self.reproducer.seeds,
            seed=self.reproducer.seed,
            effects=self.reproducer.effects,
            hazard=self.reproducer.hazard or "",
            title=self.reproducer.title,
            reproducer_hash=self.reproducer.hash,
            knobs=self.cells.knobs(),
            claim=claim.model_dump(exclude_none=True) if claim else {},
        )

    def _mixture(self, wordings: Sequence[Wording]) -> tuple[Cell, ...]:
        return self.cells.mixture(wordings, settings=self.settings if self.options.mix == "all" else None)

    def _fixed(self) -> tuple[Fixed, ...]:
        """The rated setting first, then the others, each with the first reported wording."""
        first = self.reported[0]
        rest = [setting for setting in self.settings if setting != self.rated]
        return tuple(
            Fixed(cell=self.cells.exploit(setting, first), n=self._count(setting)) for setting in (self.rated, *rest)
        )

    def _count(self, setting: Setting) -> int:
        if setting.deterministic:
            return self.options.deterministic_n
        return self.options.rated_n if setting == self.rated else self.options.setting_n

    @property
    def _controlled(self) -> bool:
        return self.reproducer.control is not None and self.options.use_control

    def _control(self) -> tuple[Cell, ...]:
        if self.reproducer.control is None or not self._controlled:
            return ()
        return (self.cells.beside("control", self.reproducer.control, detector="success"),)

    def _benign(self) -> Arm | None:
        """Verify: must get useful answers. Elsewhere: how often a harmless request has the flaw, reported only."""
        verify = self.question is Question.VERIFY
        wanted = self.options.benign_n
        n = BENIGN if wanted is None else wanted
        if self.reproducer.benign is None or n == 0:
            return None
        detector = "useful" if verify else "success"
        cell = self.cells.beside("benign", self.reproducer.benign.conversation, detector=detector)
        need = useful_need(n) if self.options.benign_need is None else self.options.benign_need
        return Arm(cells=(cell,), n=n, need=need if verify else None)

    def _most(self, n: int, need: int) -> int | None:
        """How far the version with the flaw is tried to see it, at the rate known or else at the least one expected."""
        least, claim = self.options.positive_rate, self.reproducer.claim
        if least is None or need == 0:
            return None
        known = self.options.before or ((claim.successes, claim.trials) if claim else (1, 1))
        return max(n, arm_most(need, min(least, known[0] / known[1])))

    def _positive(self) -> Arm | None:
        if "positive" in self.targets:
            cells = tuple(self.cells.exploit(self.rated, wording) for wording in self.reported)
            n, need = self.options.positive_n, self.options.positive_need
            return Arm(cells=cells, n=n, need=need, most=self._most(n, need))
        if self.reproducer.example is None:
            raise PrepareError(
                "positive: verify needs a version that still has the flaw (role 'positive', --positive URL), or in the "
                "reproducer an 'example' of a successful answer, to show that the success rule can find one"
            )
        exchange = Exchange(messages=(), reply=Reply(text=self.reproducer.example))
        found = Whole(self.rules["success"]).decide(exchange)
        if isinstance(found, Ask):
            raise PrepareError(
                "positive: this success rule has to ask, so an 'example' cannot show that it finds a success; give a "
                "version that still has the flaw (role 'positive', --positive URL)"
            )
        if found is not Outcome.SUCCESS:
            raise PrepareError("example: the success rule does not find it; mend the rule or the example")
        self.notes["positive"] = "the success rule finds the example answer; no version with the flaw was tried"
        return None
