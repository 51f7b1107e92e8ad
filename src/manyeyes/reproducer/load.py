"""Loads reproducers from files and text, and says in plain words what is wrong with one that cannot be used."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from manyeyes.reproducer import parse as parsing
from manyeyes.reproducer.conversation import PARTS as CONVERSATION_PARTS
from manyeyes.reproducer.detection import PARTS
from manyeyes.reproducer.model import Benign, Claim, Grid, Knobs, Reproducer, Setting, Source, Wording
from manyeyes.reproducer.parse import Parsed, Problem, ReproducerError, dotted

__all__ = ["Problem", "ReproducerError", "dump_text", "load_data", "load_file", "load_text"]

_BOUNDS = {
    "temperature": "0 and 2",
    "top_p": "0 and 1 (not 0)",
    "max_tokens": "1 and 131072",
    "retry_budget": "1 and 10000",
}
_SAID = {
    "missing": "is required",
    "string_type": "must be text (put it in quotes)",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long: at most {max_length} characters",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "literal_error": "must be one of {expected}",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of fields",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "too_short": "must have at least {min_length} entry",
    "too_long": "has too many entries: at most {max_length}",
    "string_pattern_mismatch": "must be a short name of letters, digits, dots, dashes (at most 64)",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}
_MODELS = (Reproducer, Wording, Grid, Setting, Knobs, Benign, Claim, Source, *PARTS, *CONVERSATION_PARTS)
_FIELDS = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})


def load_file(path: str | Path) -> Reproducer:
    """The reproducer in a file. Raises ReproducerError; OSError where the file cannot be read."""
    place = Path(path)
    with place.open("rb") as file:
        raw = file.read(parsing.MAX_BYTES + 1)
    return load_text(raw, place.name)


def load_text(text: str | bytes, name: str = "reproducer") -> Reproducer:
    """The reproducer in a YAML or JSON text; `name` is what error messages call it. Raises ReproducerError."""
    return _validated(parsing.parse(text, name), name)


def load_data(data: dict[str, Any], name: str = "reproducer") -> Reproducer:
    """The reproducer in plain data, such as a form makes. Raises ReproducerError."""
    parsed = Parsed(data)
    parsing.check(parsed, name)
    return _validated(parsed, name)


def dump_text(reproducer: Reproducer) -> str:
    """The reproducer as YAML that `load_text` reads back to an equal value."""
    return yaml.safe_dump(reproducer.to_json(), sort_keys=False, allow_unicode=True, width=100)


def _validated(parsed: Parsed, name: str) -> Reproducer:
    if "manyeyes" not in parsed.data:
        missing = Problem("manyeyes", 1, "is required: begin the file with 'manyeyes: reproducer/1'")
        raise ReproducerError(name, [missing])
    try:
        return Reproducer.model_validate(parsed.data)
    except ValidationError as error:
        problems = [_problem(detail, parsed) for detail in error.errors(include_url=False)]
        order = sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)
        raise ReproducerError(name, order) from None


def _problem(detail: Any, parsed: Parsed) -> Problem:
    path = _real_path(detail["loc"], parsed.data, keep_last=detail["type"] == "missing")
    context = detail.get("ctx") or {}
    if detail["type"] == "field":
        steps = context["field"]
        path = (*path, *((steps,) if isinstance(steps, str) else steps))
    last = next((step for step in reversed(path) if isinstance(step, str)), "")
    return Problem(dotted(path), parsed.line(path), _words(detail, last, context))


def _words(detail: Any, last: str, context: dict[str, Any]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(last, _FIELDS, n=1)
        return "is not a field of this format" + (f"; did you mean {near[0]!r}?" if near else "")
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than") and last in _BOUNDS:
        return f"must be between {_BOUNDS[last]}"
    if kind == "value_error":
        return str(context["error"])
    return _SAID[kind].format(**context) if kind in _SAID else str(detail["msg"])


def _real_path(loc: tuple[str | int, ...], data: Any, *, keep_last: bool) -> parsing.Path:
    """The steps of a pydantic location that exist in the data: its own steps through unions and validators do not."""
    path: list[str | int] = []
    for place, step in enumerate(loc):
        if step in data if isinstance(data, dict) else _in_list(step, data):
            data = data[step]
            path.append(step)
        elif keep_last and place == len(loc) - 1:
            path.append(step)
    return tuple(path)


def _in_list(step: str | int, data: Any) -> bool:
    return isinstance(data, list) and isinstance(step, int) and step < len(data)
