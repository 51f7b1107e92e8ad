"""The style sheet of a report: what it uses of the sheet of the pages, with the fonts inside, so that nothing loads."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from importlib.resources import files

FONTS = (
    ("Source Serif 4", "source-serif-4-latin-wght-normal.woff2"),
    ("Source Sans 3", "source-sans-3-latin-wght-normal.woff2"),
)
OWN = """
.report-title { font: 600 1.25rem/1.3 var(--serif) } .commands pre { white-space: pre-wrap; overflow-wrap: anywhere }
.evidence > .section:first-of-type { margin-top: 28px } .payload .turn pre { white-space: pre-wrap }
.table td, .table th { overflow-wrap: normal } .top .in, .foot .in { max-width: 1180px }
@media (max-width: 760px) { .three > section + section { padding-top: 8px } }
@media print { .section { break-inside: auto } .scroll { overflow: visible } figure .scroll > .fig { max-width: 100% }
  details.same { display: none } .evidence { padding: 0 } }
"""
"""What only a report needs."""
_NAME = re.compile(r"\.(-?[a-zA-Z_][\w-]*)|(?<![\w.#:\-\[\"'=])([a-z][a-z0-9]*)(?![\w(-])")
_IN_PAGE = re.compile(r"<([a-z][a-z0-9]*)|class=\"([^\"]*)\"")
_STATES = re.compile(r"::?[a-z-]+(\([^()]*\))*|\[[^\]]*\]|[>+~*]")


def sheet_for(page: str) -> str:
    """Every rule of the sheet that can apply to something in this page, the fonts, and what only reports need.

    Nothing in it names another file.
    """
    source = files("manyeyes").joinpath("static", "css", "manyeyes.css").read_text(encoding="utf-8")
    plain = re.sub(r"@font-face\s*{[^}]*}", "", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL))
    return "\n".join([*_fonts(), *_kept(plain, _used(page)), OWN.strip()])


def _fonts() -> Iterator[str]:
    for family, name in FONTS:
        data = base64.b64encode(files("manyeyes").joinpath("static", "fonts", name).read_bytes()).decode()
        yield (
            f'@font-face {{ font-family: "{family}"; font-weight: 200 900; font-display: swap; '
            f'src: url(data:font/woff2;base64,{data}) format("woff2") }}'
        )


def _used(page: str) -> frozenset[str]:
    """Tags, and classes with a dot."""
    found = {"html", "body"}
    for tag, classes in _IN_PAGE.findall(page):
        found |= {tag} if tag else {f".{name}" for name in classes.split()}
    return frozenset(found)


def _kept(sheet: str, used: frozenset[str]) -> Iterator[str]:
    for head, body in _blocks(sheet):
        if head.startswith("@media"):
            inner = list(_kept(body, used))
            if inner:
                yield f"{head} {{\n" + "\n".join(inner) + "\n}"
        elif selectors := [one for one in _selectors(head) if _applies(one, used)]:
            yield f"{', '.join(selectors)} {{{body}}}"


def _blocks(sheet: str) -> Iterator[tuple[str, str]]:
    """Each rule of one level: what stands before its braces, and what stands in them."""
    start = place = 0
    while (opening := sheet.find("{", place)) >= 0:
        depth, end = 1, opening + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(sheet[end], 0)
            end += 1
        yield sheet[start:opening].strip(), sheet[opening + 1 : end - 1].strip()
        start = place = end


def _selectors(head: str) -> list[str]:
    """The selectors of a rule; a comma inside brackets does not part them."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", head)]


def _applies(selector: str, used: frozenset[str]) -> bool:
    """Whether every tag and class that the selector names is in the page; states and attributes are not asked."""
    bare = _STATES.sub(" ", selector)
    names = [f".{name}" if name else tag for name, tag in _NAME.findall(bare)]
    return "data-theme=dark" not in selector and all(name in used for name in names)
