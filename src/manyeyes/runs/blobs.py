"""Finds the images of a plan by their hash, before its first trial."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from manyeyes.reproducer.limits import MAX_IMAGE
from manyeyes.runs.document import PlanDocument

BlobSource = Callable[[str], bytes]
"""Gives the bytes with a SHA-256 (hex). Raises LookupError where it has none."""
MOST_FILES = 1_000


class BlobError(ValueError):
    """An image that is missing or is not what its hash says; the message names the hash and the mend."""


def gather(document: PlanDocument, source: BlobSource | None) -> dict[str, bytes]:
    """The bytes of every image of a plan, each held against its hash. Raises BlobError."""
    wanted = sorted(frozenset().union(*(request.images for request in document.requests.values())))
    found: dict[str, bytes] = {}
    for sha256 in wanted:
        if source is None:
            raise BlobError(f"attachments: the image {sha256[:12]}… is needed and no folder of files was given")
        try:
            data = source(sha256)
        except LookupError as error:
            raise BlobError(f"attachments: the image {sha256[:12]}… is missing: {error.args[0]}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobError(f"attachments: the bytes given for the image {sha256[:12]}… have another SHA-256")
        found[sha256] = data
    return found


class Folder:
    """The files of one folder by hash; their names mean nothing, links are not followed and sub-folders not entered."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._files: Mapping[str, Path] | None = None

    def __call__(self, sha256: str) -> bytes:
        """The bytes with this hash. Raises LookupError, and says where they were looked for."""
        if self._files is None:
            self._files = self._read()
        if sha256 not in self._files:
            raise LookupError(f"no file in {self.place} has that SHA-256; put it there, under any name")
        return self._files[sha256].read_bytes()

    def _read(self) -> dict[str, Path]:
        if not self.place.is_dir():
            return {}
        found: dict[str, Path] = {}
        for number, path in enumerate(sorted(self.place.iterdir())):
            if number >= MOST_FILES:
                raise BlobError(f"attachments: {self.place} holds more than {MOST_FILES} files")
            state = path.lstat()
            if stat.S_ISREG(state.st_mode) and state.st_size <= MAX_IMAGE:
                found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
        return found


def beside(reproducer: str | Path) -> Folder:
    """The folder of files that belongs to a reproducer in a file: `NAME.files` beside it, NAME without its endings.

    >>> beside("findings/wicket.poc.yaml").place.as_posix()
    'findings/wicket.files'
    """
    path = Path(reproducer)
    name = path.name
    for ending in (".yaml", ".yml", ".json", ".poc"):
        name = name.removesuffix(ending)
    return Folder(path.with_name(f"{name}.files"))
