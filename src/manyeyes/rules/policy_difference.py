"""What changed between two texts, word by word; lines are compared first, so that long texts stay cheap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from manyeyes.rules.policy_templates import SECTIONS

SAME, OUT, IN = "same", "out", "in"
HEADINGS: Mapping[str, str] = {**SECTIONS, "scope": "Scope", "figures": "The promises in figures"}
_MOST_WORDS = 1500
_LEAST_ALIKE = 0.4
"""Below this share of common words two passages are shown one after the other: word by word nobody could read them."""
_WORD = re.compile(r"\S+\s*|\s+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A run of words that is the same in both texts, was taken out, or was put in."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A part that differs: added, removed or changed as a whole, with its pieces in reading order."""

    name: str
    heading: str
    kind: str
    pieces: tuple[Piece, ...]

    def text(self) -> str:
        """The pieces as plain text, [-taken out-] and {+put in+} as wdiff writes them."""
        form = {SAME: "{}", OUT: "[-{}-]", IN: "{{+{}+}}"}
        return "".join(form[piece.kind].format(piece.text) for piece in self.pieces)


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """The parts that differ, in the order of the new text.

    >>> [found] = changes({"rules": "Prove it and stop."}, {"rules": "Prove it twice and stop."})
    >>> found.text()
    'Prove it {+twice +}and stop.'
    """
    found = []
    for name in dict.fromkeys((*new, *old)):
        before, after = old.get(name, "").strip(), new.get(name, "").strip()
        if before.split() != after.split():
            kind = "changed" if before and after else "added" if after else "removed"
            pieces = tuple(between(before, after))
            found.append(Change(name=name, heading=HEADINGS.get(name, name), kind=kind, pieces=pieces))
    return found


def between(old: str, new: str) -> list[Piece]:
    """Both texts as one run of pieces: without those put in it is the old text, without those taken out the new.

    >>> [(piece.kind, piece.text) for piece in between("wait 90 days", "wait 60 days")]
    [('same', 'wait '), ('out', '90 '), ('in', '60 '), ('same', 'days')]
    """
    lines: tuple[list[str], list[str]] = (_LINE.findall(old), _LINE.findall(new))
    found: list[Piece] = []
    for kind, text in _walk(lines[0], lines[1], deeper=True):
        if text and found and found[-1].kind == kind:
            found[-1] = Piece(kind=kind, text=found[-1].text + text)
        elif text:
            found.append(Piece(kind=kind, text=text))
    return found


def _alike(old: Sequence[str], new: Sequence[str]) -> bool:
    if len(old) + len(new) > _MOST_WORDS:
        return False
    return min(len(old), len(new)) < 4 or SequenceMatcher(None, old, new, autojunk=False).ratio() >= _LEAST_ALIKE


def _walk(old: Sequence[str], new: Sequence[str], *, deeper: bool) -> Iterator[tuple[str, str]]:
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        before, after = "".join(old[i:j]), "".join(new[k:m])
        words = (_WORD.findall(before), _WORD.findall(after)) if deeper and tag == "replace" else ([], [])
        if tag == "equal":
            yield SAME, before
        elif words[0] and words[1] and _alike(*words):
            yield from _walk(*words, deeper=False)
        else:
            yield OUT, before
            yield IN, after
