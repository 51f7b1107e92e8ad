"""What was read from somewhere, always with its source; unknown is a source too, and stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from manyeyes.rules.numerals import THIN, percent
from manyeyes.rules.saying import Asked, Saying, english, written
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext

Source = Literal["sent bytes", "run config", "researcher said", "counted", "unknown"]

SENT: Final = "sent bytes"
CONFIG: Final = "run config"
SAID: Final = "researcher said"
COUNTED: Final = "counted"
UNKNOWN: Final = "unknown"
TRUST: tuple[Source, ...] = (SENT, CONFIG, SAID, UNKNOWN)
"""From the best source to the worst: what was sent beats what was configured, which beats what is remembered."""

HOW_OFTEN: Final = _("How often")
"""How the readings of counts begin; they stand in the order of the counts."""

WORDS: dict[str, Saying] = {
    SENT: _("from your file, as sent"),
    CONFIG: _("from your file"),
    SAID: _("you said"),
    COUNTED: _("counted"),
    UNKNOWN: _("unknown"),
}


TOLD = ("name", "value", "source", "note")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One thing that was read: its name, what it was read as, and where that came from (words for people).

    Texts are English. `patterns` holds for those that are sentences of ours how they are written, so that `told` can
    say them in another language; a pattern that does not make its text is dropped.
    """

    name: str
    value: str
    source: str
    note: str = ""
    patterns: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept: dict[str, Any] = {}
        for name in TOLD:
            text = getattr(self, name)
            pattern = text.pattern if isinstance(text, Saying) else self.patterns.get(name)
            if pattern is not None and _plain(written(pattern)) == _plain(text):
                kept[name] = pattern
            object.__setattr__(self, name, str(text))
        object.__setattr__(self, "patterns", kept)

    def saying(self, name: str) -> str:
        """One of the texts with how it is written, to be part of another."""
        return Saying(self.patterns[name]) if name in self.patterns else getattr(self, name)

    def told(self, name: str, ask: Asked = english) -> str:
        """One of the texts in the language that `ask` knows. What is not our sentence stays as it is."""
        if name == "source" and self.source in WORDS:
            return written(WORDS[self.source].pattern, ask)
        return _plain(written(self.patterns[name], ask)) if name in self.patterns else str(getattr(self, name))


def rate_told(tries: int, low: float, high: float) -> Saying:
    """How little a count says: the interval of the rate behind it."""
    return ngettext(
        "From %(count)s try the true rate may be anything from %(low)s to %(high)s.",
        "From %(count)s tries the true rate may be anything from %(low)s to %(high)s.",
        tries, low=percent(low), high=percent(high),
    )  # fmt: skip


def _plain(text: str) -> str:
    """With ordinary spaces: pages box unusual ones, and ours before a percent sign is one."""
    return text.replace(THIN, " ")


def better(one: Source, other: Source) -> Source:
    """The source that is trusted more.

    >>> better("unknown", "run config")
    'run config'
    """
    return min(one, other, key=TRUST.index)
