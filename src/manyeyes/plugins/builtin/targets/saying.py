"""Reads what an HTTP target says of itself: which answers are faults, how long to wait, and what is fit for a log."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from manyeyes.plugins.protocols import TargetError

MOST_TOKENS = 1_000_000_000
"""A target that says a call took more than this is not believed."""
_LATER = frozenset({408, 409, 425})
_FEWER = frozenset({429, 503, 529})


def refuse(status: int, headers: Mapping[str, str], raw: bytes) -> NoReturn:
    """Raises the TargetError that an answer with another status than 200 stands for."""
    said = excerpt(raw)
    if status in _FEWER:
        after = retry_after(headers.get("Retry-After"))
        raise TargetError(
            f"asked for fewer calls (HTTP {status}){said}", throttled=True, retry_after=after, status=status
        )
    if status >= 500 or status in _LATER:
        after = retry_after(headers.get("Retry-After"))
        raise TargetError(f"answered HTTP {status}{said}", retry_after=after, status=status)
    if 300 <= status < 400:
        raise TargetError(f"answered HTTP {status}; redirects are not followed", retryable=False, status=status)
    raise TargetError(f"refused the request: HTTP {status}{said}", retryable=False, status=status)


def fault_in(error: Any, raw: bytes) -> NoReturn:
    """Raises the TargetError for an error told inside an answer with status 200; its own code is believed."""
    code = error.get("code") if isinstance(error, Mapping) else None
    kind = error.get("type") if isinstance(error, Mapping) else None
    fewer = code in _FEWER or {code, kind} & {"rate_limit_exceeded", "rate_limit_error", "overloaded_error"} != set()
    raise TargetError(f"HTTP 200, but an error{excerpt(raw)}", throttled=fewer, status=200)


def name(value: Any) -> str | None:
    """A short name as a target gave it; None where it is no text."""
    return printable(value[:200]) if isinstance(value, str) else None


def count(value: Any) -> int | None:
    """A number of tokens as a target gave it; None where it cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None


def excerpt(raw: bytes) -> str:
    """The beginning of an answer, for the end of a message: with a colon before it, or nothing."""
    said = printable(" ".join(raw[:2_000].decode("utf-8", "replace").split())[:200])
    return f": {said}" if said else ""


def printable(said: str) -> str:
    """What a target says of itself, fit for a terminal and a log: nothing that moves a cursor or turns text around.

    >>> printable("bad \x1b[31mkey")
    'bad \ufffd[31mkey'
    """
    if said.isprintable():
        return said
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in said)


def retry_after(value: str | None, *, now: float | None = None) -> float | None:
    """The seconds a Retry-After header asks for, given as seconds or as a date; None where it says nothing usable.

    >>> retry_after("7"), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=50.0), retry_after("soon")
    (7.0, 10.0, None)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = moment - (time.time() if now is None else now)
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
