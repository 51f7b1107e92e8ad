"""Fills the JSON template of an application's request; it reads the request and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from manyeyes.plugins.protocols import Request

_HOLE = re.compile(r"\{\{\s*([^{}]{1,200}?)\s*\}\}")
_NAMES = ("prompt", "messages", "system", "seed", "model", "tools", "session")
_MISSING = object()
NAMES = ", ".join(f"{{{{{name}}}}}" for name in (*_NAMES, "setting.NAME"))


def check(template: Any, *, session: bool) -> None:
    """Raises ValueError on a placeholder that stands for nothing."""
    for text in _texts(template):
        for name in _HOLE.findall(text):
            known = name in _NAMES or name.startswith("setting.")
            if not known or (name == "session" and not session):
                raise ValueError(
                    f"{{{{{name}}}}} stands for nothing; there are {NAMES} (the session where one is opened)"
                )


def uses(template: Any, name: str) -> bool:
    """Whether a placeholder stands anywhere in a template."""
    return any(name in _HOLE.findall(text) for text in _texts(template))


def scope(request: Request, *, model: str = "", session: str | None = None) -> dict[str, Any]:
    """What each placeholder stands for in this request; a name that is missing is not sent."""
    told = {
        "messages": [dict(message) for message in request.messages],
        "prompt": next((one["content"] for one in reversed(request.messages) if one["role"] == "user"), ""),
        **{f"setting.{name}": value for name, value in request.params.items()},
    }
    system = "\n\n".join(one["content"] for one in request.messages if one["role"] == "system")
    optional = {
        "system": system or None,
        "seed": request.seed,
        "model": model or None,
        "tools": [dict(tool) for tool in request.tools] or None,
        "session": session,
    }
    return told | {name: value for name, value in optional.items() if value is not None}


def fill(template: Any, known: Mapping[str, Any]) -> Any:
    """The template with its placeholders filled; what is filled in is never looked at again.

    A text that is one placeholder becomes the value in its own type, or the field is left out where there is none;
    inside a longer text it becomes text.

    >>> fill({"q": "{{prompt}}", "t": "{{setting.temperature}}", "n": "{{seed}}"}, {"prompt": "{{seed}}", "seed": 3})
    {'q': '{{seed}}', 'n': 3}
    """
    filled = _fill(template, known)
    return None if filled is _MISSING else filled


def _fill(template: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        rows = ((key, _fill(value, known)) for key, value in template.items())
        return {key: value for key, value in rows if value is not _MISSING}
    if isinstance(template, list | tuple):
        return [value for one in template if (value := _fill(one, known)) is not _MISSING]
    if not isinstance(template, str):
        return template
    if whole := _HOLE.fullmatch(template):
        return known.get(whole[1], _MISSING)
    return _HOLE.sub(lambda hole: _text(known.get(hole[1], "")), template)


def _text(value: Any) -> str:
    """A value inside a longer text; a conversation is written as a person would read it."""
    if isinstance(value, list):
        return "\n\n".join(f"{one.get('role', '')}: {one.get('content', '')}" for one in value if isinstance(one, dict))
    return value if isinstance(value, str) else str(value)


def _texts(template: Any) -> list[str]:
    if isinstance(template, Mapping):
        return [text for value in template.values() for text in _texts(value)]
    if isinstance(template, list | tuple):
        return [text for value in template for text in _texts(value)]
    return [template] if isinstance(template, str) else []
