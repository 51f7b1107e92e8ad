"""The grid of settings in a terminal: a block for each rate, the count beside it, marks for the worst; no colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from manyeyes.rules.numerals import percent

Row = Mapping[str, Any]
BLOCKS = "▁▂▃▄▅▆▇█"
UNICODE, PLAIN = ("◆", "◇", "…"), ("*", "+", "...")
"""Marks of the worst setting and of those that may be as bad, and the sign of a cut name."""
WIDE = 18


def drawable(out: TextIO | None = None) -> bool:
    """Whether blocks can be written there."""
    encoding = (getattr(out or sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return encoding.startswith("utf") and os.environ.get("TERM") != "dumb"


def grid(rows: Sequence[Row], *, leader: str = "", not_excluded: Sequence[str] = (), blocks: bool = True) -> str:
    """One picture a system prompt (and wording, where there are several): temperature across, tokens down.

    `rows` are the settings of a result; `leader` and `not_excluded` name cells. Without `blocks` only letters of ASCII
    are used. Empty where nothing was tried.
    """
    tried = [row for row in rows if row["n"]]
    several = len({row["wording"] for row in tried}) > 1
    panels = dict.fromkeys(_panel(row, several) for row in tried)
    drawn = [_drawn(name, [row for row in tried if _panel(row, several) == name], leader, not_excluded, blocks)
             for name in panels]  # fmt: skip
    if not drawn:
        return ""
    worst, maybe, _ = UNICODE if blocks else PLAIN
    legend = [f"{worst} worst"] if leader else []
    legend += [f"{maybe} may be as bad"] if len(set(not_excluded) - {leader}) else []
    return "\n\n".join(drawn) + (f"\n\n{'   '.join(legend)}" if legend else "")


def _panel(row: Row, several: bool) -> str:
    system = row["parameters"].get("system")
    name = f"Prompt: {system}" if system else "Prompt as deployed"
    return f"{name}, wording {row['wording']}" if several else name


def _drawn(name: str, rows: Sequence[Row], leader: str, not_excluded: Sequence[str], blocks: bool) -> str:
    heats = sorted({_knob(row, "temperature") for row in rows})
    lengths = sorted({_knob(row, "max_tokens") for row in rows}, reverse=True)
    found = {(_knob(row, "max_tokens"), _knob(row, "temperature")): row for row in rows}
    head = "tokens".rjust(8) + "  " + "".join(f"temperature {_shown(heat)}".ljust(WIDE) for heat in heats)
    lines = [name, head.rstrip()]
    for length in lengths:
        cells = [_cell(found.get((length, heat)), leader, not_excluded, blocks) for heat in heats]
        lines.append((_shown(length).rjust(8) + "  " + "".join(cell.ljust(WIDE) for cell in cells)).rstrip())
    return "\n".join(lines)


def _knob(row: Row, name: str) -> float:
    value = row["parameters"].get(name)
    return -1.0 if value is None else float(value)


def _shown(value: float) -> str:
    return "not set" if value < 0 else f"{value:g}"


def _cell(row: Row | None, leader: str, not_excluded: Sequence[str], blocks: bool) -> str:
    if row is None:
        return "-"
    worst, maybe, _ = UNICODE if blocks else PLAIN
    mark = worst if row["cell"] == leader else maybe if row["cell"] in not_excluded else ""
    if row["one_answer"]:
        said = f"one answer {row['k']}/{row['n']}"
    else:
        rate = row["k"] / row["n"]
        block = BLOCKS[min(int(rate * len(BLOCKS)), len(BLOCKS) - 1)] + " " if blocks else ""
        said = f"{block}{percent(rate)} {row['k']}/{row['n']}"
    said = f"{said} {mark}".rstrip()
    return said if blocks else said.replace("\u202f", " ").replace("–", "-")
