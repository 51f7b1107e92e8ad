"""Reads a policy written as Markdown: headings are matched to the sections that the linter knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from manyeyes.rules.policy_templates import SECTIONS

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{3,})[ \t]*$")
_TITLE = re.compile(r"polic(?:y|ies)\b|disclosure program|^security$", re.IGNORECASE)

SCOPE, FIGURES = "scope", "figures"
_WORDS: tuple[tuple[str, str], ...] = (
    (FIGURES, r"promises in figures"),
    ("out_of_scope", r"out[- ]of[- ]scope|not in scope|exclusions?|excluded|what .*not .*(?:cover|accept)"),
    ("safe_harbor", r"safe[- ]harbou?r|authori[sz]ation|legal"),
    ("summary", r"^in short$|summary|tl;?dr|at a glance"),
    ("rewards", r"reward|bount|payment|recognition"),
    ("ai_research", r"\bai\b|models?\b|prompts?\b|machine learning"),
    ("disclosure", r"publi(?:sh|c)|disclos(?:ure|ing)|credit|acknowledg"),
    ("promises", r"we promise|our (?:promises?|commitments?)|expect|from us|response|we will"),
    ("channels", r"channels?|how to report|report(?:ing)? a|^reporting|submit|contact"),
    ("rules", r"how to test|guidelines|rules|test methods?|we ask|your (?:duties|part)|conduct|methodolog"),
    (SCOPE, r"scope|systems? covered"),
    ("introduction", r"introduction|about|purpose|this program|who we are|brand promise"),
)
_KNOWN = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _WORDS)
_OWN = {heading.lower(): name for name, heading in SECTIONS.items()}


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was understood: section name to text in reading order, and the headings that matched none.

    The scope is a section called `scope`; text under an unmatched heading stays with the section before it.
    """

    sections: Mapping[str, str]
    unmatched: tuple[str, ...]


def read(text: str) -> Read:
    """Reads Markdown. What stands before the first heading is the introduction, unless there is one of that name.

    >>> found = read("# Our policy\\nHello.\\n## Safe harbour\\nWe will not sue you.\\n## Weather\\nMild.")
    >>> dict(found.sections)
    {'introduction': 'Hello.', 'safe_harbor': 'We will not sue you.\\n\\nWeather\\n\\nMild.'}
    >>> found.unmatched
    ('Weather',)
    """
    found: dict[str, list[str]] = {}
    before: list[str] = []
    unmatched: list[str] = []
    current = before
    for number, (kind, line) in enumerate(_lines(text)):
        if kind != "heading":
            current.append(line)
        elif name := _section(line):
            current = found.setdefault(name, [])
            current.append("")
        elif not (number == 0 or _TITLE.search(line)):
            unmatched.append(line)
            current += ["", line, ""]
    found.pop(FIGURES, None)
    if "introduction" not in found:
        found = {"introduction": before, **found}
    said = {name: "\n".join(lines).strip() for name, lines in found.items()}
    order = ["summary", "introduction", SCOPE, *[name for name in SECTIONS if name not in ("summary", "introduction")]]
    return Read(sections={name: said[name] for name in order if said.get(name)}, unmatched=tuple(unmatched))


def _section(heading: str) -> str:
    """The section a heading names, "" for none. The words of our own headings come first."""
    plain = re.sub(r"^[\d.\s]+|[*_`:]+", "", heading).strip().lower()
    if plain in _OWN:
        return _OWN[plain]
    if _TITLE.search(plain):
        return ""
    return next((name for name, pattern in _KNOWN if pattern.search(plain)), "")


def _lines(text: str) -> list[tuple[str, str]]:
    """(heading or text, line); a line inside a fence is never a heading, an underlined line is one."""
    found: list[tuple[str, str]] = []
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading:
            found.append(("heading", heading[2]))
        elif not fenced and _UNDERLINE.match(line) and found and found[-1][0] == "text" and found[-1][1].strip():
            found[-1] = ("heading", found[-1][1].strip())
        elif found or line.strip():
            found.append(("text", line))
    return found
