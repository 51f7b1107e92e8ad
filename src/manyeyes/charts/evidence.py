"""How we became sure (evidence on a log axis, trial by trial) and how well we know the rate (the funnel)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from manyeyes.charts.bars import strip_marks
from manyeyes.charts.draw import check_rate, dot, line, path, picture, rect, shape, text, whole
from manyeyes.charts.table import SameTable
from manyeyes.rules.numerals import many

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class PathPoint:
    """The evidence after trial `n` (an e-value), what that trial was, and the evidence for the opposite if tested."""

    n: int
    evidence: float
    hit: bool | None = None
    against: float | None = None


@dataclass(frozen=True, kw_only=True)
class FunnelPoint:
    """The count and its any-time interval after trial `n`."""

    n: int
    k: int
    low: float
    high: float


def _tick(power: int) -> str:
    return {-2: "0.01", -1: "0.1", 0: "1", 1: "10", 2: "100", 3: "1\u202f000", 4: "10\u202f000"}.get(
        power, "10" + str(power).translate(RAISED)
    )


def _round_step(total: int, wanted: int = 6) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives about `wanted` marks."""
    rough = max(total / wanted, 1)
    unit = 10 ** floor(log10(rough))
    return int(next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough))


def evidence_path(
    points: Sequence[PathPoint], threshold: float, label: str, against: str = "evidence against", *, fix: bool = False
) -> tuple[str, SameTable]:
    """Evidence against trials: a hit is a filled dot, a miss a hollow one; the line is labelled with what it allows."""
    if threshold <= 0:
        raise ValueError(f"threshold is {threshold}; evidence is above 0")
    shown = sorted(points, key=lambda point: point.n)
    crossed = next((point.n for point in shown if point.evidence >= threshold), None)
    name = (
        f"Evidence by trial; it passes {threshold:g} at trial {crossed}"
        if crossed
        else (f"Evidence by trial; it has not passed {threshold:g}")
    )
    svg = picture(_evidence_body(shown, threshold, label, against, fix, crossed), 560, 300, name, boxed=True)
    return svg, _evidence_table(shown, name)


def _evidence_body(
    shown: Sequence[PathPoint], threshold: float, label: str, against: str, fix: bool, crossed: int | None
) -> str:
    width, height, left, right, top, bottom = 560, 300, 58, 130, 26, 44
    last = max([point.n for point in shown] + [1])
    logs = [log10(max(point.evidence, 1e-9)) for point in shown]
    limit = log10(threshold)
    ceiling = min(max([limit + 0.4, *logs]), limit + 4.7)
    counter = [log10(max(point.against, 1e-9)) for point in shown if point.against is not None]
    bottom_log = max(min([-0.5, *logs, *counter]), min([-2.0, *logs]), -4.0)

    def at_x(n: float) -> float:
        return left + n * (width - left - right) / last

    def at_y(power: float) -> float:
        share = (ceiling - min(max(power, bottom_log), ceiling)) / (ceiling - bottom_log)
        return top + share * (height - top - bottom)

    drawn = [text("evidence (e-value), log scale", 0, 12, "dim")]
    skip = max(1, ceil((ceiling - bottom_log) / 6))
    for power in range(ceil(bottom_log), floor(ceiling) + 1):
        if power % skip == 0:
            drawn.append(line("grid", left, at_y(power), width - right, at_y(power)))
            drawn.append(text(_tick(power), left - 7, at_y(power) + 4, "end dim"))
    if crossed:
        drawn.append(line("drop", at_x(crossed), at_y(limit), at_x(crossed), height - bottom))
    drawn += [line("limit", left, at_y(limit), width - right, at_y(limit))]
    drawn += [text(f"{threshold:g}: {label}", width - right + 8, at_y(limit) + 4, "bold")]
    drawn += _evidence_lines(shown, at_x, at_y, against, fix, (bottom_log, ceiling))
    if crossed and fix:
        drawn.append(dot("decided", at_x(crossed), at_y(limit), 5))
    step = _round_step(last)
    drawn += [text(str(n), at_x(n), height - bottom + 17, "mid dim") for n in range(0, last + 1, step)]
    drawn.append(text("trials", (left + width - right) / 2, height - 6, "mid dim"))
    return "".join(drawn)


Place = Callable[[float], float]


def _evidence_lines(
    shown: Sequence[PathPoint], at_x: Place, at_y: Place, against: str, fix: bool, span: tuple[float, float]
) -> list[str]:
    drawn: list[str] = []
    start = [(at_x(0), at_y(0))]
    tested = [(p.n, log10(max(p.against, 1e-9))) for p in shown if p.against is not None]
    counter = [(at_x(n), at_y(power)) for n, power in tested if power >= span[0]]
    if counter:
        drawn.append(path("against bad" if fix else "against", start + counter))
        x, y = counter[-1]
        drawn.append(text(against, 438, min(y + 4, 256), "alarm" if fix else "dim"))
    main = start + [(at_x(p.n), at_y(log10(max(p.evidence, 1e-9)))) for p in shown]
    drawn.append(path("path-line for-fix" if fix else "path-line", main))
    few = len(shown) <= 70
    rare = sum(point.hit is True for point in shown) <= 2 and fix
    for point, (x, y) in zip(shown, main[1:], strict=True):
        if point.hit is None or (not few and not point.hit):
            continue
        drawn.append(dot("hit-dot" if point.hit else "miss-dot", x, y, 4 if few else 4.5))
        if rare and point.hit:
            drawn.append(text(f"trial {point.n} succeeded", x + 9, y + 16, "bold"))
    if shown and log10(max(shown[-1].evidence, 1e-9)) > span[1]:
        power = floor(log10(shown[-1].evidence))
        drawn.append(text(f"on to 10{str(power).translate(RAISED)}", 438, main[-1][1] + 4, "bold"))
    return drawn


def _evidence_table(shown: Sequence[PathPoint], name: str) -> SameTable:
    words = {True: "succeeded", False: "did not succeed", None: "undecided"}
    rows = [
        (str(p.n), words[p.hit], f"{p.evidence:.3g}", "–" if p.against is None else f"{p.against:.3g}") for p in shown
    ]
    return SameTable(caption=name, head=("Trial", "Outcome", "Evidence", "Evidence against"), rows=rows)


def funnel(
    points: Sequence[FunnelPoint], outcomes: Sequence[bool | None] = (), *, claimed: tuple[int, int] | None = None
) -> tuple[str, SameTable]:
    """The rate and its any-time interval after each trial, with the outcomes in order as a strip below."""
    if not points:
        raise ValueError("points is empty; a funnel needs at least one trial")
    last = points[-1]
    rate = last.k / last.n
    name = f"After {many(last.n, 'trial')} {whole(rate)}, between {whole(last.low)} and {whole(last.high)}"
    svg = picture(_funnel_body(points, outcomes, claimed), 600, 304, name, boxed=True)
    rows = [(str(p.n), str(p.k), whole(p.k / p.n), f"{whole(p.low)} to {whole(p.high)}") for p in points]
    return svg, SameTable(caption=name, head=("Trials", "Successes", "Rate", "Interval"), rows=rows)


def _funnel_body(
    points: Sequence[FunnelPoint], outcomes: Sequence[bool | None], claimed: tuple[int, int] | None
) -> str:
    width, height, left, right, top, bottom = 600, 304, 44, 118, 26, 66
    total, last = points[-1].n, points[-1]

    def at_x(n: float) -> float:
        return left + n * (width - left - right) / total

    def at_y(p: float) -> float:
        return top + (1 - p) * (height - top - bottom)

    drawn = [text("success rate and its 95\u202f% any-time interval", 0, 12, "dim")]
    for p in (0, 0.25, 0.5, 0.75, 1):
        drawn += [line("grid", left, at_y(p), width - right, at_y(p)), text(whole(p), left - 6, at_y(p) + 4, "end dim")]
    edge = [(at_x(p.n), at_y(p.high)) for p in points] + [(at_x(p.n), at_y(p.low)) for p in reversed(points)]
    drawn.append(shape("polygon", "band", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in edge)))
    drawn.append(path("path-line", [(at_x(p.n), at_y(p.k / p.n)) for p in points]))
    labels: list[tuple[float, str, str]] = []
    if claimed:
        check_rate("claimed", claimed[0] / claimed[1])
        y = at_y(claimed[0] / claimed[1])
        drawn.append(line("limit", left, y, width - right, y))
        labels.append((y, f"claimed {claimed[0]} of {claimed[1]}", ""))
    rate = whole(last.k / last.n)
    labels += [(at_y(end), whole(end), "dim") for end in (last.high, last.low) if whole(end) != rate]
    drawn += _apart([*labels, (at_y(last.k / last.n), rate, "bold")], 490)
    if outcomes:
        drawn.append(strip_marks(outcomes, left, height - bottom + 12, width - left - right, 16))
        words = "each trial in order: tall = succeeded"
    else:
        drawn.append(rect("track-bg", left, height - bottom + 20, width - left - right, 1))
        words = "trials"
    step = _round_step(total, 4)
    drawn += [text(str(n), at_x(n), height - bottom + 44, "mid dim") for n in range(step, total + 1, step)]
    drawn.append(text(words, (left + width - right) / 2, height - 4, "mid dim"))
    return "".join(drawn)


def _apart(labels: list[tuple[float, str, str]], x: float) -> list[str]:
    """Labels at the right edge, pushed down where two would touch."""
    drawn, floor_y = [], 0.0
    for y, words, css in sorted(labels):
        floor_y = max(y, floor_y + 15)
        drawn.append(text(words, x, floor_y + 4, css))
    return drawn
