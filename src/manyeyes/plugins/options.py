"""Checks the options of a target before anything is opened, and names the field and the mend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from manyeyes.plugins.registry import find

Kind = Literal["text", "flag", "number", "whole", "object", "list"]


class OptionsError(ValueError):
    """Options that a target does not take; `field` names the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True)
class Option:
    """One option of a target: what it holds and what it does. `choices` are all texts it may be, where it is one."""

    kind: Kind
    words: str
    choices: tuple[str, ...] = ()
    required: bool = False


def check_options(
    kind: str, *, url: str = "", model: str = "", options: Mapping[str, Any] | None = None, local_ok: bool = True
) -> dict[str, Any]:
    """The options of a target in their own types. Raises OptionsError, and UnknownPluginError on an unknown kind.

    A text, as a command line gives it, is read as what the option holds: "yes" becomes True.
    Targets that run or read something on this computer (`LOCAL`) are refused unless `local_ok`. A class without
    `OPTIONS` says nothing of its options, and takes them as they are.

    >>> check_options("openai_chat", url="http://127.0.0.1:8080", options={"stream": "yes"})
    {'stream': True}
    >>> check_options("openai_chat", url="http://127.0.0.1:8080", options={"a": "b"})
    Traceback (most recent call last):
    ...
    manyeyes.plugins.options.OptionsError: a: openai_chat has no such option; it takes extra, max_tokens_name, stream
    """
    made = find("targets", kind)
    if getattr(made, "LOCAL", False) and not local_ok:
        raise OptionsError("kind", f"{kind} runs or reads something on this computer, which is not allowed here")
    known: Mapping[str, Option] | None = getattr(made, "OPTIONS", None)
    if known is None:
        return dict(options or {})
    _check_address(kind, url, needed=getattr(made, "ADDRESS", True))
    found = {name: _read(name, value, known.get(name), kind, known) for name, value in (options or {}).items()}
    for name, option in known.items():
        if option.required and name not in found:
            raise OptionsError(name, f"{kind} needs it: {option.words}")
    try:
        getattr(made, "check", _nothing_more)(found)
    except OptionsError:
        raise
    except ValueError as error:
        raise OptionsError("options", str(error)) from None
    return found


def _nothing_more(options: Mapping[str, Any]) -> None:
    """Most targets have nothing to check beyond the single options."""


def _check_address(kind: str, url: str, *, needed: bool | None) -> None:
    if needed is None:
        return
    if needed and not url:
        raise OptionsError("url", f"{kind} needs the address of a server, such as http://127.0.0.1:8080")
    if url and not needed:
        raise OptionsError("url", f"{kind} reaches no server; leave the address out")


def _read(name: str, value: Any, option: Option | None, kind: str, known: Mapping[str, Option]) -> Any:
    if option is None:
        raise OptionsError(name, f"{kind} has no such option; it takes {', '.join(sorted(known)) or 'none'}")
    read = _READERS[option.kind](value)
    if read is None:
        raise OptionsError(name, f"give {_WORDS[option.kind]}, not {value!r:.80}")
    if option.choices and read not in option.choices:
        raise OptionsError(name, f"give one of {', '.join(option.choices)}, not {value!r:.80}")
    return read


def _flag(value: Any) -> bool | None:
    return (
        value if isinstance(value, bool) else {"yes": True, "true": True, "no": False, "false": False}.get(str(value))
    )


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or not -1e300 < float(value) < 1e300 else float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> Any:
    read = _json(value)
    return dict(read) if isinstance(read, Mapping) else None


def _list(value: Any) -> Any:
    read = _json(value)
    return list(read) if isinstance(read, list | tuple) else None


_READERS: Mapping[Kind, Any] = {
    "text": lambda value: value if isinstance(value, str) else None,
    "flag": _flag,
    "number": _number,
    "whole": _whole,
    "object": _object,
    "list": _list,
}
_WORDS: Mapping[Kind, str] = {
    "text": "a text",
    "flag": "yes or no",
    "number": "a number",
    "whole": "a whole number",
    "object": "a JSON object",
    "list": "a JSON list",
}
