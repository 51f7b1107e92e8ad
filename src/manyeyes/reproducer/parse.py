"""Turns YAML or JSON text into plain data with the line of every field, refusing what could hurt the reader."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NODES = 50_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRINGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary")
_SCALARS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")
Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing that is wrong: where (field path and line, as far as known) and what to mend."""

    field: str
    line: int | None
    message: str


_TOO_LARGE = Problem("", None, f"is larger than {MAX_BYTES // 1_000_000} MB; a reproducer holds one finding only")


class ReproducerError(Exception):
    """A reproducer that cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.name = name
        self.problems = problems
        super().__init__("\n".join(self._line(problem) for problem in problems))

    def _line(self, problem: Problem) -> str:
        place = self.name + (f" line {problem.line}" if problem.line else "")
        return f"{place}, {problem.field}: {problem.message}" if problem.field else f"{place}: {problem.message}"


@dataclass(frozen=True)
class Parsed:
    """Plain data, and the line every path stands on (empty where unknown)."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of a path, or of the nearest thing that holds it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def dotted(path: Path) -> str:
    """A path the way people write it: `settings.temperature`, `wordings[1].text`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


def parse(text: str | bytes, name: str) -> Parsed:
    """The data of a YAML or JSON text. Raises ReproducerError."""
    if isinstance(text, bytes):
        text = _decoded(text, name)
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ReproducerError(name, [_TOO_LARGE])
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ReproducerError(name, [Problem("", line, "holds a NUL byte; remove it or write it as the words \\0")])
    if not text.strip():
        raise ReproducerError(name, [Problem("", None, "is empty")])
    parsed = _json(text, name) if name.endswith(".json") or _is_json(text) else _Reader(name).read(text)
    check(parsed, name)
    return parsed


def check(parsed: Parsed, name: str) -> None:
    """What holds for every reproducer before its fields are looked at: a mapping, not too deep, of storable text."""
    if not isinstance(parsed.data, dict):
        said = "must be a mapping of fields, beginning with 'manyeyes: reproducer/1'"
        raise ReproducerError(name, [Problem("", 1, said)])
    _shallow(parsed.data, name)
    _storable(parsed, name)


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise ReproducerError(name, [_TOO_LARGE])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ReproducerError(name, [Problem("", line, "is not UTF-8 text; save the file as UTF-8")]) from None


def _is_json(text: str) -> bool:
    if text.lstrip()[0] != "{":
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json(text: str, name: str) -> Parsed:
    def pairs(rows: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(rows)
        if len(seen) != len(rows):
            keys = [key for key, _ in rows]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ReproducerError(name, [Problem(twice, None, "stands here twice; keep one")])
        return seen

    def constant(word: str) -> Any:
        raise ReproducerError(name, [Problem("", None, f"holds the number {word}, which is not allowed")])

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise ReproducerError(name, [Problem("", error.lineno, f"is not valid JSON: {error.msg}")]) from None
    except (RecursionError, ValueError):
        said = "is nested too deeply or holds a number that is too long"
        raise ReproducerError(name, [Problem("", None, said)]) from None
    try:
        return Parsed(data, _Reader(name).read(text).lines)
    except ReproducerError:
        return Parsed(data)


def _shallow(data: Any, name: str) -> None:
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ReproducerError(name, [Problem("", None, f"is nested more than {MAX_DEPTH} deep")])
        level = [child for node in level for child in _children(node)]


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _storable(parsed: Parsed, name: str) -> None:
    waiting: list[tuple[Path, Any]] = [((), parsed.data)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, str) and (said := _unstorable(node)):
            raise ReproducerError(name, [Problem(dotted(path), parsed.line(path), said)])
        elif isinstance(node, dict):
            waiting += [((*path, key), key) for key in node] + [((*path, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            waiting += [((*path, place), value) for place, value in enumerate(node)]


def _unstorable(text: str) -> str:
    if "\0" in text:
        return "holds a NUL character; remove it"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "holds half of a surrogate pair; write the character itself"
    return ""


class _Reader:
    """Reads YAML by its events, so that depth, size, aliases and tags are checked before anything is built."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}

    def read(self, text: str) -> Parsed:
        self._survey(text)
        try:
            node = yaml.compose(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise self._broken(error, text) from None
        return Parsed(self._build(node, ()), self.lines)

    def _survey(self, text: str) -> None:
        depth = nodes = 0
        try:
            for event in yaml.parse(text, Loader=_Loader):
                line = event.start_mark.line + 1 if event.start_mark else 1
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                    raise self._error(line, "uses a YAML anchor or alias (& or *); write it out, or quote the text")
                nodes += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > MAX_DEPTH:
                    raise self._error(line, f"is nested more than {MAX_DEPTH} deep")
                if nodes > MAX_NODES:
                    raise self._error(line, f"has more than {MAX_NODES} values")
        except yaml.YAMLError as error:
            raise self._broken(error, text) from None

    def _error(self, line: int | None, message: str, path: Path = ()) -> ReproducerError:
        return ReproducerError(self.name, [Problem(dotted(path), line, message)])

    def _broken(self, error: yaml.YAMLError, text: str) -> ReproducerError:
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
            line = error.problem_mark.line + 1
            said = ", ".join(part for part in (error.context, error.problem) if part)
            return self._error(line, f"is not valid YAML: {said}", _field_near(text, line))
        position = getattr(error, "position", None)
        place = text.count("\n", 0, position) + 1 if isinstance(position, int) and position >= 0 else None
        return self._error(place, "is not valid YAML: it holds a control character; remove it")

    def _build(self, node: Any, path: Path) -> Any:
        line = 1 if node is None else node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self._build(child, (*path, place)) for place, child in enumerate(node.value)]
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag in _STRINGS):
            return None if node is None else node.value
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node, path)
        raise self._error(line, f"has the YAML tag {node.tag}, which is not allowed", path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key, str) or key == "<<":
                raise self._error(line, "has a key that is not plain text", path)
            if key in found:
                raise self._error(line, "stands here twice; keep one", (*path, key))
            self.lines[*path, key] = line
            found[key] = self._build(value_node, (*path, key))
        return found

    def _scalar(self, node: Any, path: Path) -> Any:
        try:
            return yaml.constructor.SafeConstructor().construct_object(node)
        except (ValueError, yaml.YAMLError):
            said = f"cannot be read as a number: {node.value[:40]!r}"
            raise self._error(node.start_mark.line + 1, said, path) from None


def _field_near(text: str, line: int) -> Path:
    """The last top-level field that begins at or before a line: the best name for a place YAML could not read."""
    for row in reversed(text.splitlines()[:line]):
        key, colon, _ = row.partition(":")
        if colon and key and key.replace("_", "").isalnum():
            return (key,)
    return ()
