"""From the numbers of a result to its pictures: what the pages and the reports of the command line both draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from manyeyes.charts.comparison import BeforeAfter, before_after
from manyeyes.charts.evidence import FunnelPoint, PathPoint, evidence_path, funnel
from manyeyes.charts.heat import Cell, Panel, heat_map
from manyeyes.charts.table import SameTable
from manyeyes.engine import exact_interval
from manyeyes.rules.numerals import many
from manyeyes.rules.sentences import missed_words, part_words

Picture = tuple[str, SameTable]
Row = Mapping[str, Any]

CLAIMS = {"reproduce": ("reproduced", "not_reproduced"), "verify": ("holds", "fails")}
LINES = {"reproduced": "reproduced", "holds": "fix holds"}
AGAINST = {"reproduced": "evidence against", "holds": "against the fix"}
NOTES = {"holds": "holds", "fails": "still passes", "inconclusive": "too few trials to say"}
DEPLOYED = "as deployed"


class Step(Protocol):
    """What the evidence was after one more trial, as `manyeyes.engine.path` gives it."""

    @property
    def n(self) -> int: ...
    @property
    def k(self) -> int: ...
    @property
    def success(self) -> bool: ...
    @property
    def evalues(self) -> Mapping[str, float]: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def settings_picture(rows: Iterable[Row], *, leader: str = "", not_excluded: Sequence[str] = ()) -> Picture | None:
    """The settings as a map, or None where none was tried.

    With a `leader` (a cell's key, as a map's verdict names it) it is ringed as the worst, and `not_excluded` as those
    that may be as bad; without one, the highest rate is (several that share it are tied), and every cell whose interval
    reaches it.
    """
    tried = [row for row in rows if row["n"]]
    if not tried:
        return None
    temperatures = sorted({_knob(row, "temperature") for row in tried})
    tokens = sorted({_knob(row, "max_tokens") for row in tried}, reverse=True)
    marks = _named(tried, leader, not_excluded) if leader else _highest(tried)
    panels = []
    several = len({row["wording"] for row in tried}) > 1
    for name in dict.fromkeys(_panel(row, several) for row in tried):
        found = {
            (_knob(row, "max_tokens"), _knob(row, "temperature")): _cell(row, mark)
            for row, mark in zip(tried, marks, strict=True)
            if _panel(row, several) == name
        }
        grid = [[found.get((length, heat)) for heat in temperatures] for length in tokens]
        panels.append(Panel(name=name, rows=grid))
    return heat_map(
        panels,
        temperatures=[_shown(one) for one in temperatures],
        tokens=[_shown(one) for one in tokens],
        title=f"Success rate by temperature and token limit, {many(len(tried), 'setting')}",
    )


def _system(row: Row) -> str:
    return str(row["parameters"].get("system") or DEPLOYED)


def _panel(row: Row, several: bool) -> str:
    """What a panel is called: its prompt, and its wording where there are several."""
    system = _system(row)
    name = "Prompt as deployed" if system == DEPLOYED else f"Prompt: {system}"
    return f"{name}, wording {row['wording']}" if several else name


def _knob(row: Row, name: str) -> float:
    value = row["parameters"].get(name)
    return -1.0 if value is None else float(value)


def _shown(value: float) -> str:
    return "unknown" if value < 0 else f"{value:g}"


def _named(rows: Sequence[Row], leader: str, not_excluded: Sequence[str]) -> list[str]:
    return ["worst" if row["cell"] == leader else "maybe" if row["cell"] in not_excluded else "" for row in rows]


def _highest(rows: Sequence[Row]) -> list[str]:
    open_rows = [one for one in rows if not one["one_answer"]]
    worst = max(open_rows, key=lambda one: float(one["k"] / one["n"]), default=None)
    level = [one for one in open_rows if worst and one["k"] * worst["n"] == worst["k"] * one["n"]]
    first = "worst" if len(level) == 1 else "tied"
    marks = []
    for row in rows:
        if worst is None or row["one_answer"] or not row["k"]:
            marks.append("")
        else:
            highest = any(row is one for one in level)
            marks.append(first if highest else "maybe" if row["high"] >= worst["low"] else "")
    return marks


def _cell(row: Row, mark: str) -> Cell:
    return Cell(k=row["k"], n=row["n"], low=row["low"], high=row["high"], one_answer=row["one_answer"], mark=mark)


def growth_picture(question: str, steps: Sequence[Step], threshold: float) -> Picture | None:
    """How the evidence grew, trial by trial; None where the question has no such path."""
    claim, against = CLAIMS.get(question, ("", ""))
    points = [
        PathPoint(n=step.n, evidence=step.evalues[claim], hit=step.success, against=step.evalues.get(against))
        for step in steps
        if claim in step.evalues
    ]
    if not points:
        return None
    return evidence_path(points, threshold, LINES[claim], AGAINST[claim], fix=claim == "holds")


def knowledge_picture(
    steps: Sequence[Step], outcomes: Iterable[str], *, claimed: tuple[int, int] | None = None
) -> Picture | None:
    """How well the rate is known after each trial, with the outcomes below; `claimed` is (successes, trials)."""
    if not steps:
        return None
    points = [FunnelPoint(n=step.n, k=step.k, low=step.low, high=step.high) for step in steps]
    return funnel(points, ticks(outcomes), claimed=claimed)


def ticks(outcomes: Iterable[str]) -> list[bool | None]:
    """Outcomes as a strip wants them: True, False, None for undecided.

    >>> ticks(["success", "undecided"])
    [True, None]
    """
    return [None if word == "undecided" else word == "success" for word in outcomes]


def parts_picture(verdict: Row, *, before: Sequence[int] | None, tau: float) -> Picture | None:
    """Each part of the test set before and after the fix; None where the verdict has no parts.

    `before` is (successes, trials) of the reported wording on the version with the flaw.
    """
    if not verdict.get("parts"):
        return None
    rows = []
    if verdict["verdict"] != "symptom_patched" and verdict["bound"] is not None:
        # The parts alone are too few to reach the target; what the verdict is about stands first.
        rows.append(
            BeforeAfter(
                label="All wordings, mixed",
                note="what the verdict is about",
                after=(verdict["k"], verdict["n"]) if verdict["n"] else None,
                after_bound=min(1.0, verdict["bound"]),
            )
        )
    rows += [_part(part, before, tau) for part in verdict["parts"]]
    return before_after(rows, tau)


def _part(part: Row, before: Sequence[int] | None, tau: float) -> BeforeAfter:
    was = None
    if before and part["part"] == "reported":
        low, high = exact_interval(before[0], before[1])
        was = (before[0], before[1], low, high)
    return BeforeAfter(
        label=part_words(part["part"]).capitalize(),
        note=part_note(part, tau),
        before=was,
        after=(part["k"], part["n"]) if part["n"] else None,
        after_bound=min(1.0, part["high"] if part["k"] else part["bound"]),
    )


def part_note(part: Row, tau: float) -> str:
    """What a part came to by itself, in a word or two; where it is not shown, the boundary that stands against it.

    >>> part_note({"verdict": "not_shown", "k": 3}, 0.05) == "not shown: above 0.5\u202f%, a tenth of the target"
    True
    """
    if part.get("constant") and not part["k"]:
        return "blocked: one constant answer"
    if part.get("suppressed") and not part["k"]:
        return "blocked"
    if part["verdict"] == "not_shown":
        return f"not shown: {missed_words(tau)}"
    return NOTES.get(part["verdict"], "")
