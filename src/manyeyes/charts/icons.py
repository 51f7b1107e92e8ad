"""Icons on a 16 px grid and the mark, drawn for manyeyes: inline SVG that takes the colour of its text."""

from __future__ import annotations

from html import escape
from math import cos, pi, sin

_LINE = 'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"'
_RING = f'<circle cx="8" cy="8" r="5.75" {_LINE}/>'


def _letter(sign: str) -> str:
    return f'{_RING}<text class="gl" x="8" y="11.2" text-anchor="middle">{sign}</text>'


def _pie(part: float) -> str:
    """A ring that fills clockwise with progress."""
    if part <= 0:
        return _RING
    angle = 2 * pi * part - pi / 2
    x, y = 8 + 3.4 * cos(angle), 8 + 3.4 * sin(angle)
    big = 1 if part > 0.5 else 0
    return f'{_RING}<path d="M8 8V4.6A3.4 3.4 0 {big} 1 {x:.2f} {y:.2f}Z" fill="currentColor"/>'


ICONS: dict[str, str] = {
    "check": f'<path d="M2.75 8.5l3.5 3.75 7-8" {_LINE}/>',
    "cross": f'<path d="M4 4l8 8M12 4l-8 8" {_LINE}/>',
    "dash": f'{_RING}<path d="M5.5 8h5" {_LINE}/>',
    "equals": f'{_RING}<path d="M5.6 6.8h4.8M5.6 9.3h4.8" {_LINE}/>',
    "question": _letter("?"),
    "info": _letter("i"),
    "unknown": f'<circle cx="8" cy="8" r="5.75" {_LINE} stroke-dasharray="2.4 2.6"/>'
    f'<path d="M6.2 6.6a1.85 1.85 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.2M8 11.4v.1" {_LINE}/>',
    "waiting": f'<circle cx="8" cy="8" r="5.75" {_LINE} stroke-dasharray="2.4 2.6"/>',
    "triangle": f'<path d="M8 2.5l6 10.75H2zM8 6.75v3M8 11.4v.1" {_LINE}/>',
    "clock": f'{_RING}<path d="M8 4.75V8l2.25 1.75" {_LINE}/>',
    "pause": f'<path d="M5.5 3.5v9M10.5 3.5v9" {_LINE}/>',
    "lock": f'<rect x="3" y="7.25" width="10" height="6.5" rx="1" fill="currentColor"/>'
    f'<path d="M5.25 7V5.1a2.75 2.75 0 0 1 5.5 0V7" {_LINE}/>',
    "eye": f'<path d="M1.5 8c3.2-5.3 9.8-5.3 13 0-3.2 5.3-9.8 5.3-13 0z" {_LINE}/>'
    '<circle cx="8" cy="8" r="2" fill="currentColor"/>',
    "fold": f'<path d="M3.5 6l4.5 4.5L12.5 6" {_LINE}/>',
    "copy": f'<rect x="5.75" y="5.75" width="7.5" height="7.5" rx="1" {_LINE}/>'
    f'<path d="M10.25 3.5a.75.75 0 0 0-.75-.75H3.5a.75.75 0 0 0-.75.75v6c0 .4.3.75.75.75" {_LINE}/>',
    "link": f'<path d="M6.75 9.25l2.5-2.5M7.5 4.75l1.4-1.4a2.6 2.6 0 0 1 3.7 3.7l-1.4 1.4'
    f'M8.5 11.25l-1.4 1.4a2.6 2.6 0 0 1-3.7-3.7l1.4-1.4" {_LINE}/>',
    "person": f'<circle cx="8" cy="5.25" r="2.75" {_LINE}/>'
    f'<path d="M2.75 13.5c.9-3 2.7-4 5.25-4s4.35 1 5.25 4" {_LINE}/>',
    "arrow": f'<path d="M2.5 8h11M9.25 3.75L13.5 8l-4.25 4.25" {_LINE}/>',
    "diamond": f'<path d="M8 2.5L13.5 8 8 13.5 2.5 8z" {_LINE}/>',
    **{f"ring-{step}": _pie(step / 6) for step in range(6)},
}


def icon(name: str, *, label: str = "", size: int = 16) -> str:
    """The icon `name`; with a `label` it speaks for itself, without one it only decorates the word beside it."""
    if name not in ICONS:
        raise ValueError(f"no icon {name!r}; there are {', '.join(sorted(ICONS))}")
    voice = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return f'<svg class="icon" viewBox="0 0 16 16" width="{size}" height="{size}" {voice}>{ICONS[name]}</svg>'


def mark(*, size: int = 22) -> str:
    """Nine rings, the middle one filled: one success among n, many eyes."""
    rings = "".join(
        f'<circle class="ring" cx="{x}" cy="{y}" r="2.4"/>'
        for y in (4, 12, 20)
        for x in (4, 12, 20)
        if (x, y) != (12, 12)
    )
    rings += '<circle class="seen" cx="12" cy="12" r="3.3"/>'
    return f'<svg class="mark" viewBox="0 0 24 24" width="{size}" height="{size}" aria-hidden="true">{rings}</svg>'
