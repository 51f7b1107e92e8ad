"""What does not fit a schema, in our own words: the field is named, the sentence says what to send in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy

SENTENCES: Mapping[str, Any] = {
    "missing": gettext_lazy("Please fill this in."),
    "string_too_short": gettext_lazy("Please fill this in."),
    "extra_forbidden": gettext_lazy(
        "There is no field of this name here. The document /api/v1/openapi.json names all."
    ),
    "string_type": gettext_lazy("Send this as a text."),
    "string_too_long": gettext_lazy("At most %(max_length)s characters are possible. Shorten it, or attach a file."),
    "too_long": gettext_lazy("At most %(max_length)s entries are possible. Leave some out."),
    "int_type": gettext_lazy("Send this as a whole number, without quotes."),
    "int_from_float": gettext_lazy("Send this as a whole number."),
    "int_parsing": gettext_lazy("Send this as a whole number."),
    "int_parsing_size": gettext_lazy("This number is too large. Send a smaller one."),
    "greater_than_equal": gettext_lazy("Send a number of at least %(ge)s."),
    "less_than_equal": gettext_lazy("Send a number of at most %(le)s."),
    "bool_type": gettext_lazy("Send true or false, without quotes."),
    "uuid_parsing": gettext_lazy("Send the id that this API gave for it, not its name."),
    "uuid_type": gettext_lazy("Send the id that this API gave for it, as a text."),
    "literal_error": gettext_lazy("Send one of these: %(expected)s."),
    "list_type": gettext_lazy("Send a list."),
    "dict_type": gettext_lazy("Send an object of names and texts."),
    "date_type": gettext_lazy("Send a date such as 2031-03-01."),
    "date_parsing": gettext_lazy("Send a date such as 2031-03-01."),
    "date_from_datetime_parsing": gettext_lazy("Send a date such as 2031-03-01."),
    "date_from_datetime_inexact": gettext_lazy("Send a date such as 2031-03-01, without a time."),
    "model_type": gettext_lazy("Send a JSON object with the fields of the document."),
    "model_attributes_type": gettext_lazy("Send a JSON object with the fields of the document."),
}
"""Every way in which our schemas refuse, by the name pydantic has for it."""
TARGET = gettext_lazy("Send the id of the system you tested; /api/v1/programs/NAME lists them under `targets`.")


def sentence(row: Mapping[str, Any]) -> str:
    """The words for one refusal of a schema; nothing of what was sent is repeated."""
    kind = str(row.get("type", ""))
    if kind.startswith("uuid_") and row.get("loc", ())[-1:] == ("target",):
        return str(TARGET)
    if kind not in SENTENCES:
        return gettext("This cannot be used here. The document /api/v1/openapi.json says what can.")
    context = {name: value for name, value in (row.get("ctx") or {}).items() if name != "error"}
    words = str(SENTENCES[kind])
    return words % context if "%(" in words else words
