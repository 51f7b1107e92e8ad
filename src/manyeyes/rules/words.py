"""The words that every face uses: statuses and chips here; numbers, times and verdict sentences at the same door."""

from __future__ import annotations

from dataclasses import dataclass

from manyeyes.rules.lifecycle import CloseReason, Status
from manyeyes.rules.numerals import (
    count_words,
    day_words,
    duration_words,
    interval_words,
    percent,
    seconds_words,
    target_percent,
    time_left,
    time_words,
)
from manyeyes.rules.sentences import VERDICT_WORDS, headline, part_words, tries_sentence, verdict_sentence

__all__ = [
    "FACT_CHIPS",
    "STATUS_WORDS",
    "VERDICT_WORDS",
    "Chip",
    "count_words",
    "day_words",
    "duration_words",
    "headline",
    "interval_words",
    "part_words",
    "percent",
    "seconds_words",
    "status_chip",
    "status_words",
    "target_percent",
    "time_left",
    "time_words",
    "tries_sentence",
    "verdict_sentence",
]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A small label: its word, which always shows, a class name of the style sheet, and the name of an icon."""

    word: str
    tone: str
    glyph: str


STATUS_WORDS: dict[Status, str] = {
    Status.NEW: "New",
    Status.NEEDS_INFO: "Needs info",
    Status.TRIAGED: "Triaged",
    Status.CONFIRMED: "Confirmed",
    Status.REMEDIATING: "Fixing",
    Status.FIX_DEPLOYED: "Fix deployed",
    Status.RETESTING: "Retesting",
    Status.RESOLVED: "Resolved",
    Status.CLOSED: "Closed",
}

_TONES: dict[Status, tuple[str, str]] = {
    Status.NEW: ("new", "ring-0"),
    Status.NEEDS_INFO: ("needs-info", "question"),
    Status.TRIAGED: ("triaged", "ring-1"),
    Status.CONFIRMED: ("confirmed", "ring-2"),
    Status.REMEDIATING: ("fixing", "ring-3"),
    Status.FIX_DEPLOYED: ("deployed", "ring-4"),
    Status.RETESTING: ("retesting", "ring-5"),
    Status.RESOLVED: ("resolved", "check"),
}

_CLOSED_TONES: dict[CloseReason, tuple[str, str]] = {
    CloseReason.DUPLICATE: ("duplicate", "equals"),
    CloseReason.MERGED: ("duplicate", "equals"),
    CloseReason.INFORMATIVE: ("informative", "info"),
    CloseReason.OUT_OF_SCOPE: ("refused", "cross"),
    CloseReason.SPAM: ("refused", "cross"),
}

FACT_CHIPS: dict[str, Chip] = {
    "acknowledged": Chip(word="Acknowledged", tone="fact", glyph="check"),
    "mitigated": Chip(word="Mitigated", tone="fact", glyph="check"),
    "embargoed": Chip(word="Embargoed", tone="fact", glyph="lock"),
    "published": Chip(word="Published", tone="fact", glyph="eye"),
    "recognised": Chip(word="Recognised", tone="fact", glyph="person"),
    "exploited": Chip(word="Exploited", tone="alarm", glyph="triangle"),
}
"""Chips made from dated facts, which are never statuses."""


def status_words(status: str, reason: str = "", *, p_min: float | None = None) -> str:
    """The status as people read it; a closed case names its reason, "not reproduced" the rate it was tested at.

    >>> status_words("closed", "duplicate")
    'Closed: duplicate of a known report'
    """
    known = Status(status)
    if known is not Status.CLOSED or not reason:
        return STATUS_WORDS[known]
    words = CloseReason(reason).words
    if reason == CloseReason.NOT_REPRODUCED and p_min is not None:
        words += f" at {target_percent(p_min)}"
    return f"{STATUS_WORDS[known]}: {words}"


def status_chip(status: str, reason: str = "", *, p_min: float | None = None) -> Chip:
    """The chip of a status."""
    known = Status(status)
    tone, glyph = _TONES.get(known, ("closed", "dash"))
    if known is Status.CLOSED and reason:
        tone, glyph = _CLOSED_TONES.get(CloseReason(reason), (tone, glyph))
    return Chip(word=status_words(status, reason, p_min=p_min), tone=tone, glyph=glyph)
