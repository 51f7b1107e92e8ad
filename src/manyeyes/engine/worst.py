"""Evidence about which of several settings is worst, and which one to try next (T3C).

An arm is a setting with its successes and trials. To show that no arm beats the leader a by epsilon, each rival b must
be shown not to: the two-arm generalised likelihood ratio W against "b is above a by epsilon", less the regret of a
Beta(1/2, 1/2) mixture on both arms, is the logarithm of an e-value whatever arm was tried when (universal inference:
Wasserman, Ramdas & Balakrishnan 2020). At most K - 1 arms can wrongly beat the truly worst, so ln((K - 1) / delta) is
enough. The practical rule takes W alone against ln((1 + ln t) / delta) (Garivier & Kaufmann 2016): not proven.
T3C: Shang, de Heide, Kaufmann, Ménard & Valko 2020, "Fixed-confidence guarantees for Bayesian best-arm identification".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, inf, log, pi, sqrt
from random import Random

from manyeyes.engine.special import bisect, log_beta, log_likelihood

_PRIOR = log_beta(0.5, 0.5)


@dataclass(frozen=True, slots=True)
class ArmState:
    """What is known of one setting: k successes of n trials; `settled` where one answer says all there is to know.

    k is a whole number but for trials on their way (see `expecting`), which only picks are made from.
    """

    k: float = 0
    n: int = 0
    settled: bool = False

    @property
    def mean(self) -> float:
        """The posterior mean under Beta(1/2, 1/2), or the rate itself where it is settled."""
        return float(self.k) if self.settled else (self.k + 0.5) / (self.n + 1)

    def expecting(self) -> ArmState:
        """The arm with one more trial on its way, which is taken to come out as its trials did on average."""
        return ArmState(k=self.k * (self.n + 1) / self.n, n=self.n + 1, settled=self.settled)


@lru_cache(maxsize=65536)
def regret(k: float, n: int) -> float:
    """What the Beta(1/2, 1/2) mixture loses to the best rate in hindsight, as a logarithm; 0 for no trials.

    >>> round(regret(5, 10), 3)
    1.402
    """
    best = log_likelihood(k, n, k / n) if n else 0.0
    return best - log_beta(k + 0.5, n - k + 0.5) + _PRIOR


@lru_cache(maxsize=262144)
def gap_costs(a_k: float, a_n: int, b_k: float, b_n: int, epsilon: float) -> tuple[float, float]:
    """W by arm: what it costs each in log-likelihood to believe that b is above a by epsilon (0 <= epsilon < 1).

    The least sum over all such pairs of rates; nothing where b looks so anyway, or either was not tried.

    >>> [round(part, 3) for part in gap_costs(9, 10, 1, 10, 0.1)], gap_costs(1, 10, 2, 10, 0.1)
    ([4.534, 4.534], (0.0, 0.0))
    """
    if not a_n or not b_n or b_k / b_n >= a_k / a_n + epsilon:
        return 0.0, 0.0
    low, high = max(0.0, b_k / b_n - epsilon), min(a_k / a_n, 1 - epsilon)
    a_left, b_left = a_n - a_k, b_n - b_k

    def falling(u: float) -> bool:
        v = u + epsilon
        return a_left / (1 - u) + b_left / (1 - v) < (a_k / u if a_k else 0.0) + (b_k / v if b_k else 0.0)

    u = bisect(falling, low, high, steps=30) if low < high else high
    v = min(1.0, u + epsilon)
    of_a = log_likelihood(a_k, a_n, a_k / a_n) - log_likelihood(a_k, a_n, u)
    return max(0.0, of_a), max(0.0, log_likelihood(b_k, b_n, b_k / b_n) - log_likelihood(b_k, b_n, v))


def gap_cost(a_k: float, a_n: int, b_k: float, b_n: int, epsilon: float) -> float:
    """W of two arms: what it costs to believe that b is above a by epsilon.

    >>> round(gap_cost(9, 10, 1, 10, 0.1), 3)
    9.067
    """
    return sum(gap_costs(a_k, a_n, b_k, b_n, epsilon))


def cost(a: ArmState, b: ArmState, epsilon: float) -> float:
    """W of two arms, either of which may be settled: then its rate is known, and only the other may be wrong."""
    if b.settled:
        if a.settled:
            return 0.0 if b.k >= a.k + epsilon else inf
        if b.k == 0 and epsilon > 0:
            return inf
        return _below(a.n - a.k, a.n, 1 - (b.k - epsilon))
    if a.settled:
        return inf if a.k + epsilon > 1 else _below(b.k, b.n, a.k + epsilon)
    return gap_cost(a.k, a.n, b.k, b.n, epsilon)


def _below(k: float, n: int, rate: float) -> float:
    """What it costs to believe that k of n came from this rate or a higher one; 0 if it looks so."""
    if not n or k / n >= rate:
        return 0.0
    return log_likelihood(k, n, k / n) - log_likelihood(k, n, min(1.0, rate))


def evidence(a: ArmState, b: ArmState, epsilon: float) -> float:
    """The log e-value that b does not beat a by epsilon or more."""
    lost = sum(0.0 if arm.settled else regret(arm.k, arm.n) for arm in (a, b))
    return cost(a, b, epsilon) - lost


def leading(arms: Sequence[ArmState]) -> int:
    """The arm that looks worst: greatest posterior mean, then most trials, then first."""
    return max(range(len(arms)), key=lambda i: (arms[i].mean, arms[i].n, -i))


class Stop:
    """Looks after every trial whether the leader is shown. One rival that is not beaten settles a look."""

    def __init__(self, *, epsilon: float, delta: float, proven: bool) -> None:
        self.epsilon, self.delta, self.proven = epsilon, delta, proven
        self._rival = 0

    def need(self, arms: int, t: int) -> float:
        """The threshold for the logarithm, with this many arms after t trials."""
        return log(max(1, arms - 1) / self.delta) if self.proven else log((1 + log(max(1, t))) / self.delta)

    def reached(self, arms: Sequence[ArmState], t: int) -> bool:
        """Whether the leader is shown to be beaten by no other by epsilon or more."""
        for b in self._unbeaten(arms, t, (self._rival, *range(len(arms)))):
            self._rival = b
            return False
        return True

    def unbeaten(self, arms: Sequence[ArmState], t: int) -> list[int]:
        """The rivals that may still beat the leader by epsilon or more, in order."""
        return list(self._unbeaten(arms, t, range(len(arms))))

    def _unbeaten(self, arms: Sequence[ArmState], t: int, order: Iterable[int]) -> Iterator[int]:
        a, need = leading(arms), self.need(len(arms), t)
        weigh = evidence if self.proven else cost
        return (b for b in order if b != a and weigh(arms[a], arms[b], self.epsilon) < need)


def weakest(arms: Sequence[ArmState], epsilon: float) -> float:
    """The least log e-value of the leader over its rivals: what a proven certificate rests on."""
    a = leading(arms)
    return min(evidence(arms[a], arm, epsilon) for i, arm in enumerate(arms) if i != a)


def _gamma(shape: float, random: Callable[[], float]) -> float:
    """A gamma draw (Marsaglia & Tsang 2000) from uniform numbers alone, so that it is the same on every version."""
    if shape < 1:
        return float(_gamma(shape + 1, random) * (1 - random()) ** (1 / shape))
    d = shape - 1 / 3
    c = 1 / sqrt(9 * d)
    while True:
        x = sqrt(-2 * log(1 - random())) * cos(2 * pi * random())
        v = (1 + c * x) ** 3
        if v > 0 and log(1 - random()) < 0.5 * x * x + d - d * v + d * log(v):
            return d * v


def _posterior(arm: ArmState, random: Callable[[], float]) -> float:
    """A draw from the Beta posterior of an arm."""
    if arm.settled:
        return float(arm.k)
    up = _gamma(arm.k + 0.5, random)
    return up / (up + _gamma(arm.n - arm.k + 0.5, random))


def leader_share(a: ArmState, b: ArmState, epsilon: float) -> float:
    """The share of W that the leader a carries against b: how often to try a rather than b for the sooner proof.

    Information-directed selection: Qin & You 2023, "Dual-directed algorithm design for efficient pure exploration".

    >>> leader_share(ArmState(k=9, n=10), ArmState(k=0, n=1), 0.1) < 0.5 == leader_share(ArmState(), ArmState(), 0.1)
    True
    """
    if a.settled:
        return 0.0
    of_a, of_b = gap_costs(a.k, a.n, b.k, b.n, epsilon)
    return of_a / (of_a + of_b) if of_a + of_b else 0.5


def pick(arms: Sequence[ArmState], epsilon: float, random: Random) -> int:
    """The arm to try next: never a settled one, as long as there is another.

    The leader is the greatest of one posterior draw each; the rival is the one with the least W against it (T3C). The
    leader is then tried by its share of W, not half of the time: a proof takes a quarter to a third fewer trials, and a
    budget picks as well. Any choice made from the past alone keeps the evidence valid.
    """
    draws = [_posterior(arm, random.random) for arm in arms]
    leader = max(range(len(arms)), key=draws.__getitem__)
    rivals = [i for i, arm in enumerate(arms) if i != leader and not arm.settled]
    if not rivals:
        return leader
    rival = min(rivals, key=lambda b: (cost(arms[leader], arms[b], epsilon), arms[b].n, random.random()))
    return leader if random.random() < leader_share(arms[leader], arms[rival], epsilon) else rival
