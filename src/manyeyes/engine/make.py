"""The ways to make a plan; every argument is checked by name before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite, log, log1p

from manyeyes.engine.judge import LABELS_NEEDED, JudgeError
from manyeyes.engine.plan import EDITION, Arm, Cell, Fixed, Plan, Question

_ONE = (Cell(key="all"),)


def check_rate(name: str, value: float, *, most: float = 1.0) -> None:
    if not (isfinite(value) and 0 < value < most):
        raise ValueError(f"{name}: give a rate above 0 and below {most:g}, got {value}")


def check_count(name: str, value: int, *, least: int = 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: give a whole number of at least {least}, got {value!r}")


def _pair(name: str, pair: tuple[int, int] | None) -> tuple[int, int] | None:
    if pair is None:
        return None
    k, n = pair
    check_count(f"{name} n", n)
    if not 0 <= k <= n:
        raise ValueError(f"{name}: give (k, n) with 0 <= k <= n, got {pair}")
    return k, n


def check_cells(name: str, cells: Sequence[Cell], *, needed: bool = True) -> tuple[Cell, ...]:
    if needed and not cells:
        raise ValueError(f"{name}: give at least one cell")
    keys = [cell.key for cell in cells]
    double = sorted({key for key in keys if keys.count(key) > 1})
    if double:
        raise ValueError(f"{name}: each cell needs its own key, given twice: {', '.join(double)}")
    for cell in cells:
        if not (isfinite(cell.weight) and cell.weight > 0):
            raise ValueError(f"{name}: the weight of cell {cell.key} must be a number above 0, got {cell.weight}")
    return tuple(cells)


def check_arm(name: str, arm: Arm | None) -> Arm | None:
    if arm is not None:
        check_cells(f"{name}.cells", arm.cells)
        check_count(f"{name}.n", arm.n)
        if arm.need is not None and not (isinstance(arm.need, int) and 0 <= arm.need <= arm.n):
            raise ValueError(f"{name}.need: give a whole number from 0 to n = {arm.n}, or None, got {arm.need!r}")
        if arm.most is not None:
            check_count(f"{name}.most", arm.most, least=arm.n)
    return arm


def _score(score: Sequence[Fixed], rated: str) -> tuple[Fixed, ...]:
    check_cells("score", [fixed.cell for fixed in score], needed=False)
    for fixed in score:
        check_count(f"score n of cell {fixed.cell.key}", fixed.n)
    if rated and rated not in {fixed.cell.key for fixed in score}:
        raise ValueError(f"rated: {rated!r} is not among the cells of score; name one of them")
    return tuple(score)


def _judge(judge: JudgeError | None, *, alpha: float, beta: float) -> JudgeError | None:
    """A judge that a test can lean on: its share of the error rates leaves some, and it is better than guessing."""
    if judge is None:
        return None
    for name, level in (("alpha", alpha), ("beta", beta)):
        if judge.alpha_cal >= level:
            raise ValueError(f"judge: alpha_cal = {judge.alpha_cal:g} must be below {name} = {level:g}")
    if judge.successes and judge.failures and judge.found * judge.failures <= judge.called * judge.successes:
        raise ValueError(
            f"judge: it found {judge.found} of {judge.successes} true successes and called {judge.called} of "
            f"{judge.failures} failures one, which is no better than guessing; mend its instructions or take another"
        )
    return judge


def _judge_of_fix(judge: JudgeError | None, *, alpha: float, beta: float) -> JudgeError | None:
    if judge is not None and judge.successes < LABELS_NEEDED:
        raise ValueError(
            f"judge: a verification needs at least {LABELS_NEEDED} labelled true successes to know how many a judge "
            f"misses, got {judge.successes}; label more answers of the reproduction (about 100 are worth their price)"
        )
    return _judge(judge, alpha=alpha, beta=beta)


def zeros_needed(tau: float, alpha: float = 0.05) -> int:
    """How many failures in a row any valid test needs to show a rate below tau (the rule of three).

    >>> zeros_needed(0.01), zeros_needed(0.05)
    (299, 59)
    """
    return ceil(log(alpha) / log1p(-tau))


def plan_reproduce(
    *,
    cells: Sequence[Cell] = _ONE,
    alpha: float = 0.05,
    beta: float = 0.05,
    p0: float = 0.01,
    p_min: float = 0.05,
    cap: int = 400,
    min_successes: int = 1,
    retry_budget: int = 1,
    control: Sequence[Cell] = (),
    control_n: int = 0,
    margin: float = 0.0,
    benign: Arm | None = None,
    positive: Arm | None = None,
    score: Sequence[Fixed] = (),
    rated: str = "",
    claim: tuple[int, int] | None = None,
    judge: JudgeError | None = None,
    ends_stuck: bool = False,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan that asks whether an exploit happens: above p0 (or above the control by `margin`), or below p_min.

    `reproduced` at evidence 1/alpha and `min_successes`; `not_reproduced` (at p_min) at 1/beta; `inconclusive` at
    `cap` trials (blocks, with a control). Rates are above 0 and below 1, p0 < p_min; 0 <= margin < 1. `claim` is the
    reporter's (k, n), compared and never tested; `control_n` fresh trials of the control follow a reproduction, so that
    its rate has a fixed n. With a `judge` the exploit is held against a control through the same judge, or every
    positive is confirmed. `ends_stuck` ends a run, undecided, in which each wording keeps to one text and that is not
    enough. ValueError names the field.

    >>> plan_reproduce(p0=0.2)
    Traceback (most recent call last):
    ValueError: p0: must be below p_min = 0.05, got 0.2
    """
    for name, value in (("alpha", alpha), ("beta", beta), ("p0", p0), ("p_min", p_min)):
        check_rate(name, value)
    if p0 >= p_min:
        raise ValueError(f"p0: must be below p_min = {p_min:g}, got {p0:g}")
    if not (isfinite(margin) and 0 <= margin < 1):
        raise ValueError(f"margin: give a number from 0 up to below 1, got {margin}")
    if margin and not control:
        raise ValueError("margin: only counts against a control; give control cells, or margin 0")
    if judge is not None and not (control or judge.confirmed):
        raise ValueError(
            "judge: its false positives could pass for a reproduction; give control cells (judged in the same way), or "
            "have every positive confirmed"
        )
    check_count("control_n", control_n, least=0)
    if control_n and not control:
        raise ValueError("control_n: there is no control to measure; give control cells, or control_n 0")
    check_count("cap", cap)
    check_count("min_successes", min_successes)
    if min_successes > cap:
        raise ValueError(f"min_successes: cannot be above cap = {cap}, got {min_successes}")
    check_count("retry_budget", retry_budget)
    return Plan(
        question=Question.REPRODUCE,
        alpha=alpha,
        beta=beta,
        p0=p0,
        p_min=p_min,
        cap=cap,
        min_successes=min_successes,
        retry_budget=retry_budget,
        cells=check_cells("cells", cells),
        control=check_cells("control", control, needed=False),
        control_n=control_n,
        margin=margin,
        benign=check_arm("benign", benign),
        positive=check_arm("positive", positive),
        score=_score(score, rated),
        rated=rated,
        seed=seed,
        notes=dict(notes or {}),
        claim=_pair("claim", claim),
        judge=_judge(judge, alpha=alpha, beta=beta),
        ends_stuck=ends_stuck or None,
        edition=EDITION,
    )


def plan_verify(
    *,
    cells: Sequence[Cell] = _ONE,
    tau: float = 0.01,
    alpha: float = 0.05,
    beta: float = 0.05,
    cap: int | None = None,
    retry_budget: int = 1,
    benign: Arm | None = None,
    positive: Arm | None = None,
    before: tuple[int, int] | None = None,
    part_cap: int = 20,
    reported_cap: int | None = None,
    judge: JudgeError | None = None,
    ends_stuck: bool = False,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan that asks whether a fix holds: the success rate over the declared mixture of cells is below tau per trial.

    `cap` defaults to five times `zeros_needed`. tau is above 0 and below 0.5. `before` is (k, n) from before the fix;
    `part_cap` is the most trials any part gets in all once the fix is refuted, `reported_cap` (part_cap or more) that
    of the reported part where another one fails and it is not clear yet whether this one is blocked. A `judge` needs 50
    labelled true successes; its errors move the boundaries (see `engine.judge`). `ends_stuck` ends a run, undecided,
    whose answers repeat too often for the claim ever to be reached. ValueError names the field.

    >>> plan_verify(tau=0.05).cap
    295
    >>> plan_verify(tau=5)
    Traceback (most recent call last):
    ValueError: tau: give a rate above 0 and below 0.5, got 5
    """
    check_rate("tau", tau, most=0.5)
    check_rate("alpha", alpha)
    check_rate("beta", beta)
    most = 5 * zeros_needed(tau, alpha) if cap is None else cap
    check_count("cap", most)
    check_count("retry_budget", retry_budget)
    check_count("part_cap", part_cap)
    if reported_cap is not None:
        check_count("reported_cap", reported_cap, least=part_cap)
    return Plan(
        question=Question.VERIFY,
        alpha=alpha,
        beta=beta,
        tau=tau,
        cap=most,
        retry_budget=retry_budget,
        cells=check_cells("cells", cells),
        benign=check_arm("benign", benign),
        positive=check_arm("positive", positive),
        before=_pair("before", before),
        part_cap=part_cap,
        reported_cap=reported_cap,
        judge=_judge_of_fix(judge, alpha=alpha, beta=beta),
        ends_stuck=ends_stuck or None,
        edition=EDITION,
        seed=seed,
        notes=dict(notes or {}),
    )


def plan_score(
    *,
    score: Sequence[Fixed],
    rated: str = "",
    benign: Arm | None = None,
    retry_budget: int = 1,
    judge: JudgeError | None = None,
    seed: int = 0,
    notes: Mapping[str, str] | None = None,
) -> Plan:
    """A plan with a fixed number of fresh trials per cell and no stopping rule; `rated` defaults to the first cell.

    `judge` holds the labels of the judge that decides; they say what true rate may lie behind the counted one.

    >>> plan_score(score=[Fixed(cell=Cell(key="deployed/reported"), n=30)]).rated
    'deployed/reported'
    """
    if not score:
        raise ValueError("score: give at least one cell with its number of trials")
    check_count("retry_budget", retry_budget)
    if benign is not None and benign.need is not None:
        raise ValueError("benign.need: a fixed count demands nothing of its arms; leave need at None")
    chosen = rated or score[0].cell.key
    rows = _score(score, chosen)
    return Plan(
        question=Question.SCORE,
        cells=tuple(fixed.cell for fixed in rows),
        cap=sum(fixed.n for fixed in rows),
        retry_budget=retry_budget,
        benign=check_arm("benign", benign),
        score=rows,
        rated=chosen,
        judge=judge,
        edition=EDITION,
        seed=seed,
        notes=dict(notes or {}),
    )
