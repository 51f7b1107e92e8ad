"""A file to be imported, given as bytes, lines and parsed data, each within the limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO, Final

from manyeyes.plugins.imported import ImportRefused, Limits

HEAD = 65_536
NOTHING: Final = object()
"""What a file has instead of a first row or a document when it has none that can be read."""


class Content:
    """The bytes of one file (an `Upload`); everything read from it is checked for size, depth and form."""

    def __init__(self, file: BinaryIO, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._file = file
        self._first = 0
        self.size = file.seek(0, 2)
        if self.size > self.limits.file:
            raise ImportRefused("too_large", f"The file is larger than {megabytes(self.limits.file)}.")
        self.head = self.raw(0, HEAD)
        if not self.head.strip():
            raise ImportRefused("empty", "The file is empty.")

    def raw(self, start: int, length: int) -> bytes:
        """Some bytes of the file; fewer where it ends."""
        self._file.seek(start)
        return self._file.read(length)

    def row(self) -> Any:
        """The first line as data, or NOTHING where it is not a whole JSON value by itself."""
        return self._row

    @property
    def is_json(self) -> bool:
        """Whether it may be JSON: it begins with an object or a list."""
        return self.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    @cached_property
    def _row(self) -> Any:
        if not self.is_json:
            return NOTHING
        self._file.seek(0)
        line = self._file.readline(self.limits.document + 1)
        if len(line) > self.limits.document:
            raise _too_long(self.limits, "line 1")
        self._first = len(line)
        try:
            return json_data(line, "line 1", self.limits)
        except ImportRefused as refused:
            if refused.kind == "truncated":
                return NOTHING
            raise

    def rows(self) -> Iterator[tuple[str, Any]]:
        """(where, data) of every line that is not blank. Raises ImportRefused naming the line."""
        self._file.seek(0)
        for number in range(1, self.limits.rows + 2):
            where = f"line {number}"
            line = self._file.readline(self.limits.document + 1)
            if not line:
                return
            if len(line) > self.limits.document:
                raise _too_long(self.limits, where)
            if number > self.limits.rows:
                break
            if line.strip():
                yield where, json_data(line, where, self.limits)
        raise ImportRefused("too_large", f"The file has more than {self.limits.rows:,} lines.")

    def document(self) -> Any:
        """The whole file as one JSON value, NOTHING where it does not begin like one. Raises ImportRefused."""
        return self._document if self.is_json else NOTHING

    @cached_property
    def _document(self) -> Any:
        if self._row is not NOTHING and self._first == self.size:
            return self._row
        if self.size > self.limits.document:
            raise ImportRefused(
                "too_large",
                f"The file is one JSON document larger than {megabytes(self.limits.document)}; "
                "export JSON lines, an .eval file or the database instead.",
            )
        return json_data(self.raw(0, self.size), "the file", self.limits)


def megabytes(size: int) -> str:
    """A size for people.

    >>> megabytes(64_000_000)
    '64 MB'
    """
    return f"{size / 1_000_000:g} MB"


def _too_long(limits: Limits, where: str) -> ImportRefused:
    return ImportRefused("too_large", f"{_begun(where)} is longer than {megabytes(limits.document)}.")


def _begun(where: str) -> str:
    return where[:1].upper() + where[1:]


def json_data(raw: bytes, where: str, limits: Limits) -> Any:
    """The data of one JSON text: UTF-8, no duplicate keys, finite numbers, no deeper than allowed.

    Raises ImportRefused; kind `truncated` where the text is not JSON, which is what a cut file looks like.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(
            "encoding", f"{_begun(where)} is not UTF-8 text (byte {error.start}); save the file as UTF-8."
        ) from None
    try:
        data = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}" if where == "the file" else where
        raise ImportRefused(
            "truncated", f"{_begun(place)} is not complete JSON ({error.msg}); was the file cut off? Export it again."
        ) from None
    except RecursionError:
        raise _too_deep(where, limits) from None
    except _DuplicateError as error:
        raise ImportRefused("duplicate", f"{_begun(where)} has the key {quoted(str(error))} twice.") from None
    except ValueError as error:
        said = str(error) if isinstance(error, _NumberError) else "a number that is too long"
        raise ImportRefused("number", f"{_begun(where)} holds {said}.") from None
    if not _shallow(data, limits.depth):
        raise _too_deep(where, limits)
    return data


class _DuplicateError(Exception):
    """A key that stands twice in one object."""


class _NumberError(ValueError):
    """A number that is none."""


def _pairs(rows: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(rows)
    if len(found) != len(rows):
        seen: set[str] = set()
        raise _DuplicateError(next(key for key, _ in rows if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return found


def _constant(word: str) -> Any:
    raise _NumberError(f"{word}, which is not a number in JSON")


def _number(word: str) -> float:
    value = float(word)
    if value in (float("inf"), float("-inf")):
        raise _NumberError("a number that is too large")
    return value


def _too_deep(where: str, limits: Limits) -> ImportRefused:
    return ImportRefused("too_deep", f"{_begun(where)} is nested more than {limits.depth} deep.")


def _shallow(data: Any, most: int) -> bool:
    level = [data] if isinstance(data, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > most:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return True


def quoted(text: str, longest: int = 60) -> str:
    """A piece of the file inside a message: short, and with every unusual character as an escape.

    >>> quoted("a\\u202eb")
    "'a\\\\u202eb'"
    """
    return ascii(text if len(text) <= longest else text[:longest] + "…")
