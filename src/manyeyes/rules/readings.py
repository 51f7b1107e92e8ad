"""What was read from somewhere, always with its source; unknown is a source too, and stays unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Source = Literal["sent bytes", "run config", "researcher said", "counted", "unknown"]

SENT: Final = "sent bytes"
CONFIG: Final = "run config"
SAID: Final = "researcher said"
COUNTED: Final = "counted"
UNKNOWN: Final = "unknown"
TRUST: tuple[Source, ...] = (SENT, CONFIG, SAID, UNKNOWN)
"""From the best source to the worst: what was sent beats what was configured, which beats what is remembered."""

HOW_OFTEN: Final = "How often"
"""How the readings of counts begin; they stand in the order of the counts."""

WORDS: dict[Source, str] = {
    SENT: "from your file, as sent",
    CONFIG: "from your file",
    SAID: "you said",
    COUNTED: "counted",
    UNKNOWN: "unknown",
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One thing that was read: its name, what it was read as, and where that came from (words for people)."""

    name: str
    value: str
    source: str
    note: str = ""


def better(one: Source, other: Source) -> Source:
    """The source that is trusted more.

    >>> better("unknown", "run config")
    'run config'
    """
    return min(one, other, key=TRUST.index)
