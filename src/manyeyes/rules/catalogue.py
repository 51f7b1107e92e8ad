"""Public catalogues of flaws and harms as data files: codes with names, each edition a file with its licence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from manyeyes.rules.errors import Invalid

FORMAT = "taxonomy/1"
LONGEST_FILE = 4_000_000
MOST_FOUND = 50

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Part):
    """One code with its name."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,30}$")]
    name: Line


class Catalogue(_Part):
    """One edition of a catalogue. `complete` says whether it holds every code of that edition."""

    manyeyes: Literal["taxonomy/1"]
    catalogue: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,23}$")]
    name: Line
    edition: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.]{0,15}$")]
    licence: Line
    source: Line
    note: Annotated[str, StringConstraints(max_length=400)] = ""
    complete: bool = False
    entries: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=20_000)]

    @property
    def words(self) -> str:
        """Name and edition."""
        return f"{self.name} {self.edition}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A code with its edition, its name, and the catalogue it stands in."""

    code: str
    name: str
    catalogue: str


@lru_cache(maxsize=32)
def read_text(text: str) -> Catalogue:
    """A catalogue from JSON. Raises Invalid (`taxonomy`) with everything that is wrong and where."""
    if len(text) > LONGEST_FILE:
        raise Invalid(taxonomy=f"The file is longer than {LONGEST_FILE:,} characters.")
    try:
        found = Catalogue.model_validate(json.loads(text))
    except ValidationError as error:
        places = [(".".join(str(part) for part in one["loc"]) or "the file", one["msg"]) for one in error.errors()[:20]]
        raise Invalid(taxonomy=" ".join(f"{place}: {said[:1].lower()}{said[1:]}." for place, said in places)) from error
    except ValueError as error:
        raise Invalid(taxonomy=f"This is no JSON: {error}.") from error
    twice = [code for code, count in Counter(entry.code for entry in found.entries).items() if count > 1]
    if twice:
        raise Invalid(taxonomy=f"Given twice: {', '.join(twice[:20])}.")
    return found


@cache
def shipped() -> tuple[Catalogue, ...]:
    """The editions that come with the package, by name, the newest of each first."""
    folder = resources.files("manyeyes.rules").joinpath("catalogues")
    rows = [read_text(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".json")]
    return in_order(rows)


def in_order(rows: Iterable[Catalogue]) -> tuple[Catalogue, ...]:
    """By name, the newest edition of each first."""
    newest_first = sorted(rows, key=lambda row: row.edition, reverse=True)
    return tuple(sorted(newest_first, key=lambda row: row.name))


def newest(rows: Sequence[Catalogue]) -> tuple[Catalogue, ...]:
    """The newest edition of each catalogue."""
    seen: dict[str, Catalogue] = {}
    for row in in_order(rows):
        seen.setdefault(row.catalogue, row)
    return tuple(seen.values())


def find(code: str, rows: Sequence[Catalogue]) -> Found | None:
    """What `CWE-1427:4.20` names; None where no catalogue has it in that edition."""
    bare, _, edition = code.partition(":")
    for row in rows:
        if row.edition == edition:
            for entry in row.entries:
                if entry.code == bare:
                    return Found(code=code, name=entry.name, catalogue=row.words)
    return None


def search(words: str, rows: Sequence[Catalogue]) -> list[Found]:
    """The codes whose number or name holds every one of the words; those that begin with the text come first.

    >>> [found.code for found in search("prompting llm", newest(shipped()))]
    ['CWE-1427:4.20']
    """
    asked = words.casefold().split()
    if not asked:
        return []
    found: list[tuple[bool, int, Found]] = []
    for row in rows:
        for entry in row.entries:
            text = f"{entry.code} {entry.name}".casefold()
            if all(word in text for word in asked):
                first = not text.startswith(asked[0])
                one = Found(code=f"{entry.code}:{row.edition}", name=entry.name, catalogue=row.words)
                found.append((first, len(found), one))
    return [one for _, _, one in sorted(found)[:MOST_FOUND]]
