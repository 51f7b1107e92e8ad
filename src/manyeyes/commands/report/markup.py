"""Small pieces of a report's page; every text is escaped here, so that nobody can forget it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from manyeyes.charts.icons import icon
from manyeyes.charts.inert import segments
from manyeyes.charts.pictures import Picture
from manyeyes.charts.table import SameTable

THIN = "\u202f"


def inert(text: str) -> str:
    """Hostile text: escaped, and every character that hides, turns or pretends as a boxed label.

    >>> inert("<b>a\u200b</b>")
    '&lt;b&gt;a<span class="box">U+200B zero width space</span>&lt;/b&gt;'
    """
    return "".join(
        escape(part.raw.replace("\r\n", "\n"))
        if part.kind == "plain"
        else f'<span class="box">{escape(part.label)}</span>'
        for part in segments(text)
    )


def ours(text: str) -> str:
    """A sentence of ours, in which names from the file may stand: inert, but for the thin space before a percent sign.

    >>> ours("35\u202f% at x\u202fy")
    '35\u202f% at x<span class="box">U+202F narrow no-break space</span>y'
    """
    return f"{THIN}%".join(inert(part) for part in text.split(f"{THIN}%"))


def section(name: str, title: str, body: str, *, css: str = "section stack") -> str:
    """A part of the page with its heading; nothing where there is no body."""
    if not body:
        return ""
    return f'<section class="{css}" aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{body}</section>'


def figure(picture: Picture | None, caption: str) -> str:
    """A drawing with its caption (markup) and the same as a table."""
    if picture is None:
        return ""
    drawn, same = picture
    return f"<figure>{drawn}<figcaption>{caption}</figcaption>{same_table(same)}</figure>"


def same_table(same: SameTable) -> str:
    """What a drawing shows, as a table to unfold."""
    body = "".join(_row([ours(cell) for cell in row]) for row in same.rows)
    rows = f"{len(same.rows)} row" + ("" if len(same.rows) == 1 else "s")
    return (
        f'<details class="same"><summary>The same as a table ({rows})</summary>'
        f"{scrolled(_table(same.head, body, same.caption, css='table same'), same.caption)}</details>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table whose cells are markup; the first cell of a row is its heading."""
    return scrolled(_table(head, "".join(_row(row) for row in rows), caption, css="table"), caption)


def scrolled(inner: str, name: str) -> str:
    """A box that scrolls by itself where the page is narrow."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name)}">{inner}</div>'


def _table(head: Sequence[str], body: str, caption: str, *, css: str) -> str:
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    return (
        f'<table class="{css}"><caption class="sr">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(cells: Sequence[str]) -> str:
    rest = "".join(f"<td>{cell}</td>" for cell in cells[1:])
    return f'<tr><th scope="row">{cells[0]}</th>{rest}</tr>'


def pairs(rows: Iterable[tuple[str, str]], *, css: str = "kv") -> str:
    """Names and what they are, both as plain text."""
    if css == "facts":
        return (
            '<dl class="facts">'
            + "".join(f"<div><dt>{escape(a)}</dt><dd>{ours(b)}</dd></div>" for a, b in rows)
            + "</dl>"
        )
    return (
        f'<dl class="{css}">'
        + "".join(f'<dt>{escape(a)}</dt><dd class="cut">{ours(b)}</dd>' for a, b in rows)
        + "</dl>"
    )


def sign(passed: bool, name: str, said: str) -> str:
    """One thing that was looked at."""
    glyph = icon("check") if passed else icon("triangle")
    word = "" if passed else ' <span class="bad">not passed</span>'
    return (
        f'<li class="sign">{glyph}<span><b>{ours(name[:1].upper() + name[1:])}</b>{word}<br>'
        f'<span class="small soft">{ours(said)}</span></span></li>'
    )
