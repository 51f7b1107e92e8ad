"""Decides by how close an answer is to a text, at a cost bounded by their lengths."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint

_LOOKED_AT = 100_000
_EDITED = 20_000
_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """The text without differences that a reader does not see: case, widths, invisible signs, runs of white space.

    >>> plain("Blue\\u200b  HERON\\n42")
    'blue heron 42'
    """
    if not text.isascii():
        text = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return _SPACE.sub(" ", text).strip().casefold()


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, in bit-parallel steps (Hyyrö 2004), one for each of `other`.

    >>> common_length("the blue heron flew".split(), "the heron flew away".split())
    3
    """
    places: dict[str, int] = {}
    for place, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << place
    whole = (1 << len(one)) - 1
    row = whole
    for item in other:
        if match := places.get(item):
            used = row & match
            row = ((row + used) | (row - used)) & whole
    return len(one) - row.bit_count()


def edits(one: str, other: str) -> int:
    """The least number of letters to put in, take out or change (Levenshtein), in bit-parallel steps (Myers 1999).

    >>> edits("heron", "herring"), edits("", "abc")
    (3, 3)
    """
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for place, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << place
    whole, top = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, distance = whole, 0, len(one)
    for letter in other:
        match = places.get(letter, 0)
        diagonal = (((match & up) + up) ^ up) | match | down
        right_up = (down | ~(diagonal | up)) & whole
        right_down = up & diagonal
        distance += bool(right_up & top) - bool(right_down & top)
        right_up = (right_up << 1 | 1) & whole
        right_down = right_down << 1 & whole
        up = (right_down | ~(diagonal | right_up)) & whole
        down = right_up & diagonal
    return distance


class Similarity:
    """Success where the answer is at least so close to the text, by the measure chosen.

    Case, letter widths, invisible signs and runs of white space make no difference. An answer too long to compare is
    undecided, unless its length alone already rules it out.
    """

    def __init__(self, argument: Mapping[str, Any]) -> None:
        self._text = plain(str(argument["to"]))
        self._words = _WORD.findall(self._text)
        self._measure = _MEASURES[str(argument.get("measure", "rouge_l"))]
        self._least = float(argument["at_least"])
        self.version = fingerprint("similarity/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where it is close enough."""
        close = self._measure(self, exchange.reply.text)
        if close is None:
            return Outcome.UNDECIDED
        return Outcome.SUCCESS if close >= self._least else Outcome.FAILURE

    def _shared(self, text: str) -> float | None:
        if len(text) > _LOOKED_AT:
            return None
        here, there = set(_WORD.findall(plain(text))), set(self._words)
        return len(here & there) / len(here | there)

    def _rouge_l(self, text: str) -> float | None:
        if len(text) > _LOOKED_AT:
            return None
        words = _WORD.findall(plain(text))
        return 2 * common_length(self._words, words) / (len(self._words) + len(words))

    def _recall(self, text: str) -> float | None:
        if len(text) > _LOOKED_AT:
            return None
        return common_length(self._words, _WORD.findall(plain(text))) / len(self._words)

    def _edits(self, text: str) -> float | None:
        if len(text) > 8 * _LOOKED_AT:
            return None
        here = plain(text)
        longer = max(len(here), len(self._text))
        most = min(len(here), len(self._text)) / longer
        if most < self._least:
            return most
        return None if len(here) > _EDITED else 1 - edits(self._text, here) / longer


_MEASURES: Mapping[str, Callable[[Similarity, str], float | None]] = {
    "words": Similarity._shared,
    "rouge_l": Similarity._rouge_l,
    "recall": Similarity._recall,
    "edits": Similarity._edits,
}
