"""The settings of a model call as people type them: read as numbers, or refused in words; never dropped unseen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic import ValidationError

from manyeyes.reproducer.settings import Knobs

KINDS: dict[str, type] = {"temperature": float, "top_p": float, "max_tokens": int}
WANTED = {
    "temperature": gettext_noop("Temperature: write one number from 0 to 2, such as 0.7. Leave it empty if unknown."),
    "top_p": gettext_noop("Top p: write one number above 0 and up to 1, such as 0.9. Leave it empty if unknown."),
    "max_tokens": gettext_noop(
        "Token limit: write one whole number from 1 to 131072, such as 512. Leave it empty if unknown."
    ),
}
"""What may be written; the bounds are those of `reproducer.settings.Knobs`, which decides."""
_FRACTION = re.compile(r"\d{0,4}(?:[.,\u066b]\d{1,12})?")
_WHOLE = re.compile(r"\d{1,9}|\d{1,3}(?:[.,' \u00a0\u2009\u202f]\d{3}){1,2}")


def read_knob(name: str, typed: str) -> float | int | None:
    """The number that was typed, within its bounds; None where it is none. A comma may stand for the point.

    >>> read_knob("temperature", "0,7"), read_knob("max_tokens", "1,000"), read_knob("top_p", "7")
    (0.7, 1000, None)
    """
    said = typed.strip()
    if KINDS[name] is int:
        digits = "".join(sign for sign in said if sign.isdecimal()) if _WHOLE.fullmatch(said) else ""
    else:
        digits = re.sub("[,\u066b]", ".", said) if _FRACTION.fullmatch(said) else ""
    if not digits:
        return None
    try:
        found: float | int = getattr(Knobs.model_validate({name: KINDS[name](digits)}), name)
    except ValidationError:
        return None
    return found


def knob_problem(name: str, typed: str) -> str | None:
    """What is wrong with a setting and how to mend it, or None. Settings of other names are kept as words."""
    unread = name in KINDS and typed.strip() and read_knob(name, typed) is None
    return _(WANTED[name]) if unread else None


def read_knobs(settings: Mapping[str, Any]) -> dict[str, float | int]:
    """The settings that were typed, as numbers; those of an earlier time that cannot be read are left out."""
    read = {name: read_knob(name, str(settings.get(name) or "")) for name in KINDS}
    return {name: value for name, value in read.items() if value is not None}
