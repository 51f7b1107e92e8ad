"""Before and after a fix: before hollow with a ring, after solid from 0 to its bound, the target as a dashed line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from manyeyes.charts.draw import check_counts, check_rate, dot, line, picture, rect, text, whole
from manyeyes.charts.table import SameTable, rate_cells
from manyeyes.rules.numerals import many, percent, target_percent

WIDTH, LEFT, RIGHT, TOP, PITCH = 1080, 300, 220, 38, 40


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """One part of the test set. `after_bound` is the one-sided bound of the test that decided; None where not run."""

    label: str
    note: str = ""
    before: tuple[int, int, float, float] | None = None
    after: tuple[int, int] | None = None
    after_bound: float = 1.0


def before_after(rows: Sequence[BeforeAfter], target: float) -> tuple[str, SameTable]:
    """All parts under one another; the axis ends at the next ten percent above what is shown."""
    check_rate("target", target)
    top = _axis_end(rows, target)
    height = TOP + PITCH * len(rows) + 28

    def at(p: float) -> float:
        return LEFT + min(p, top) * (WIDTH - LEFT - RIGHT) / top

    drawn = [rect("before", 1, TOP - 24, 22, 7), dot("before-dot", 12, TOP - 20.5, 4.5)]
    drawn += [text("before", 32, TOP - 16, "dim"), rect("after", 96, TOP - 23, 22, 6)]
    drawn += [line("after-end", 118, TOP - 26, 118, TOP - 14), text("after, up to its bound", 127, TOP - 16, "dim")]
    for percents in range(0, round(top * 100) + 1, _step(top)):
        x = at(percents / 100)
        drawn += [line("grid", x, TOP - 6, x, height - 22), text(whole(percents / 100), x, height - 6, "mid dim")]
    drawn.append(line("limit", at(target), TOP - 10, at(target), height - 22))
    drawn.append(text(f"target {target_percent(target)}", max(at(target) - 4, LEFT - 4), TOP - 16, "bold"))
    drawn += [text("before", WIDTH - RIGHT + 16, TOP - 16, "dim"), text("after", WIDTH - RIGHT + 90, TOP - 16, "dim")]
    for index, row in enumerate(rows):
        drawn.append(_row(row, TOP + index * PITCH + PITCH / 2, at))
    name = f"Success rate before and after the fix, {many(len(rows), 'part')}, target {target_percent(target)}"
    return picture("".join(drawn), WIDTH, height, name, boxed=True), _same(rows, name)


def _axis_end(rows: Sequence[BeforeAfter], target: float) -> float:
    highest = max(
        [target * 1.5, 0.1] + [r.before[3] for r in rows if r.before] + [r.after_bound for r in rows if r.after]
    )
    return min(1.0, -(-highest * 100 // 10) / 10)


def _step(top: float) -> int:
    """Percent between two lines of the grid: a round number that gives four to ten of them."""
    return next((step for limit, step in ((0.1, 2), (0.3, 5), (0.7, 10)) if top <= limit + 1e-9), 20)


def _row(row: BeforeAfter, y: float, at: Callable[[float], float]) -> str:
    drawn = [text(row.label, 0, y - 1 if row.note else y + 6, "row-name")]
    drawn += [text(row.note, 0, y + 14, "dim")] if row.note else []
    if row.before:
        k, n, low, high = row.before
        check_counts(k, n, low, high)
        drawn += [rect("before", at(low), y - 10, at(high) - at(low), 7), dot("before-dot", at(k / n), y - 6.5, 4.5)]
        drawn.append(text(f"{k}/{n}", WIDTH - RIGHT + 16, y + 4))
    else:
        drawn.append(text("not run", WIDTH - RIGHT + 16, y + 4, "dim"))
    if row.after:
        end = at(row.after_bound)
        drawn += [rect("after", at(0), y + 4, max(end - at(0), 2), 6), line("after-end", end, y + 1, end, y + 13)]
        drawn.append(text(f"{row.after[0]}/{row.after[1]}", WIDTH - RIGHT + 90, y + 4, "bold"))
        bound = percent(row.after_bound, fine=True, up=True)
        drawn.append(text("no bound" if row.after_bound >= 1 else f"< {bound}", WIDTH - RIGHT + 150, y + 4, "dim"))
    else:
        drawn.append(text("not run", WIDTH - RIGHT + 90, y + 4, "dim"))
    return "".join(drawn)


def _same(rows: Sequence[BeforeAfter], name: str) -> SameTable:
    out = []
    for row in rows:
        before = rate_cells(*row.before) if row.before else ("not run", "–", "–")
        after = (
            (f"{row.after[0]}/{row.after[1]}", f"below {percent(row.after_bound, fine=True, up=True)}")
            if row.after
            else ("not run", "–")
        )
        out.append((row.label, *before, *after))
    head = ("Part", "Before", "Rate", "Interval", "After", "Bound")
    return SameTable(caption=name, head=head, rows=out)
