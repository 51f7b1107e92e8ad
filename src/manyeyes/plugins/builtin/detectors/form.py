"""Decides by the form of the whole answer: JSON, XML, YAML, one code block, or an expression from end to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.parsers import expat

import yaml

from manyeyes.engine.plan import Outcome
from manyeyes.plugins.builtin.detectors.conditions import UnreadableError, read_json
from manyeyes.plugins.builtin.detectors.pattern import Pattern
from manyeyes.plugins.protocols import Exchange
from manyeyes.plugins.registry import fingerprint

MAX_MARKUP = 100_000
MAX_LEVELS = 200
_BLOCK = Pattern(r"(?s)```([^\n`]*)\n(.*)```")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _is_json(text: str) -> bool:
    return isinstance(read_json(text), dict | list)


def _is_xml(text: str) -> bool:
    """Well-formed, with one root. Declarations of entities are not read: what they would grow to is unknown."""
    if len(text) > MAX_MARKUP:
        raise UnreadableError("too long")
    parser = expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise UnreadableError("declares entities")

    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _is_yaml(text: str) -> bool:
    """One mapping or list; a single value is not a form, since any word is one. Nothing is built, no alias followed."""
    if len(text) > MAX_MARKUP:
        raise UnreadableError("too long")
    level, first = 0, None
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if first is None and isinstance(event, yaml.NodeEvent):
                first = event
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if level > MAX_LEVELS:
                raise UnreadableError("too deep")
    except (yaml.YAMLError, ValueError):
        return False
    return isinstance(first, yaml.CollectionStartEvent)


_FORMS: Mapping[str, Callable[[str], bool]] = {"json": _is_json, "xml": _is_xml, "yaml": _is_yaml}


class Form:
    """Success where the whole answer has the form; white space around it does not matter.

    `json` and `yaml` mean a mapping or a list. Undecided where the answer is too long or too deep to look at, or is XML
    that declares entities.
    """

    def __init__(self, argument: str | Mapping[str, Any]) -> None:
        options = {"is": argument} if isinstance(argument, str) else argument
        self._is = options.get("is")
        self._language = str(options.get("language") or "").casefold()
        self._regex = Pattern(options["regex"]) if self._is is None else None
        self.version = fingerprint("format/1", argument)

    def decide(self, exchange: Exchange) -> Outcome:
        """Success where the form is met."""
        try:
            return Outcome.SUCCESS if self._met(exchange.reply.text.strip()) else Outcome.FAILURE
        except UnreadableError:
            return Outcome.UNDECIDED
        except ValueError:
            return Outcome.FAILURE

    def _met(self, text: str) -> bool:
        if self._regex is not None:
            return self._regex.whole(text) is not None
        if self._is == "code_block":
            block = _BLOCK.whole(text)
            named = block is not None and self._language in ("", block[1].strip().casefold())
            return named and "```" not in block[2]
        return _FORMS[str(self._is)](text)
