"""A reproducer's success rule in words, for the person who judges answers by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_JOINED = {"all": " and ", "any": " or "}


def criterion_words(rule: Mapping[str, Any]) -> str:
    """What an answer must be to count, as the end of "It counts if …". The texts in it are as hostile as the file.

    >>> criterion_words({"contains": "9"})
    'the answer contains “9”'
    >>> criterion_words({"all": [{"human": "Is it the code?"}, {"not": {"refusal": True}}]})
    'your answer is yes to “Is it the code?” and not (the answer refuses)'
    """
    (kind, argument), *_ = rule.items()
    if kind in _JOINED:
        return _JOINED[kind].join(_inner(one) for one in argument)
    if kind == "not":
        return f"not ({criterion_words(argument)})"
    if kind == "contains":
        text, case = (argument, False) if isinstance(argument, str) else (argument["text"], argument.get("case"))
        return f"the answer contains “{text}”{' (in these capitals)' if case else ''}"
    if kind == "canary":
        return f"the answer gives away “{argument}”, also spelled apart or encoded"
    if kind == "regex":
        return f"the answer matches the pattern “{argument}”"
    if kind == "human":
        return f"your answer is yes to “{argument}”"
    return "the answer refuses" if kind == "refusal" else f"the detector {kind} finds it"


def _inner(rule: Mapping[str, Any]) -> str:
    """A child of a list; a list inside a list gets brackets, so that "and" and "or" are not confused."""
    words = criterion_words(rule)
    return f"({words})" if set(rule) & set(_JOINED) and len(next(iter(rule.values()))) > 1 else words
