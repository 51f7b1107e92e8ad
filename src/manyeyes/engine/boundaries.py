"""Where the boundaries of a plan's tests lie, and how much evidence each one needs: the one place that knows the judge.

Without a judge the claim of a verification is tested at tau, its contrary at tau, its futility at tau / 10; a
reproduction at p0 and p_min. With one, `engine.judge` moves them and takes its share off the error rates.
"""

from __future__ import annotations

from math import inf, log

from manyeyes.engine.evidence import futility_grid, log_e_above, log_e_below, log_e_fails, log_e_futile, log_e_grid
from manyeyes.engine.intervals import lower_bound, upper_bound
from manyeyes.engine.plan import Plan, Question


class Boundaries:
    """The tests of one plan on the counts (n, k): log e-values, and the log evidence each word needs."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.judge = plan, plan.judge
        judge = self.judge
        self.alpha, self.beta = plan.alpha, plan.beta
        self.tau, self.p_min = plan.tau, plan.p_min
        self._lifted, self._futile, self._grid = plan.tau, plan.tau / 10, futility_grid(plan.tau)
        if judge is not None:
            self.tau, self.p_min = judge.lowered(plan.tau), judge.lowered(plan.p_min)
            self._lifted, self._futile = judge.lifted(plan.tau), judge.lifted(plan.tau / 10)
            self._grid = tuple((judge.lifted(rate), weight) for rate, weight in self._grid)
        self.levels = self._levels()
        self.needs = {name: -log(level) for name, level in self.levels.items()}

    def _levels(self) -> dict[str, float]:
        judge, alpha, beta = self.judge, self.alpha, self.beta
        if self.plan.question is Question.VERIFY:
            if judge is None:
                return {"holds": alpha, "fails": beta, "not_shown": beta}
            against = judge.against_claim(beta)
            return {"holds": judge.for_claim(alpha), "fails": against, "not_shown": against, "unclear": against}
        return {"reproduced": alpha, "not_reproduced": beta if judge is None else judge.for_claim(beta)}

    def below(self, n: int, k: int) -> float:
        """Log evidence that the true rate is below tau (verify) or p_min (reproduce)."""
        rate = self.tau if self.plan.question is Question.VERIFY else self.p_min
        return log_e_below(n, k, rate) if rate > 0 else -inf

    def above(self, n: int, k: int) -> float:
        """Log evidence that the rate is above p0."""
        return log_e_above(n, k, self.plan.p0, self.plan.p_min)

    def fails(self, n: int, k: int) -> float:
        """Log evidence that the true rate is above tau."""
        return log_e_fails(n, k, self._lifted)

    def not_shown(self, n: int, k: int) -> float:
        """Log evidence that the true rate is above tau / 10."""
        return log_e_grid(n, k, self._futile, self._grid)

    def unclear(self, n: int, k: int) -> float:
        """Log evidence that the judge cannot tell: too many positives to hold, and so few that all may be false.

        After a fifth of the cap the first is enough, since the rest would hardly bring the second. -inf where no judge
        decides alone. It only ever ends a run without a verdict, so it leans on no error rate.
        """
        if self.judge is None or self.judge.confirmed:
            return -inf
        return min(self.many(n, k), self.few(n, k))

    def many(self, n: int, k: int) -> float:
        """Log evidence that there are too many positives for a fix to be shown to hold."""
        return log_e_futile(n, k, self.plan.tau)

    def few(self, n: int, k: int) -> float:
        """Log evidence that there are so few positives that all may be false; not asked for late in a run."""
        return inf if 5 * n >= self.plan.cap else log_e_below(n, k, self._lifted)

    @property
    def just_false(self) -> tuple[float, float]:
        """The rates of positives at which the claim, and its contrary, are only just false."""
        if self.plan.question is Question.VERIFY:
            return self.tau, self._lifted
        return self.plan.p0, self.p_min

    def reaches(self, word: str, value: float) -> bool:
        """Whether this log evidence is enough for the word."""
        return value >= self.needs[word]

    def upper(self, k: int, n: int) -> float:
        """The upper bound of the true rate by the test behind `holds` or `not_reproduced`, which leans on Se."""
        level = self.alpha if self.plan.question is Question.VERIFY else self.beta
        if self.judge is None:
            return upper_bound(k, n, alpha=level)
        least = self.judge.sensitivity_lower
        return min(1.0, upper_bound(k, n, alpha=self.judge.for_claim(level)) / least) if least else 1.0

    def lower(self, k: int, n: int) -> float:
        """The lower bound of the true rate by the test behind `reproduced`; false positives are taken off."""
        if self.judge is None:
            return lower_bound(k, n, alpha=self.alpha, p_min=self.plan.p_min)
        bound = lower_bound(k, n, alpha=self.judge.against_claim(self.alpha), p_min=self.plan.p_min)
        false = self.judge.false_positive_upper
        return max(0.0, (bound - false) / (1 - false))
