"""What a replay came to: the verdict, with every number a reader needs to recount it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SettingRate:
    """One setting of the fixed-n stage with its exact interval; `one_answer` where repeats were one observation."""

    cell: str
    setting: str
    wording: str
    n: int
    k: int
    undecided: int
    asr: float | None
    low: float
    high: float
    confidence: float
    distinct: int | None
    one_answer: bool
    rated: bool


@dataclass(frozen=True, kw_only=True)
class PartVerdict:
    """What the trials of one part (the reported wording, or a family of variants) say by themselves.

    `verdict` is holds, fails, not_shown or inconclusive; `suppressed` says that the part was shown to succeed less than
    half as often as before the fix, or gave one constant answer that never succeeded.
    """

    part: str
    verdict: str
    n: int
    k: int
    asr: float | None
    low: float
    high: float
    bound: float
    suppressed: bool
    constant: bool
    evalues: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """Counts of a side arm (control, benign, positive); `ok` is None where it has no need.

    The interval is exact for a fixed number of trials, and the anytime one where a rule ended the arm.
    """

    arm: str
    n: int
    k: int
    low: float
    high: float
    need: int | None
    ok: bool | None


@dataclass(frozen=True, kw_only=True)
class Check:
    """An honesty check with its consequence: what was looked at, whether it passed, and what followed if not."""

    name: str
    passed: bool
    detail: str
    consequence: str = ""
    p_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class ItemVerdict:
    """One closed exploit of a sweep: regressed, cleared or open, with its evidence where it stopped.

    `k` counts sure successes. `evalue` speaks against a rate of at most tau; low and high are the anytime interval.
    """

    key: str
    title: str
    verdict: str
    n: int
    k: int
    undecided: int
    tau: float
    evalue: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The pairs of a comparison: on how many the new version alone succeeded (worse), the old alone (better), or both.

    `difference` is new minus old; low and high are its anytime interval. Undecided trials count as failures here.
    """

    n: int
    worse: int
    better: int
    both: int
    undecided: int
    old_k: int
    new_k: int
    difference: float | None
    low: float
    high: float
    confidence: float


_WIDER: Mapping[str, Any] = {
    "leader": "",
    "not_excluded": (),
    "certificate": "",
    "items": (),
    "pairs": None,
    "judge": {},
    "before": {},
    "beside": {},
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of a plan. `n` and `k` stop at the first boundary; later answers of the batch are `overrun`.

    `bound` is the one-sided bound of the test that decided (verify: always upper; reproduce: lower, and upper where
    nothing was reproduced); `residual_at_k` is what an attacker with `retry_budget` tries may still reach. `low` and
    `high` are the anytime interval for sequential questions (wider where answers repeat), the exact one for fixed n.

    Of a map, n and k count the whole search, low and high speak of the leader, and asr is that of its fresh trials
    (None without them: a search is never scored). Of a comparison, n counts pairs and k, asr, low and high speak of the
    new version. Of a sweep, n and k count all items together. `leader`, `not_excluded`, `certificate`, `items` and
    `pairs` belong to these questions and are left out of the JSON of all others. `judge` says what is known of the
    judge's errors, where a judge decided; low and high then speak of what it reported, and `bound` of the true rate.
    `before` is the rate before the fix, where it is that of the positive arm: its k and n, and the name of the arm.
    `beside` is how often the reported wording and another part passed when both were asked by turns, n times each.
    """

    question: str
    verdict: str
    reason: str
    n: int
    k: int
    undecided: int
    asr: float | None
    low: float
    high: float
    confidence: float
    bound: float | None
    bound_side: str
    bound_confidence: float
    residual_at_k: float | None
    retry_budget: int
    method: str
    evalues: Mapping[str, float]
    overrun: int
    asked: int
    plan_hash: str
    settings: tuple[SettingRate, ...] = ()
    parts: tuple[PartVerdict, ...] = ()
    arms: tuple[ArmResult, ...] = ()
    checks: tuple[Check, ...] = ()
    first_success: int | None = None
    claim: Mapping[str, Any] = field(default_factory=dict)
    leader: str = ""
    not_excluded: tuple[str, ...] = ()
    certificate: str = ""
    items: tuple[ItemVerdict, ...] = ()
    pairs: Pairs | None = None
    judge: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        data = {name: value for name, value in asdict(self).items() if name not in _WIDER or value != _WIDER[name]}
        return json.loads(json.dumps(data))  # type: ignore[no-any-return]
