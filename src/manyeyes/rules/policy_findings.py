"""One thing to mend in a policy, with its grade."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to mend: how grave, in which section, what, and how to mend it; `quote` is the place in the text."""

    level: str
    code: str
    section: str
    message: str
    mend: str
    quote: str = ""


def quote(text: str, longest: int = 120) -> str:
    """The text on one line, cut at `longest` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"
