"""Takes one file in: bounded, encrypted while it streams, typed by its content, looked into but never unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _

from manyeyes.cases.conversation import checked
from manyeyes.cases.filetypes import HEAD, type_of, warnings
from manyeyes.rules.errors import Invalid
from manyeyes.runs import looking
from manyeyes.vault import files, uploads
from manyeyes.vault.models import DataKey, StoredFile
from manyeyes.vault.parts import UNNAMED

TAIL = 1024
NAME_LONGEST = 200
ENDING_LONGEST = 20


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A file that somebody brings along: what they call it, and its bytes in pieces. `inside` is known of a draft's."""

    name: str
    chunks: Iterable[bytes]
    inside: dict[str, Any] | None = None
    looked: bool = False


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file that lies encrypted in the vault, and what was seen of its inside."""

    stored: StoredFile
    inside: dict[str, Any] | None


def keep(key: DataKey, brought: Brought) -> Kept:
    """Store a file under `key`. Raises Invalid(file=…) for one that is empty, too large or badly named."""
    name, renamed = clean_name(brought.name)
    first, rest = _first(brought.chunks)
    ends = _Ends(first)
    media_type = type_of(first)
    stored = files.write(key, ends.watch(_limited(chain([first], rest))), name=name, media_type=media_type)
    if brought.looked:
        return Kept(stored=stored, inside=brought.inside)
    try:
        inside = looking.look(files.read(stored), media_type) or {}
    except BaseException:
        files.remove(stored)
        raise
    odd = [*warnings(ends.head, ends.tail, media_type), *renamed]
    return Kept(stored=stored, inside={**inside, **({"odd": odd} if odd else {})} or None)


def keep_all(key: DataKey, brought: Sequence[Brought]) -> list[Kept]:
    """Store them all, or none. Raises Invalid as `keep` does, naming the file."""
    kept: list[Kept] = []
    name = ""
    try:
        for one in brought:
            name = one.name
            kept.append(keep(key, one))
    except Invalid as error:
        forget(kept)
        said = error.fields.get("file", "")
        if not said or name[:80] in said:
            raise
        raise Invalid(file=f"{name[:80]}: {said}") from None
    except BaseException:
        forget(kept)
        raise
    return kept


def forget(kept: Iterable[Kept]) -> None:
    """Remove what was stored, after a refusal."""
    for one in kept:
        files.remove(one.stored)


def brought(upload: Any) -> Brought:
    """What a form brought along. Raises Invalid for one that was too large to be held."""
    if getattr(upload, "too_large", False):
        raise Invalid(file=too_large(upload.name or ""))
    return Brought(name=upload.name or "file", chunks=upload.chunks())


def too_large(name: str = "") -> str:
    """What is said of a file above the limit."""
    most = {"most": uploads.max_bytes() // 1024 // 1024, "name": name[:80]}
    if not name:
        return _("This file is larger than %(most)d MB. Cut it, or compress it.") % most
    return _("%(name)s is larger than %(most)d MB. Cut it, or compress it.") % most


def clean_name(name: str) -> tuple[str, list[str]]:
    """The last part of a path, on one line; and what is said of it where that is not how it came.

    Raises Invalid for a name that cannot be kept.
    """
    last = " ".join(name.replace("\\", "/").rpartition("/")[2].split())
    if last in ("", ".", "..", UNNAMED):
        return UNNAMED, [_("It came without a name that could be kept.")]
    if len(last) <= NAME_LONGEST:
        return checked("file", last, longest=NAME_LONGEST), []
    stem, dot, ending = last.rpartition(".")
    tail = f"…{dot}{ending}" if stem and len(ending) < ENDING_LONGEST else "…"
    short = last[: NAME_LONGEST - len(tail)] + tail
    return checked("file", short, longest=NAME_LONGEST), [_("Its name was too long and was cut.")]


class _Ends:
    """Remembers how a stream begins and ends while it passes."""

    def __init__(self, first: bytes) -> None:
        self.head, self.tail = first[:HEAD], b""

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for piece in chunks:
            self.tail = (self.tail + piece[-TAIL:])[-TAIL:]
            yield piece


def _first(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    rest = iter(chunks)
    first = next(rest, b"")
    if not first:
        raise Invalid(file=_("This file is empty."))
    return first, rest


def _limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size, largest = 0, uploads.max_bytes()
    for piece in chunks:
        size += len(piece)
        if size > largest:
            raise Invalid(file=too_large())
        yield piece
