"""Tests values of JSON against the conditions of a rule, and reads JSON from an answer within limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from manyeyes.plugins.builtin.detectors.pattern import Pattern
from manyeyes.reproducer.jsonpath import find, parse_path

MAX_JSON = 1_000_000
MAX_DEPTH = 200
_FENCED = Pattern(r"(?s)```[^\n`]*\n(.*?)```")


class UnreadableError(Exception):
    """Data too long or too deep to look at: the detector cannot tell."""


class Wanted:
    """One condition, ready to be held against values: a plain value to be equal to, or one named test."""

    def __init__(self, argument: Any) -> None:
        tests = dict(argument) if isinstance(argument, Mapping) else {"equals": argument}
        self.absent = bool(tests.pop("absent", False))
        self._tests = [_TESTS[name](wanted) for name, wanted in tests.items()]

    def holds(self, found: Sequence[Any]) -> bool:
        """Whether one of the values found passes; for `absent`, whether nothing (or only null) was found."""
        if self.absent:
            return all(value is None for value in found)
        return any(all(test(value) for test in self._tests) for value in found)


class AllWanted:
    """Conditions by name or path, all of which a mapping must meet."""

    def __init__(self, argument: Mapping[str, Any] | None) -> None:
        self._rows = [(parse_path(path), Wanted(wanted)) for path, wanted in (argument or {}).items()]

    def __bool__(self) -> bool:
        return bool(self._rows)

    def hold(self, data: Mapping[str, Any]) -> bool:
        """Whether every condition is met. Raises UnreadableError."""
        plain = dict(data)
        return all(wanted.holds(find(steps, plain)) for steps, wanted in self._rows)


def _equals(wanted: Any) -> Callable[[Any], bool]:
    # True is not 1 in JSON, though it is in Python.
    return lambda value: isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _contains(wanted: str) -> Callable[[Any], bool]:
    low = wanted.casefold()
    return lambda value: low in _text(value).casefold()


def _regex(wanted: str) -> Callable[[Any], bool]:
    pattern = Pattern(wanted)
    return lambda value: pattern.found(_text(value))


def _at_least(wanted: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and value >= wanted


def _at_most(wanted: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and value <= wanted


_TESTS: Mapping[str, Callable[[Any], Callable[[Any], bool]]] = {
    "equals": _equals,
    "contains": _contains,
    "regex": _regex,
    "at_least": _at_least,
    "at_most": _at_most,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UnreadableError(str(error)) from None


def read_json(text: str) -> Any:
    """The data of a JSON text. ValueError where it is none, UnreadableError where it is too long or too deep.

    Of a name that stands twice the last counts.
    """
    if len(text) > MAX_JSON:
        raise UnreadableError(f"longer than {MAX_JSON} characters")
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return orjson.loads(text)
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise UnreadableError(str(error)) from None
        raise
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableError(f"nested more than {MAX_DEPTH} deep")
        level = [child for node in level for child in _children(node)]
    return data


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def documents(text: str) -> list[Any]:
    """The JSON in an answer: the whole of it, else what its code blocks hold, else from its first bracket to its last.

    Empty where there is none. Raises UnreadableError.
    """
    if len(text) > MAX_JSON:
        raise UnreadableError(f"longer than {MAX_JSON} characters")
    for candidates in ([text], _FENCED.every(text), _bracketed(text)):
        found = []
        for candidate in candidates:
            try:
                found.append(read_json(candidate.strip()))
            except ValueError:
                continue
        if found:
            return found
    return []


def _bracketed(text: str) -> list[str]:
    starts = [place for mark in "{[" if (place := text.find(mark)) >= 0]
    end = max(text.rfind("}"), text.rfind("]"))
    return [text[min(starts) : end + 1]] if starts and end > min(starts) else []
