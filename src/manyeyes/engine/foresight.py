"""What a map, a comparison or a sweep will do before anything is spent: error rates, expected trials, worst case.

Pairs are counted out exactly: the verdict hangs on the discordant pairs alone, one after the other, and how many pairs
it takes to see them is negative binomial, whatever they are. Everything else is a seeded simulation of the replay
itself, given with its standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import log, sqrt
from random import Random

from manyeyes.engine.comparison import log_e_mcnemar
from manyeyes.engine.drive import drive
from manyeyes.engine.plan import Answer, Feed, Outcome, Plan, Question, Stream, Trial
from manyeyes.engine.replay import replay
from manyeyes.engine.verdict import Verdict
from manyeyes.engine.wider import layout_of

Rates = Callable[[Trial], float]


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """What to expect of a plan under one assumption about the target.

    `expected` counts trials of the question (pairs of a comparison, trials per item of a sweep), `median` and `ninety`
    likewise; `most` is their worst case. `words` are the chances of each verdict. `error` is the chance of a wrong
    answer: a leader that another setting beats by epsilon or more; the word that the rates contradict; the share of
    false flags. `power` is the chance of the right word; of a sweep the share of risen items that are flagged.
    """

    expected: float
    median: float
    ninety: float
    most: int
    words: Mapping[str, float]
    error: float
    power: float
    standard_error: float
    runs: int
    exact: bool


def _summary(
    counts: Sequence[float],
    words: Sequence[str],
    errors: Sequence[float],
    powers: Sequence[float],
    most: int,
) -> Foresight:
    """The averages over simulated runs."""
    runs, ordered = len(counts), sorted(counts)
    mean = sum(counts) / runs
    spread = sum((count - mean) ** 2 for count in counts) / max(1, runs - 1)
    return Foresight(
        expected=mean,
        median=ordered[(runs - 1) // 2],
        ninety=ordered[min(runs - 1, -(-9 * runs // 10) - 1)],
        most=most,
        words={word: words.count(word) / runs for word in sorted(set(words))},
        error=sum(errors) / runs,
        power=sum(powers) / runs,
        standard_error=sqrt(spread / runs),
        runs=runs,
        exact=False,
    )


def _runs(plan: Plan, rate: Rates, runs: int) -> list[Verdict]:
    """Seeded runs of the replay itself, each under another seed of the plan, without side arms."""
    if runs < 1:
        raise ValueError(f"runs: at least one, got {runs}")
    return [_once(plan, rate, number) for number in range(runs)]


def _once(plan: Plan, rate: Rates, number: int) -> Verdict:
    random = Random(f"{plan.seed}:{plan.question}:{number}").random
    # The order of the draws is that of the trials, so one seed makes one run, on every machine.
    bare = replace(plan, seed=plan.seed + number, benign=None, positive=None)
    return drive(bare, lambda trial: random() < rate(trial), room=8)


def _asked(plan: Plan, question: Question) -> None:
    if plan.question is not question:
        raise ValueError(f"plan: this one asks to {plan.question}; give one that asks to {question}")


def _chance(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: rates lie between 0 and 1, got {value}")
    return value


def foresee_map(plan: Plan, rates: Mapping[str, float], *, runs: int = 40) -> Foresight:
    """What a map will do on a landscape: the success rate of every cell by its key.

    `expected` leaves out the fresh trials at the leader; `power` is the chance of a certificate. Deterministic cells
    need a rate of 0 or 1. ValueError for a cell without a rate, or a plan that asks something else.

    >>> from manyeyes.engine import Cell, plan_map
    >>> plan = plan_map(cells=[Cell(key="cold"), Cell(key="hot")], budget=20, seed=1)
    >>> seen = foresee_map(plan, {"cold": 0.0, "hot": 0.9}, runs=20)
    >>> seen.error, seen.power, seen.most
    (0.0, 1.0, 40)
    """
    _asked(plan, Question.MAP)
    assert plan.worst is not None
    missing = [cell.key for cell in plan.cells if cell.key not in rates]
    if missing:
        raise ValueError(f"rates: every cell needs one, missing for {', '.join(missing)}")
    for cell in plan.cells:
        if _chance(f"rates of {cell.key}", rates[cell.key]) not in (0, 1) and cell.deterministic:
            raise ValueError(f"rates of {cell.key}: it gives one answer only, so its rate is 0 or 1")
    plain = replace(plan, worst=replace(plan.worst, score_n=0))
    worst = max(rates[cell.key] for cell in plan.cells) - plan.worst.epsilon
    made = _runs(plain, lambda trial: rates[trial.cell], runs)
    return _summary(
        [verdict.n for verdict in made],
        [verdict.verdict for verdict in made],
        [float(rates[verdict.leader] <= worst) for verdict in made],
        [float(verdict.certificate not in ("", "none")) for verdict in made],
        plan.cap,
    )


def foresee_compare(plan: Plan, old: float, new: float, *, correlation: float = 0.0, runs: int = 400) -> Foresight:
    """What a comparison will do when the old version succeeds at rate `old` and the new one at `new`.

    Pairs are counted out exactly; `correlation` is that of the two trials of a pair (from 0 to what the rates allow).
    Blocks are simulated. `error` is the chance of a word that the rates contradict (either, where they are equal).

    >>> from manyeyes.engine import plan_compare
    >>> seen = foresee_compare(plan_compare(), 0.05, 0.3)
    >>> round(seen.expected, 1), round(seen.power, 3), seen.exact
    (39.3, 1.0, True)
    """
    _asked(plan, Question.COMPARE)
    assert plan.compare is not None
    _chance("old", old)
    _chance("new", new)
    both = old * new + correlation * sqrt(old * (1 - old) * new * (1 - new))
    if not 0 <= correlation <= 1 or both > min(old, new):
        raise ValueError(f"correlation: these rates allow it from 0 up, not {correlation:g}")
    margin = plan.compare.margin
    right = "worse" if new > old + margin else "better" if old > new + margin else "inconclusive"
    if plan.compare.paired:
        return _pairs(plan, new - both, old - both, right)
    rates = {Stream.MAIN: new, Stream.OLD: old}
    made = _runs(plan, lambda trial: rates[trial.stream], runs)
    words = [verdict.verdict for verdict in made]
    wrong = [float(word not in (right, "inconclusive")) for word in words]
    return _summary([verdict.n for verdict in made], words, wrong, [float(w == right) for w in words], plan.cap)


def type_one(plan: Plan) -> float:
    """The greatest chance that a paired comparison calls one of two equal versions worse or better: exact.

    It is that of pairs which are all discordant; concordant ones only use up the cap.

    >>> from manyeyes.engine import plan_compare
    >>> round(type_one(plan_compare()), 3)
    0.041
    """
    _asked(plan, Question.COMPARE)
    return _pairs(plan, 0.5, 0.5, "inconclusive").error


@dataclass(frozen=True, kw_only=True)
class ConstantPairs:
    """What to expect of two versions that always differ, and give each wording one text every time.

    `needed` is how many distinct wordings it takes to say so (None: the cap comes first), `wordings` how many the plan
    has, and `end` the pair at which it ends undecided (None: it decides).
    """

    needed: int | None
    wordings: int
    end: int | None


def constant_pairs(plan: Plan) -> ConstantPairs:
    """How a comparison fares with such versions: repeats of one answer count once. ValueError for another question.

    >>> from manyeyes.engine import Cell, plan_compare
    >>> cells = [Cell(key=name, wording=name) for name in "ab"]
    >>> constant_pairs(plan_compare(cells=cells, ends_stuck=True))
    ConstantPairs(needed=7, wordings=2, end=35)
    """
    _asked(plan, Question.COMPARE)
    bare = replace(plan, benign=None, positive=None)
    told = drive(bare, lambda trial: trial.stream is Stream.MAIN)
    engine, answers = replay(bare), list[Answer]()
    next(engine)
    while True:
        try:
            batch = engine.send(Feed(answers=answers, room=2, look=False))
        except StopIteration as stop:
            found: Verdict = stop.value
            break
        answers = [_fixed(trial) for trial in batch.trials]
    return ConstantPairs(
        needed=told.n if told.verdict == "worse" else None,
        wordings=len({cell.wording or cell.key for cell in plan.cells}),
        end=None if found.verdict == "worse" else found.n,
    )


def _fixed(trial: Trial) -> Answer:
    new = trial.stream is Stream.MAIN
    outcome = Outcome.SUCCESS if new else Outcome.FAILURE
    return Answer(stream=trial.stream, index=trial.index, outcome=outcome, digest=f"{trial.stream}")


def _pairs(plan: Plan, worse: float, better: float, right: str) -> Foresight:
    """Exactly what pairs do, given the chances that one is worse or better."""
    limit = layout_of(plan).limit(Stream.MAIN)
    discordant = worse + better
    ends = _discordant_ends(plan, worse / discordant if discordant else 0.0, limit)
    words = {"worse": 0.0, "better": 0.0}
    finish = [0.0]
    for arrivals in _arrivals(discordant, limit):
        finish.append(0.0)
        for ended, arrival in zip(ends, arrivals, strict=False):
            for word, chance in ended.items():
                words[word] += chance * arrival
                finish[-1] += chance * arrival
    rest = 1 - sum(finish)
    finish[limit] += rest
    passed = list(accumulate(finish))
    return Foresight(
        expected=sum(n * chance for n, chance in enumerate(finish)),
        median=next(n for n, mass in enumerate(passed) if mass >= 0.5 - 1e-12),
        ninety=next(n for n, mass in enumerate(passed) if mass >= 0.9 - 1e-12),
        most=limit,
        words={**words, "inconclusive": max(0.0, rest)},
        error=sum(chance for word, chance in words.items() if word != right),
        power=words.get(right, max(0.0, rest)),
        standard_error=0.0,
        runs=0,
        exact=True,
    )


def _discordant_ends(plan: Plan, share: float, most: int) -> list[dict[str, float]]:
    """By discordant pair, the chance of ending there with each word, when each is worse with chance `share`."""
    need = log(2 / plan.alpha)
    alive: dict[int, float] = {0: 1.0}
    ends = []
    for m in range(1, most + 1):
        moved: dict[int, float] = {}
        for k, mass in alive.items():
            moved[k + 1] = moved.get(k + 1, 0.0) + mass * share
            moved[k] = moved.get(k, 0.0) + mass * (1 - share)
        ended = {"worse": 0.0, "better": 0.0}
        for k in list(moved):
            word = "worse" if log_e_mcnemar(k, m - k) >= need else "better" if log_e_mcnemar(m - k, k) >= need else ""
            if word:
                ended[word] += moved.pop(k)
        ends.append(ended)
        alive = moved
    return ends


def _arrivals(discordant: float, most: int) -> Iterator[list[float]]:
    """Pair by pair, up to `most`: the chance that it is the first discordant pair, the second, and so on."""
    seen = [1.0]
    for _ in range(most):
        arrivals = [mass * discordant for mass in seen]
        seen = [mass - gone for mass, gone in zip(seen, arrivals, strict=True)] + [0.0]
        for m, mass in enumerate(arrivals, 1):
            seen[m] += mass
        yield arrivals


def foresee_sweep(plan: Plan, rates: Mapping[str, float], *, runs: int = 10) -> Foresight:
    """What a sweep will do when the items succeed at these rates, by key; risen are those above their tau.

    `expected`, `median`, `ninety` and `most` are trials per item. ValueError for an item without a rate.

    >>> from manyeyes.engine import SweepItem, plan_sweep
    >>> plan = plan_sweep(items=[SweepItem(key="a"), SweepItem(key="b")])
    >>> seen = foresee_sweep(plan, {"a": 0.9, "b": 0.0}, runs=20)
    >>> seen.power, seen.error, seen.most
    (1.0, 0.0, 60)
    """
    _asked(plan, Question.SWEEP)
    assert plan.sweep is not None
    taus = {item.key: item.tau for item in plan.sweep.items}
    if missing := [key for key in taus if key not in rates]:
        raise ValueError(f"rates: every item needs one, missing for {', '.join(missing)}")
    for key in taus:
        _chance(f"rates of {key}", rates[key])
    item_of = {cell.key: cell.part for cell in plan.cells}
    risen = {key for key, tau in taus.items() if rates[key] > tau}
    made = _runs(plan, lambda trial: rates[item_of[trial.cell]], runs)
    flags = [{row.key for row in verdict.items if row.verdict == "regressed"} for verdict in made]
    return _summary(
        [verdict.n / len(taus) for verdict in made],
        [verdict.verdict for verdict in made],
        [len(flag - risen) / max(1, len(flag)) for flag in flags],
        [len(flag & risen) / max(1, len(risen)) for flag in flags],
        plan.sweep.cap,
    )
