"""Where two results differ, in words; the last digits of an arithmetic on another computer are no difference."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CLOSE = 1e-9
"""So much two numbers may differ, as a share of the greater one."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as the bundle says."""

    what: str
    on_record: str
    found: str


def differing(name: str, one: Any, other: Any) -> Iterator[Difference]:
    """Where two results differ; the last digits of an arithmetic on another computer are no difference.

    >>> [found.what for found in differing("parts", [{"n": 3, "low": 0.1}], [{"n": 4, "low": 0.1 + 1e-15}])]
    ['parts[0].n']
    """
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differing(f"{name}.{key}", one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differing(f"{name}[{index}]", left, right)
    elif not _same(one, other):
        yield Difference(what=name, on_record=_short(one), found=_short(other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-12)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _worded(value: Any) -> str:
    """A value as a person reads it.

    >>> _worded([{"arm": "benign", "need": None}]), _worded([]), _worded(True), _worded(0.25)
    ('arm: benign, need: nothing', 'nothing', 'yes', '0.25')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_worded(one)}" for name, one in value.items()) or "nothing"
    if isinstance(value, list):
        return "; ".join(_worded(one) for one in value) or "nothing"
    return "nothing" if value is None else str(value)


def _short(value: Any) -> str:
    said = _worded(value)
    return said if len(said) <= 120 else f"{said[:119]}…"
