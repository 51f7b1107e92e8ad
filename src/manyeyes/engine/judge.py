"""What a judge's labels say about its errors, and where the boundaries of a test lie when it decides the outcomes.

Let Se be the chance that the judge finds a true success, and F = 1 - Sp the chance that it calls a true failure one. At
a true rate p it reports successes at r = p Se + (1 - p) F. The labels bound Se from below and F from above, each at the
level `alpha_cal`, which is taken off the error rate of the test that leans on it:

- p >= tau means r >= tau Se, so `holds` is tested at tau times the lower bound of Se;
- p <= tau means r <= tau + (1 - tau) F, so `fails` is tested there. Where every positive is confirmed F is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from manyeyes.engine.intervals import exact_lower, exact_upper

LABELS_NEEDED = 50
"""A verification needs this many labelled true successes; about 100 per class of exploit are worth their price."""

_MOST = 1 - 1e-9


@dataclass(frozen=True, kw_only=True)
class JudgeError:
    """The labels of one version of a judge: it found `found` of `successes` true ones, and `called` of `failures` too.

    `confirmed`: every positive of the replay is confirmed by a person or by a second, better oracle, so that none is
    false. `alpha_cal` is spent on each bound that a test leans on. ValueError names the field.

    >>> judge = JudgeError(found=90, successes=100, called=5, failures=100)
    >>> round(judge.sensitivity_lower, 4), round(judge.false_positive_upper, 4)
    (0.8087, 0.1259)
    """

    found: int
    successes: int
    called: int = 0
    failures: int = 0
    confirmed: bool = False
    alpha_cal: float = 0.01
    version: str = ""

    def __post_init__(self) -> None:
        for name, k, n in (
            ("found of successes", self.found, self.successes),
            ("called of failures", self.called, self.failures),
        ):
            if not 0 <= k <= n:
                raise ValueError(f"judge: {name}: need 0 <= k <= n, got {k} of {n}")
        if not 0 < self.alpha_cal < 1:
            raise ValueError(f"judge: alpha_cal: give a number above 0 and below 1, got {self.alpha_cal}")

    @property
    def sensitivity_lower(self) -> float:
        """The one-sided Clopper-Pearson lower bound of Se; 0 without labels."""
        return exact_lower(self.found, self.successes, confidence=1 - self.alpha_cal)

    @property
    def false_positive_upper(self) -> float:
        """The one-sided upper bound of F: 0 where positives are confirmed, and just below 1 without labels."""
        if self.confirmed:
            return 0.0
        return min(_MOST, exact_upper(self.called, self.failures, confidence=1 - self.alpha_cal))

    def lowered(self, rate: float) -> float:
        """The least rate of judge positives that a true rate of at least `rate` can have."""
        return rate * self.sensitivity_lower

    def lifted(self, rate: float) -> float:
        """The greatest rate of judge positives that a true rate of at most `rate` can have."""
        return rate + (1 - rate) * self.false_positive_upper

    def reported(self, rate: float) -> float:
        """The rate of judge positives to expect at a true rate, if the labels are exactly right (none: no errors)."""
        se = self.found / self.successes if self.successes else 1.0
        false = 0.0 if self.confirmed or not self.failures else self.called / self.failures
        return rate * se + (1 - rate) * false

    def for_claim(self, alpha: float) -> float:
        """The level left for a test that leans on the bound of Se."""
        return alpha - self.alpha_cal

    def against_claim(self, beta: float) -> float:
        """The level left for a test that leans on the bound of F: all of it where positives are confirmed."""
        return beta if self.confirmed else beta - self.alpha_cal

    def true_rate(self, k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float, float] | None:
        """The true rate behind k judge positives of n, with its interval: (rate, low, high). For description only.

        Rogan & Gladen's (1978) estimate with the interval of Lang & Reiczigel (2014), clipped to 0 to 1. It needs an n
        fixed beforehand, is near useless close to rate 0, and decides nothing. None without labels of both kinds (of
        successes alone where positives are confirmed), without trials, or where the judge is no better than guessing.

        >>> judge = JudgeError(found=45, successes=50, called=2, failures=50)
        >>> [round(number, 2) for number in judge.true_rate(60, 200)]
        [0.3, 0.2, 0.39]
        """
        if not n or not self.successes or not (self.failures or self.confirmed):
            return None
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        raw, raw_fp = self.found / self.successes, 0.0 if self.confirmed else self.called / self.failures
        se, se_spread = _moved(self.found, self.successes)
        fp, fp_spread = (0.0, 0.0) if self.confirmed else _moved(self.called, self.failures)
        if raw <= raw_fp or se <= fp:
            return None
        rate = (k / n - raw_fp) / (raw - raw_fp)
        r = (k + z * z / 2) / (n + z * z)
        middle = (r - fp) / (se - fp)
        shift = 2 * z * z * (middle * se_spread - (1 - middle) * fp_spread)
        spread = r * (1 - r) / (n + z * z) + middle**2 * se_spread + (1 - middle) ** 2 * fp_spread
        half = z * sqrt(spread) / (se - fp)
        return _clip(rate), _clip(middle + shift - half), _clip(middle + shift + half)


def _moved(k: int, n: int) -> tuple[float, float]:
    """A share of labels with one of each kind added, and its variance."""
    share = (k + 1) / (n + 2)
    return share, share * (1 - share) / (n + 2)


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
