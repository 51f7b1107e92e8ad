"""The line that says how a run is going: what is in it, and how often it comes."""

from __future__ import annotations

import io

from manyeyes.commands.progress import Left, Live, line
from manyeyes.engine import plan_map, plan_reproduce, plan_verify
from manyeyes.engine.plan import Cell, Plan, Progress
from manyeyes.runs.driver import Standing


def standing(plan: Plan, n: int, k: int, *, phase: str = "main", calls: int = 0) -> Standing:
    at = Progress(
        phase=phase, n=n, k=k, low=0.0, high=0.09, evalues={"holds": 3.1, "fails": 0.2}, threshold=20.0, asked=n,
        cap=plan.cap,
    )  # fmt: skip
    return Standing(progress=at, calls=calls or n, under_way=8, slots=8)


def test_the_line_holds_count_interval_evidence_and_what_is_left() -> None:
    plan = plan_verify(tau=0.05)
    said = line(standing(plan, 41, 0, calls=57), plan, 22, 2.0)
    assert said == (
        "deciding: 0 of 41 succeeded, 0–9\u202f%; about 22 trials left, 15 s; evidence 3.1 of 20 that the fix holds; "
        "57 calls, 8 under way"
    )
    assert "at most 295 trials left;" in line(standing(plan, 0, 0), plan, None, 0.0)
    assert "left" not in line(standing(plan, 12, 3, phase="score"), plan, None, 1.0)


def test_trials_left_are_those_of_the_planner() -> None:
    """0 successes: 322 at tau 1 %, 63 to rule out 5 %; one success costs what it costs."""
    verify, reproduce = plan_verify(tau=0.01), plan_reproduce()
    assert Left(verify)(standing(verify, 1, 0).progress) == 321
    assert Left(reproduce)(standing(reproduce, 13, 0).progress) == 50
    assert Left(verify)(standing(verify, 300, 30).progress) == 1
    seen = Left(verify)
    assert [seen(standing(verify, n, 0).progress) for n in (300, 10, 321)] == [22, 312, 1]
    assert Left(verify)(standing(verify, 9, 0, phase="assay").progress) is None


def test_a_question_without_such_a_rule_tells_its_cap() -> None:
    plan = plan_map(cells=[Cell(key="a"), Cell(key="b")])
    assert Left(plan)(standing(plan, 5, 1).progress) is None
    assert "at most 19 trials left" in line(standing(plan, 5, 1), plan, None, 0.0)


def test_in_a_terminal_the_line_is_written_over_and_elsewhere_lines_grow_rare() -> None:
    plan = plan_verify(tau=0.05)
    for terminal in (True, False):
        clock = [0.0]
        out = io.StringIO()
        live = Live(plan, terminal=terminal, out=out, now=lambda clock=clock: clock[0])
        for second in range(600):
            clock[0] = float(second)
            live(standing(plan, min(second + 1, 200), 0, calls=second + 1))
        live.end()
        said = out.getvalue()
        if terminal:
            assert said.count("\x1b[K\r") > 300
            assert "\n" not in said[:-1]
        else:
            assert "\x1b" not in said
            assert 8 <= len(said.splitlines()) <= 20
