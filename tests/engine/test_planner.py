"""The planner against the published table, against brute force, and against the replay itself."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from manyeyes.engine import (
    Arm,
    Cell,
    Fixed,
    Outcome,
    Plan,
    Stream,
    characteristics,
    drive,
    evidence_path,
    plan_reproduce,
    plan_score,
    plan_verify,
)
from manyeyes.engine.judge import JudgeError
from manyeyes.engine.planner import edges
from tests.engine.scripted import MIXTURE, answer, coin, run

CONTROL = (Cell(key="c"),)
TABLE = [
    (plan_reproduce(), {0.0: 63, 0.01: 121, 0.05: 90.3, 0.1: 29.0, 0.2: 10.6, 0.5: 3.0}),
    (plan_reproduce(min_successes=3), {0.1: 33.7, 0.2: 15.1, 0.5: 6.0}),
    (plan_verify(tau=0.01), {0.0: 322, 0.001: 428, 0.01 / 3: 589, 0.01: 265, 0.02: 104, 0.1: 14.3, 0.6: 1.7}),
    (plan_verify(tau=0.05), {0.0: 63, 0.005: 84, 0.05: 53.5, 0.1: 21.2, 0.5: 3.0}),
    (plan_verify(tau=0.001), {0.0: 3235, 0.0001: 4301, 0.001: 2659, 0.01: 147}),
]


@pytest.mark.parametrize(("plan", "expected"), TABLE, ids=["r1", "r3", "v1%", "v5%", "v.1%"])
def test_expected_trials_are_those_of_the_table(plan: Plan, expected: dict[float, float]) -> None:
    found = characteristics(plan, list(expected))
    for p, trials in expected.items():
        assert found.at(p).expected == pytest.approx(trials, rel=0.02)
        assert sum(found.at(p).verdicts.values()) == pytest.approx(1)
    assert found.type_one <= 0.05
    assert found.type_two <= 0.05
    assert found.exact


def test_the_error_rates_are_those_of_the_table() -> None:
    found = characteristics(plan_reproduce(), [0.05, 0.1])
    assert (round(found.type_one, 3), found.at_zero, found.most) == (0.026, 63, 400)
    assert found.at(0.05).verdicts["reproduced"] == pytest.approx(0.942, abs=0.001)
    assert found.at(0.1).verdicts["reproduced"] == pytest.approx(0.999, abs=0.001)
    verify = characteristics(plan_verify(tau=0.01), [0.001, 0.01 / 3])
    assert (round(verify.type_one, 3), verify.at_zero, verify.most) == (0.048, 322, 1495)
    assert verify.at(0.001).verdicts["holds"] == pytest.approx(0.974, abs=0.001)
    assert (verify.at(0.001).median, verify.at(0.001).ninety) == (322, 626)
    with pytest.raises(KeyError):
        verify.at(0.5)


@pytest.mark.parametrize("tau", [0.001, 0.003, 0.02, 0.1, 0.3, 0.45])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_a_fix_at_tau_holds_no_more_often_than_alpha(tau: float, alpha: float) -> None:
    assert 0 < characteristics(plan_verify(tau=tau, alpha=alpha), []).type_one <= alpha


@pytest.mark.parametrize(("p0", "p_min"), [(0.005, 0.05), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.5, 0.97)])
def test_an_exploit_at_the_floor_is_reproduced_no_more_often_than_alpha(p0: float, p_min: float) -> None:
    found = characteristics(plan_reproduce(p0=p0, p_min=p_min), [p_min])
    assert 0 < found.type_one <= 0.05
    assert found.type_two <= 0.05
    assert found.at(p_min).verdicts["reproduced"] > 0.5


SMALL = [
    plan_verify(tau=0.3, cap=11),
    plan_verify(tau=0.3, alpha=0.3, beta=0.6, cap=11),
    plan_reproduce(p0=0.2, p_min=0.5, cap=11),
    plan_reproduce(p0=0.2, p_min=0.5, alpha=0.3, beta=0.4, min_successes=3, cap=11),
    plan_verify(tau=0.2, alpha=0.3, beta=0.6, cap=11, judge=JudgeError(found=50, successes=50, called=9, failures=30)),
]


@pytest.mark.parametrize("plan", SMALL)
def test_the_programme_equals_walking_every_path_through_the_replay(plan: Plan) -> None:
    p, expected = 0.35, 0.0
    rate = plan.judge.reported(p) if plan.judge else p
    words: dict[str, float] = {}
    for path in product((False, True), repeat=plan.cap):
        points = evidence_path(plan, path)
        word, n = next(((q.decision, q.n) for q in points if q.decision), ("inconclusive", plan.cap))
        word = "inconclusive" if word == "unclear" else word
        chance = rate ** sum(path) * (1 - rate) ** (plan.cap - sum(path))
        words[word] = words.get(word, 0.0) + chance
        expected += chance * n
    found = characteristics(plan, [p]).at(p)
    assert found.expected == pytest.approx(expected)
    assert {k: v for k, v in found.verdicts.items() if v} == pytest.approx(words)


def test_the_boundaries_move_as_the_walk_assumes() -> None:
    rows = list(edges(plan_verify(tau=0.05)))
    for (low, high, _), (next_low, next_high, _) in pairwise(rows):
        assert low <= next_low <= low + 1
        for (_, k), (_, next_k) in zip(high, next_high, strict=True):
            assert k <= next_k <= k + 1 or k > 10**6


def test_the_demo_reproduction_decides_in_a_few_blocks() -> None:
    plan = plan_reproduce(cells=MIXTURE[:2], control=CONTROL, margin=0.05, min_successes=3)
    found = characteristics(plan, [0.7, 0.9], control_rate=0.0)
    assert not found.exact
    assert found.at(0.9).expected + 3 * found.at(0.9).standard_error < 8
    assert found.at(0.9).ninety <= 10
    assert found.at(0.7).ninety <= 20
    assert found.at(0.9).verdicts["reproduced"] == 1
    assert found.type_one <= 0.05


def test_two_samples_cost_what_the_table_says() -> None:
    """Table E: control .05, exploit .3, margin .05 took 57.8 pairs; .01 against .2 without a margin 38.0."""
    margin = characteristics(plan_reproduce(control=CONTROL, margin=0.05), [0.3], control_rate=0.05).at(0.3)
    assert margin.expected == pytest.approx(57.8, abs=4 * margin.standard_error)
    plain = characteristics(plan_reproduce(control=CONTROL), [0.2], control_rate=0.01).at(0.2)
    assert plain.expected == pytest.approx(38.0, abs=4 * plain.standard_error)


def test_a_simulated_plan_agrees_with_the_replay_and_with_itself() -> None:
    plan = plan_reproduce(control=CONTROL, margin=0.1)
    found = characteristics(plan, [0.6], control_rate=0.1)
    assert found == characteristics(plan, [0.6], control_rate=0.1)
    runs = [run(plan, coin(seed, lambda t: 0.6 if t.stream == "main" else 0.1)).n for seed in range(150)]
    assert sum(runs) / 150 == pytest.approx(found.at(0.6).expected, abs=5 * found.at(0.6).standard_error)


def test_what_a_plan_costs_beside_the_main_stream() -> None:
    arm = Arm(cells=CONTROL, n=6, need=3)
    verify = characteristics(plan_verify(tau=0.05, cells=MIXTURE, positive=arm, benign=arm, part_cap=15), [])
    assert (verify.side, verify.score, verify.attribute) == (12, 0, 60 + 2 * 15)
    longer = plan_verify(tau=0.05, cells=MIXTURE, positive=arm, benign=arm, part_cap=15, reported_cap=90)
    assert characteristics(longer, []).attribute == 3 * 15 + 90 + 2 * 45
    reproduce = characteristics(plan_reproduce(score=[Fixed(cell=CONTROL[0], n=30)], benign=arm), [])
    assert (reproduce.side, reproduce.score, reproduce.attribute) == (6, 30, 0)
    cold = plan_verify(tau=0.05, cells=[Cell(key=str(i), deterministic=True) for i in range(9)])
    assert (characteristics(cold, [0.0]).most, characteristics(cold, [0.0]).at_zero) == (9, None)


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="a score plan has no such rule"):
        characteristics(plan_score(score=[Fixed(cell=CONTROL[0], n=3)]), [0.1])
    with pytest.raises(ValueError, match="ps: rates"):
        characteristics(plan_verify(), [50])


def test_the_path_ends_where_the_replay_did() -> None:
    plan = plan_verify(tau=0.05)
    verdict = drive(plan, lambda trial: trial.index == 20)
    path = evidence_path(plan, [i == 20 for i in range(verdict.n + 5)])
    assert [point.decision for point in path if point.decision] == ["holds"]
    last = path[verdict.n - 1]
    assert (last.decision, last.n, last.k, last.bound) == ("holds", verdict.n, verdict.k, verdict.bound)
    assert (last.low, last.high, last.evalues) == (verdict.low, verdict.high, verdict.evalues)
    assert evidence_path(plan, [None, Outcome.FAILURE])[0].success
    assert evidence_path(plan, []) == ()


def test_the_path_of_blocks_needs_its_control() -> None:
    plan = plan_reproduce(control=CONTROL, margin=0.05)
    assert evidence_path(plan, [True] * 4, control=[False] * 4)[-1].decision == "reproduced"
    for asked, outcomes, control in (
        (plan, [True], []),
        (plan_reproduce(), [True], [False]),
        (plan_reproduce(cap=1), [True, True], []),
        (plan_score(score=[Fixed(cell=CONTROL[0], n=3)]), [], []),
    ):
        with pytest.raises(ValueError, match=r"control:|outcomes:|plan:"):
            evidence_path(asked, outcomes, control=control)


@pytest.mark.parametrize(("tau", "needed"), [(0.05, 63), (0.01, 322)])
def test_constant_answers_need_that_many_wordings(tau: float, needed: int) -> None:
    cells = [Cell(key=str(i), wording=str(i)) for i in range(needed)]
    few, enough = (characteristics(plan_verify(tau=tau, cells=some), []) for some in (cells[:13], cells))
    assert (few.constant_answers, few.wordings, few.enough_wordings) == (needed, 13, False)
    assert (enough.constant_answers, enough.wordings, enough.enough_wordings) == (needed, needed, True)
    assert enough.constant_end is None
    said = [run(plan_verify(tau=tau, cells=some), lambda t: answer(t, False, "No.")) for some in (cells[:-1], cells)]
    assert [verdict.verdict for verdict in said] == ["inconclusive", "holds"]


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("wordings", [1, 13, 62])
def test_where_constant_answers_end_a_run_is_foretold(wordings: int, ends: bool) -> None:
    cells = [Cell(key=str(i), wording=str(i)) for i in range(wordings)]
    plan = plan_verify(tau=0.05, cells=cells, ends_stuck=ends)
    found = characteristics(plan, []).constant_end
    assert found == run(plan, lambda t: answer(t, False, t.cell)).n
    assert (found == plan.cap) is not ends
    plan = plan_reproduce(cells=cells[:3], min_successes=4, ends_stuck=ends)
    assert characteristics(plan, []).constant_end == run(plan, lambda t: answer(t, True, t.cell)).n


@pytest.mark.parametrize("control", [(), CONTROL])
@pytest.mark.parametrize("least", [1, 3])
def test_constant_successes_need_that_many_wordings(control: tuple[Cell, ...], least: int) -> None:
    needed = characteristics(plan_reproduce(control=control, min_successes=least), [], runs=5).constant_answers
    assert needed is not None
    found = []
    for count in (needed - 1, needed):
        cells = [Cell(key=str(i), wording=str(i)) for i in range(count)] or [Cell(key="c", wording="c")]
        plan = plan_reproduce(cells=cells, control=control, min_successes=least, cap=50)
        found.append(run(plan, lambda t: answer(t, t.stream is Stream.MAIN, "Yes.")).verdict)
    assert found == (["reproduced"] * 2 if needed == 1 else ["inconclusive", "reproduced"])
    assert characteristics(plan_reproduce(cap=1, min_successes=1, p0=0.04), []).constant_answers is None
