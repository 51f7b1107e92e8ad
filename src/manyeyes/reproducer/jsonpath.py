"""A small, bounded JSON path: enough to point into an answer, and no expression that can run away.

The steps are `.name`, `["name"]`, `[3]`, `[-1]`, `[*]` (every entry or value) and `..name` (at any depth); `$` in front
is optional. There are no filters, slices or scripts, so a path takes at most (steps x values of the data) time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

MAX_STEPS = 32
_STEP = re2.compile(
    r'^(?:(\.\.?)([\pL\pN_][\pL\pN_-]*|\*)|\[(-?\d{1,9})\]|\[(\*)\]|\[("(?:[^"\\]|\\.)*")\]|\[\'([^\'\\]*)\'\])'
)
_SAID = '; steps are .name, ["name"], [3], [-1], [*], ..name'


@dataclass(frozen=True)
class Step:
    """One step: a name, a place in a list, or (both None) everything; `deep` looks at every depth below."""

    name: str | None = None
    place: int | None = None
    deep: bool = False


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. ValueError says where it cannot be read.

    >>> [step.name if step.place is None else step.place for step in parse_path("$.calls[-1]..to")]
    ['calls', -1, 'to']
    >>> parse_path("calls[?(@.x)]")
    Traceback (most recent call last):
    ValueError: cannot be read from '[?(@.x)]' on; steps are .name, ["name"], [3], [-1], [*], ..name
    """
    rest = text[1:] if text.startswith("$") else text if text[:1] in (".", "[") else f".{text}"
    steps: list[Step] = []
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise ValueError(f"cannot be read from {rest[:40]!r} on{_SAID}")
        steps.append(_step(match))
        rest = rest[match.end() :]
    if len(steps) > MAX_STEPS:
        raise ValueError(f"has {len(steps)} steps; at most {MAX_STEPS} are allowed")
    return tuple(steps)


def _step(match: Any) -> Step:
    dots, word, place, star, quoted, plain = match.groups()
    if place is not None:
        return Step(place=int(place))
    if star is not None:
        return Step()
    if word is not None:
        return Step(name=None if word == "*" else word, deep=dots == "..")
    if plain is not None:
        return Step(name=plain)
    try:
        return Step(name=json.loads(quoted))
    except ValueError:
        raise ValueError(f"has a name in quotes that is not JSON text: {quoted}") from None


def find(steps: Iterable[Step], data: Any) -> list[Any]:
    """Every value that a path points at, in the order of the data; nothing where a step leads nowhere.

    >>> find(parse_path("$.calls[*].to"), {"calls": [{"to": "a"}, {"cc": "b"}, {"to": "c"}]})
    ['a', 'c']
    """
    found = [data]
    for step in steps:
        # Containers that were reached twice are walked once, so that `..` after `..` stays linear.
        found = [value for node in (_below(found) if step.deep else found) for value in _take(step, node)]
    return found


def _take(step: Step, node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if step.name is not None:
            if step.name in node:
                yield node[step.name]
        elif step.place is None:
            yield from node.values()
    elif isinstance(node, list):
        if step.place is not None:
            if -len(node) <= step.place < len(node):
                yield node[step.place]
        elif step.name is None:
            yield from node


def _below(nodes: Iterable[Any]) -> Iterator[Any]:
    """Every container at or below these, each once, parents first; no recursion, however deep the data."""
    seen: set[int] = set()
    waiting = [node for node in nodes if isinstance(node, dict | list)][::-1]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        children = node.values() if isinstance(node, dict) else node
        waiting += [child for child in children if isinstance(child, dict | list)][::-1]
