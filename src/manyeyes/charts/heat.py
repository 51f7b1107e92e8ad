"""The heat map of settings: one panel a prompt, temperature across, tokens down; the number is always printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from manyeyes.charts.draw import check_counts, line, picture, rect, shape, step_of, text, whole
from manyeyes.charts.table import SameTable, rate_cells

NOTES = {"worst": "worst", "tied": "tied for the highest rate", "maybe": "may be as bad"}
WIDE, HIGH, GAP, LEFT, TOP = 92, 84, 3, 62, 48


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One setting. `one_answer`: identical repeats, which count as one observation.

    `mark` is worst, tied (the highest rate, shared with others), maybe or empty.
    """

    k: int
    n: int
    low: float
    high: float
    one_answer: bool = False
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One prompt or wording: a row of cells per token limit, in the order of the columns; None where not tried."""

    name: str
    rows: Sequence[Sequence[Cell | None]]


def heat_map(
    panels: Sequence[Panel], *, temperatures: Sequence[str], tokens: Sequence[str], title: str
) -> tuple[str, SameTable]:
    """The panels side by side with a legend, and the same as a table."""
    for panel in panels:
        if len(panel.rows) != len(tokens) or any(len(row) != len(temperatures) for row in panel.rows):
            raise ValueError(f"panel {panel.name!r} is not {len(tokens)} rows of {len(temperatures)} cells")
    panel_wide = len(temperatures) * (WIDE + GAP) - GAP
    bottom = TOP + len(tokens) * (HIGH + GAP)
    drawn = [_hatch()]
    for index, panel in enumerate(panels):
        left = LEFT + index * (panel_wide + 26)
        drawn.append(text(panel.name, left, 16, "head"))
        drawn += [
            text(f"temperature {t}" if j == 0 else t, left + j * (WIDE + GAP) + WIDE / 2, TOP - 8, "mid dim")
            for j, t in enumerate(temperatures)
        ]
        drawn += _panel(panel, left)
    for row, limit in enumerate(tokens):
        y = TOP + row * (HIGH + GAP) + HIGH / 2
        drawn += [text(limit, LEFT - 10, y - 2, "end dim"), text("tokens", LEFT - 10, y + 12, "end dim")]
    tied = any(cell is not None and cell.mark == "tied" for panel in panels for row in panel.rows for cell in row)
    drawn.append(_legend(bottom + 16, "tied" if tied else "worst"))
    width = max(LEFT + len(panels) * (panel_wide + 26) - 22, 1030)
    svg = picture("".join(drawn), width, bottom + 40, title, boxed=True)
    return svg, _same(panels, temperatures, tokens, title)


def _hatch() -> str:
    stroke = line("hatch", 0, 0, 0, 6)
    return (
        '<defs><pattern id="one-answer" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)">{stroke}</pattern></defs>'
    )


def _panel(panel: Panel, left: float) -> list[str]:
    drawn, rings = [], []
    for row, cells in enumerate(panel.rows):
        for column, cell in enumerate(cells):
            x, y = left + column * (WIDE + GAP), TOP + row * (HIGH + GAP)
            if cell is None:
                drawn += [rect("cell f0", x, y, WIDE, HIGH), text("not tried", x + 8, y + 24, "dim")]
                continue
            check_counts(cell.k, cell.n, cell.low, cell.high)
            drawn.append(_cell(cell, x, y))
            if cell.mark in ("worst", "tied"):
                rings.append(rect("worst", x - 1, y - 1, WIDE + 2, HIGH + 2))
            elif cell.mark == "maybe":
                rings.append(rect("maybe", x + 2, y + 2, WIDE - 4, HIGH - 4))
    return drawn + rings


def _cell(cell: Cell, x: float, y: float) -> str:
    rate = cell.k / cell.n if cell.n else 0.0
    step = 0 if cell.one_answer else step_of(rate)
    drawn = [rect(f"cell f{step}", x, y, WIDE, HIGH)]
    if cell.one_answer:
        drawn.append(shape("rect", "", fill="url(#one-answer)", x=x, y=y, width=WIDE, height=HIGH))
        said = "every time" if cell.k else "never"
        drawn += [
            text("one answer", x + 8, y + 24, "on-cell bold-on"),
            text(f"{cell.k}/{cell.n}, {said}", x + 8, y + 42, "on-cell"),
        ]
        return "".join(drawn)
    bounded = f"≤ {whole(cell.high)}" if cell.high < 0.995 else "no bound"
    headline = bounded if cell.k == 0 else whole(rate)
    drawn += [text(headline, x + 8, y + 25, "on-cell big"), text(f"{cell.k}/{cell.n}", x + 8, y + 43, "on-cell")]
    drawn.append(_cell_bar(cell, rate, x + 8, y + HIGH - 15))
    return f"<g{' class=' + chr(34) + 'hi' + chr(34) if step >= 5 else ''}>{''.join(drawn)}</g>"


def _cell_bar(cell: Cell, rate: float, x: float, y: float) -> str:
    span = WIDE - 16
    axis = line("cell-axis", x, y, x + span, y)
    low, high, point = (x + p * span for p in (cell.low, cell.high, rate))
    if cell.k == 0:
        return axis + line("cell-mark dotted", x, y, high, y) + line("cell-mark", high, y - 5, high, y + 5)
    return axis + rect("cell-bar", low, y - 2, high - low, 4) + line("cell-mark", point, y - 6, point, y + 6)


def _legend(y: float, ringed: str) -> str:
    steps = ("none", "under 5 %", "5–14 %", "15–24 %", "25–34 %", "35–59 %", "60 % and up")
    drawn, x = [text("Share that succeeded", LEFT, y + 9, "dim")], LEFT + 128.0
    for step, words in enumerate(steps):
        drawn += [rect(f"cell f{step}", x, y - 2, 22, 14), text(words, x + 28, y + 9, "dim")]
        x += 42 + len(words) * 5.8
    drawn += [rect("worst", x, y - 2, 20, 13), text(ringed, x + 27, y + 9, "dim")]
    drawn += [rect("maybe", x + 68, y - 2, 20, 13), text("may be as bad", x + 95, y + 9, "dim")]
    drawn += [
        rect("cell f0", x + 188, y - 2, 22, 14),
        shape("rect", "", fill="url(#one-answer)", x=x + 188, y=y - 2, width=22, height=14),
    ]
    drawn.append(text("one answer", x + 216, y + 9, "dim"))
    return "".join(drawn)


def _same(panels: Sequence[Panel], temperatures: Sequence[str], tokens: Sequence[str], title: str) -> SameTable:
    """Worst first, as the reader of the table wants it."""
    found: list[tuple[float, tuple[str, ...]]] = []
    for panel in panels:
        for limit, cells in zip(tokens, panel.rows, strict=True):
            for temperature, cell in zip(temperatures, cells, strict=True):
                if cell is None:
                    continue
                rate = cell.k / cell.n if cell.n else 0.0
                words = rate_cells(cell.k, cell.n, cell.low, cell.high)
                if cell.one_answer:
                    words = (f"{cell.k}/{cell.n}", "one answer", "counts as one observation")
                found.append((rate, (panel.name, temperature, limit, *words, NOTES.get(cell.mark, ""))))
    found.sort(key=lambda row: -row[0])
    head = ("Prompt", "Temperature", "Max tokens", "Count", "Rate", "Interval", "Note")
    return SameTable(caption=title, head=head, rows=[row for _, row in found])
