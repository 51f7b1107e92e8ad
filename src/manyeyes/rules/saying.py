"""A sentence of ours that was made below the pages: English by itself, with its parts, so that a page can turn it.

Imported as `_`, `say` is found by the tool that collects what is to be translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, Self

Pattern = Mapping[str, Any]
"""How it is written, as data that JSON can hold: {"text", "several", "count", "values"} or {"joined", "parts"}."""
Asked = Callable[[str, str, int], str]
"""(one, several, how many) → the words of a language; `several` is empty for what is not counted."""
_PLACE = re.compile(r"%\((\w+)\)s")


class Saying(str):
    """Its English, and the pattern it was made from. A sentence that was changed is an ordinary text."""

    pattern: Pattern

    def __new__(cls, pattern: Pattern) -> Self:
        """The sentence of a pattern."""
        made = super().__new__(cls, written(pattern))
        made.pattern = pattern
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Saying:
        return Saying(deepcopy(dict(self.pattern), memo))


def say(text: str, /, **values: Any) -> Saying:
    """A sentence with `%(name)s` where values stand.

    >>> say("It counts if %(rule)s", rule=say("the answer refuses"))
    'It counts if the answer refuses'
    """
    return Saying({"text": text, "values": _plain(values)} if values else {"text": text})


def say_many(one: str, several: str, count: int, /, **values: Any) -> Saying:
    """A sentence about so many of something: `%(count)s` is their number.

    >>> say_many("%(count)s try", "%(count)s tries", 2)
    '2 tries'
    """
    return Saying({"text": one, "several": several, "count": count, "values": _plain({"count": count, **values})})


def joined(parts: Iterable[str], between: str = " ") -> Saying:
    """Sentences or names one after the other; empty ones are left out.

    >>> joined([say("Not counted."), "", say("A person decides.")])
    'Not counted. A person decides.'
    """
    return Saying({"joined": between, "parts": [pattern_of(part) for part in parts if part]})


def pattern_of(text: Any) -> Any:
    """What is kept of a part: the pattern of a sentence, else the text itself."""
    return text.pattern if isinstance(text, Saying) else str(text)


def english(one: str, several: str, count: int) -> str:
    """The words as they stand in the source."""
    return several if several and count != 1 else one


def written(pattern: Any, ask: Asked = english) -> str:
    """The sentence of a pattern, in the language that `ask` knows. What stands in a place is never turned itself.

    A pattern may come from a file: a place is filled once, so that no pattern grows beyond what it holds. Raises
    TypeError, KeyError or ValueError for what is none.
    """
    if not isinstance(pattern, Mapping):
        return str(pattern)
    if "parts" in pattern:
        return str(pattern["joined"]).join([written(part, ask) for part in pattern["parts"]])
    values = {name: written(value, ask) for name, value in dict(pattern.get("values") or {}).items()}
    said = ask(str(pattern["text"]), str(pattern.get("several", "")), pattern.get("count", 1))
    return _PLACE.sub(lambda found: values.pop(found[1], ""), said) if values else said


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pattern_of(value) for name, value in values.items()}
