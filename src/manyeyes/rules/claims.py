"""What a researcher counted beside what was measured, in words: whether they fit, and what chance may explain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manyeyes.rules.numerals import count_words, interval_words

Rate = Mapping[str, Any]

PLACES = {
    "inside": "The claimed rate lies within what was measured: the two agree.",
    "below": "The claimed rate lies below what was measured: here it works more often than claimed.",
    "above": "The claimed rate lies above what was measured: here it works less often than claimed.",
}
CHANCE = "The two intervals overlap, so chance alone may explain the difference."
CLEAR = (
    "The two intervals do not overlap, so chance alone hardly explains it: look at settings, version and success rule."
)
ELSEWHERE = "The claim is for other settings than those that were measured, so the two are not held against each other."
NOT_YET = "Nothing was measured yet that the claim could be held against."


def claim_words(claim: Rate, measured: Rate | None) -> str:
    """A few sentences. `claim` has k, n, low, high and `place`, `measured` k, n, low and high (None: nothing yet).

    >>> rate = {"k": 28, "n": 30, "low": 0.779, "high": 0.992}
    >>> said = claim_words({"k": 7, "n": 10, "low": 0.348, "high": 0.933, "place": "below"}, rate)
    >>> "Claimed: 7 of 10" in said and "Measured: 28 of 30" in said and "more often than claimed" in said
    True
    """
    words = [f"Claimed: {_rate(claim)}."]
    if measured is None or not measured["n"]:
        return " ".join([*words, NOT_YET])
    words.append(f"Measured: {_rate(measured)}.")
    place = str(claim.get("place") or "")
    if place not in PLACES:
        return " ".join([*words, ELSEWHERE])
    words.append(PLACES[place])
    if place != "inside":
        apart = claim["high"] < measured["low"] or claim["low"] > measured["high"]
        words.append(CLEAR if apart else CHANCE)
    return " ".join(words)


def _rate(row: Rate) -> str:
    return f"{count_words(row['k'], row['n'])} ({interval_words(row['low'], row['high'])})"
