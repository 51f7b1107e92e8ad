"""Expressions of RE2 that read any answer, also one with halves of surrogate pairs, which are no UTF-8."""

from __future__ import annotations

from typing import Any

import re2


def readable(text: str) -> str:
    """The text with a question mark for every half of a surrogate pair.

    >>> readable("a\\ud800b")
    'a?b'
    """
    return text.encode("utf-8", "replace").decode()


class Pattern:
    """One expression, compiled once; linear time on any text."""

    def __init__(self, expression: str) -> None:
        self._compiled: Any = re2.compile(expression)

    def found(self, text: str) -> bool:
        """Whether it is found anywhere."""
        try:
            return self._compiled.search(text) is not None
        except UnicodeEncodeError:
            return self._compiled.search(readable(text)) is not None

    def whole(self, text: str) -> Any:
        """The match of the whole text, or None."""
        try:
            return self._compiled.fullmatch(text)
        except UnicodeEncodeError:
            return self._compiled.fullmatch(readable(text))

    def every(self, text: str) -> list[str]:
        """What the expression's group caught, at every place."""
        try:
            return list(self._compiled.findall(text))
        except UnicodeEncodeError:
            return list(self._compiled.findall(readable(text)))
