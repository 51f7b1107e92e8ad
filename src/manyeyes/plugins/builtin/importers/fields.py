"""Reads single fields of parsed data and says which one is of the wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.plugins.imported import ImportRefused

Data = Mapping[str, Any]


def _wrong(where: str, wanted: str) -> ImportRefused:
    return ImportRefused("shape", f"{where} must be {wanted}; the file is not what the tool writes.")


def mapping(value: Any, where: str) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise _wrong(where, "an object")
    return value


def maybe_mapping(value: Any, where: str) -> dict[str, Any]:
    """An object; an empty one where there is none."""
    return {} if value is None else mapping(value, where)


def listed(value: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise _wrong(where, "a list")
    return value


def maybe_listed(value: Any, where: str) -> list[Any]:
    """A list; an empty one where there is none."""
    return [] if value is None else listed(value, where)


def text(value: Any, where: str) -> str:
    """Text."""
    if not isinstance(value, str):
        raise _wrong(where, "text")
    return value


def maybe_text(value: Any, where: str) -> str:
    """Text; empty where there is none."""
    return "" if value is None else text(value, where)


def whole(value: Any, where: str) -> int:
    """A whole number of a size that a count or a position can have."""
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _wrong(where, "a whole number")
    return value


def maybe_number(value: Any, where: str) -> float | None:
    """A number, or None where there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise _wrong(where, "a number")
    return float(value)


def maybe_flag(value: Any, where: str) -> bool | None:
    """True, False, or None where there is none."""
    if value is not None and not isinstance(value, bool):
        raise _wrong(where, "true or false")
    return value
