"""Finds what a policy says in two ways: two times for one promise, a right that is given and taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from manyeyes.rules.policy_findings import ERROR, Finding, quote


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_COUNT = r"(?P<count>\d{1,4})\s*(?:calendar |business |working )?(?P<unit>hours?|days?)"
_ANSWER = _re(
    rf"\b(?:answers?|acknowledges?|responds?|replies|reply)\b (?:you |to you |your report |receipt )?within {_COUNT}"
)
_DECISION = _re(rf"\bwithin {_COUNT} we (?:tell you whether|decide|say whether)")
_WINDOW = _re(rf"{_COUNT}(?: have passed)? (?:since|after|from) (?:your|the) (?:first )?report")
_PAIRS = (
    (
        "money",
        _re(r"\b(?:no|not pay|does not pay|do not pay)\b[^.]{0,30}\b(?:bount(?:y|ies)|rewards?|money)\b"),
        _re(r"\bwe (?:will )?pay\b|\bbounty of\b|\brewards? (?:of|from|between) "),
        "It pays nothing and it pays.",
        "Say one of the two, in the rewards.",
    ),
    (
        "counting",
        _re(r"\bhow (?:often|many)\b[^.]{0,60}\b(?:works?|succeed|tries)"),
        _re(
            r"\bno (?:automat\w+|script\w*)\b|\b(?:automat\w+|script\w*)\b[^.]{0,40}\b(?:are|is) (?:strictly )?"
            r"(?:forbidden|prohibited|banned|excluded|not )|\b(?:do not|don['’]t|never|must not) (?:use|run|"
            r"send) (?:any )?"
            r"(?:automat\w+|script\w*|bots?)\b"
        ),
        "A count of successes is asked for, and automated tries are forbidden.",
        "Allow automated tries within a limit of calls.",
    ),
)


def figures_said(terms: Mapping[str, Any]) -> str:
    """The promises in figures as sentences that the patterns here can read beside the text.

    >>> figures_said({"first_response_hours": 48, "pays": False})
    'A person answers within 48 hours. We do not pay money.'
    """
    said = []
    if hours := terms.get("first_response_hours"):
        said.append(f"A person answers within {hours} hours.")
    if hours := terms.get("decision_hours"):
        said.append(f"Within {_whole_days(hours)} we decide.")
    if days := terms.get("embargo_days"):
        said.append(f"You may speak {days} days after your report.")
    if "pays" in terms:
        said.append("We pay." if terms["pays"] else "We do not pay money.")
    return " ".join(said)


def _whole_days(hours: int) -> str:
    return f"{max(1, round(hours / 24))} days"


def contradictions(said: Mapping[str, str]) -> Iterator[Finding]:
    """Every pair of statements that cannot both hold, as far as fixed patterns can tell."""
    whole = {name: " ".join(text.split()) for name, text in said.items()}
    for code, first, second, message, mend in _PAIRS:
        one = _first(first, whole.items())
        other = _first(second, whole.items())
        if one and other:
            yield Finding(
                level=ERROR,
                code=f"contradiction.{code}",
                section=other[0],
                message=f"{message} It says “{quote(one[1])}” and “{quote(other[1])}”.",
                mend=mend,
                quote=quote(other[1]),
            )
    yield from _two_numbers("answer", _ANSWER, whole, "a first answer")
    yield from _two_numbers("decision", _DECISION, whole, "a decision")
    yield from _two_numbers("window", _WINDOW, whole, "the window for publishing")


def _first(pattern: re.Pattern[str], texts: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    return next(((name, found.group()) for name, text in texts if (found := pattern.search(text))), None)


def _two_numbers(code: str, pattern: re.Pattern[str], whole: Mapping[str, str], of: str) -> Iterator[Finding]:
    """Two different times given for one promise."""
    seen: dict[int, tuple[str, str]] = {}
    for name, text in whole.items():
        for found in pattern.finditer(text):
            unit = 1 if found["unit"].lower().startswith("h") else 24
            seen.setdefault(int(found["count"]) * unit, (name, found.group()))
    if len(seen) > 1:
        (_, one), (name, other) = list(seen.values())[:2]
        yield Finding(
            level=ERROR,
            code=f"contradiction.{code}",
            section=name,
            message=f"Two times are promised for {of}: “{quote(one)}” and “{quote(other)}”.",
            mend="Keep one.",
            quote=quote(other),
        )
