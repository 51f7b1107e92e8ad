"""The pencil of all charts: elements from a name, a class and numbers, with every text escaped."""

from __future__ import annotations

from html import escape

from manyeyes.charts.inert import terminal
from manyeyes.rules.numerals import percent


def number(value: float) -> str:
    """A coordinate with at most two decimals and no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shape(name: str, css: str = "", **geometry: float | str) -> str:
    """One closed element, for instance `shape("rect", "iv", x=0, y=3)`; `_` in a name stands for `-`."""
    given = [f'class="{escape(css)}"'] if css else []
    for key, value in geometry.items():
        shown = number(value) if isinstance(value, (int, float)) else escape(value)
        given.append(f'{key.replace("_", "-")}="{shown}"')
    return f"<{name} {' '.join(given)}/>"


def line(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    return shape("line", css, x1=x1, y1=y1, x2=x2, y2=y2)


def rect(css: str, x: float, y: float, width: float, height: float) -> str:
    """A box; a negative width is drawn as none."""
    return shape("rect", css, x=x, y=y, width=max(width, 0), height=height)


def dot(css: str, x: float, y: float, r: float) -> str:
    """A circle."""
    return shape("circle", css, cx=x, cy=y, r=r)


def path(css: str, points: list[tuple[float, float]]) -> str:
    """An open line through points."""
    return shape("polyline", css, points=" ".join(f"{number(x)},{number(y)}" for x, y in points))


def text(words: str, x: float, y: float, css: str = "") -> str:
    """Words at a place; escaped here, so that nobody can forget it."""
    css_part = f' class="{escape(css)}"' if css else ""
    return f'<text{css_part} x="{number(x)}" y="{number(y)}">{escape(terminal(words))}</text>'


def picture(body: str, width: float, height: float, title: str, *, boxed: bool = False) -> str:
    """The whole SVG with the finding as its name; `boxed` puts it into a focusable box that scrolls when narrow."""
    w, h = number(width), number(height)
    name = escape(terminal(title))
    drawn = (
        f'<svg class="chart fig" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{body}</svg>"
    )
    if not boxed:
        return drawn
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Chart, scrolls sideways when narrow">{drawn}</div>'
    )


def step_of(rate: float) -> int:
    """The step of the success ramp for a rate: 0, then 5, 15, 25, 35 and 60 % as lower edges of the darker ones."""
    return 0 if rate <= 0 else 1 + sum(rate >= edge for edge in (0.05, 0.15, 0.25, 0.35, 0.6))


def whole(rate: float) -> str:
    """A rate in percent; below 10 % with one decimal where that matters.

    >>> whole(0.34)
    '34\\u202f%'
    """
    return percent(rate)


def check_rate(name: str, value: float) -> None:
    """Refuse what is no share of a whole."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}; a rate lies between 0 and 1")


def check_counts(k: int, n: int, low: float, high: float) -> None:
    """Refuse counts and intervals that cannot be."""
    if not 0 <= k <= n:
        raise ValueError(f"k is {k} of n {n}; k lies between 0 and n")
    check_rate("low", low)
    check_rate("high", high)
    if low > high:
        raise ValueError(f"low {low} is above high {high}")
