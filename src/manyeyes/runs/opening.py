"""Opens an evidence bundle that a stranger sent: only what a bundle may hold, and within limits."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import orjson

from manyeyes.runs.bundle import CONTENT, FACTS, FORMAT, MANIFEST, PLAN, SIGNATURE, SIGNED, TRIALS, VERDICT, BundleError
from manyeyes.runs.document import DocumentError, PlanDocument
from manyeyes.runs.signing import ALGORITHM, fingerprint, genuine
from manyeyes.runs.store import TrialRecord

LARGEST = 1024 * 1024 * 1024
"""Bytes of a whole bundle, where the caller sets no lower limit."""
SMALL = {
    MANIFEST: 64 * 1024,
    SIGNATURE: 4 * 1024,
    VERDICT: 16 * 1024 * 1024,
    PLAN: 64 * 1024 * 1024,
    FACTS: 1024 * 1024,
}
LINE = 64 * 1024 * 1024
DEEPEST = 64
_NAMES = frozenset({*CONTENT, MANIFEST, SIGNATURE})
_END = 22
_KNOWN = frozenset(field.name for field in fields(TrialRecord))
_WORDS = frozenset({"success", "failure", "undecided"})


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed: the key's fingerprint, and whether the signature fits the manifest."""

    fingerprint: str
    genuine: bool


class Opened:
    """An open bundle. Nothing in it is believed yet; every text in it is hostile."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = _mapping(MANIFEST, self._small(MANIFEST))
        if self.manifest.get("format") != FORMAT:
            raise BundleError(f"{MANIFEST}: format is {self.manifest.get('format')!r}, this program reads {FORMAT}")

    def signer(self) -> Signer:
        """Who signed the manifest, byte for byte."""
        data = _mapping(SIGNATURE, self._small(SIGNATURE))
        try:
            public = base64.b64decode(data["public_key"], validate=True)
            signature = base64.b64decode(data["signature"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise BundleError(f"{SIGNATURE}: public_key and signature must be base64 texts") from None
        sound = data.get("algorithm") == ALGORITHM and len(public) == 32
        return Signer(
            fingerprint=fingerprint(public),
            genuine=sound and genuine(public, signature, SIGNED + self._small(MANIFEST)),
        )

    def altered(self) -> list[str]:
        """The files that are not those of the manifest, each with what is wrong."""
        listed = _mapping("files", self.manifest.get("files"))
        found = [
            f"{name}: is listed in the manifest but no file of a bundle" for name in sorted({*listed} - {*CONTENT})
        ]
        for name in CONTENT:
            row = listed.get(name)
            if not isinstance(row, dict):
                found.append(f"{name}: is not listed in the manifest")
            elif row.get("sha256") != self._digest(name):
                found.append(f"{name}: was changed after the bundle was made (SHA-256 differs from the manifest)")
        return found

    def document(self) -> PlanDocument:
        """The plan document. Raises BundleError."""
        try:
            return PlanDocument.from_json(_mapping(PLAN, self._small(PLAN)))
        except (DocumentError, RecursionError) as error:
            raise BundleError(f"{PLAN}: {error}") from None

    def result(self) -> dict[str, Any]:
        """The result that the bundle claims."""
        return _mapping(VERDICT, self._small(VERDICT))

    def command(self) -> str:
        """What the maker says they typed; empty where nothing is said."""
        said = _mapping(FACTS, self._small(FACTS)).get("command", "")
        return said if isinstance(said, str) else ""

    def trials(self) -> Iterator[TrialRecord]:
        """The trials, one at a time. Raises BundleError with the line that is wrong."""
        with self._archive.open(TRIALS) as lines:
            for number, line in enumerate(_lines(lines), 1):
                yield _trial(number, line)

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._archive.open(name) as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
        return digest.hexdigest()

    def _small(self, name: str) -> bytes:
        with self._archive.open(name) as file:
            data = file.read(SMALL[name] + 1)
        if len(data) > SMALL[name]:
            raise BundleError(f"{name}: is larger than {SMALL[name] // 1024} KiB")
        return data


def opened(bundle: bytes | Path, *, largest: int = LARGEST) -> tuple[Opened, IO[bytes]]:
    """The bundle, and the file to close after use. Raises BundleError for what is no bundle or passes a limit."""
    file: IO[bytes]
    try:
        file = io.BytesIO(bundle) if isinstance(bundle, bytes) else open(bundle, "rb")  # noqa: SIM115 - the caller closes
    except OSError as error:
        raise BundleError(f"{bundle!s}: {error.strerror or error}") from None
    try:
        _outline(file, largest)
        archive = zipfile.ZipFile(file)
        _members(archive)
        return Opened(archive), file
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        file.close()
        raise BundleError(f"not an evidence bundle: {error}") from None
    except BundleError:
        file.close()
        raise


def _outline(file: IO[bytes], largest: int) -> None:
    """Looks at the end of the file before any library reads the list of members, whose length a stranger chose."""
    size = file.seek(0, io.SEEK_END)
    if size > largest:
        raise BundleError(f"the bundle has {size} bytes; at most {largest} are read")
    if size < _END + 20:
        raise BundleError("not an evidence bundle: too short")
    file.seek(size - _END - 20)
    tail = file.read(_END + 20)
    locator, end = tail[:20], tail[20:]
    if end[:4] != b"PK\x05\x06" or end[20:] != b"\0\0" or locator[:4] == b"PK\x06\x07":
        raise BundleError("not an evidence bundle: no plain ZIP file")
    count, length = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if count > len(_NAMES) or length > 4096:
        raise BundleError(f"a bundle has {len(_NAMES)} files, this one names {count}")
    file.seek(0)


def _members(archive: zipfile.ZipFile) -> None:
    names = [info.filename for info in archive.infolist()]
    if missing := _NAMES - set(names):
        raise BundleError(f"not an evidence bundle: {sorted(missing)[0]} is missing")
    if len(names) != len(_NAMES):
        raise BundleError("not an evidence bundle: it holds a file twice")
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise BundleError(f"{info.filename}: is compressed or encrypted; bundles are neither")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LINE + 1):
        if len(line) > LINE:
            raise BundleError(f"{TRIALS}: a line is longer than {LINE // 1024 // 1024} MiB")
        if line.strip():
            yield line


def _mapping(name: str, data: Any) -> dict[str, Any]:
    if isinstance(data, bytes):
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise BundleError(f"{name}: {error}") from None
        if too_deep(data):
            raise BundleError(f"{name}: is nested deeper than {DEEPEST}")
    if not isinstance(data, dict):
        raise BundleError(f"{name}: must be an object")
    return data


def too_deep(data: Any, limit: int = DEEPEST) -> bool:
    """Whether lists and objects are nested deeper than `limit`."""
    level = [data]
    for _ in range(limit):
        level = [child for one in level if isinstance(one, (dict, list)) for child in _children(one)]
        if not level:
            return False
    return True


def _children(one: Mapping[str, Any] | list[Any]) -> Any:
    return one.values() if isinstance(one, dict) else one


def _trial(number: int, line: bytes) -> TrialRecord:
    row = _mapping(f"{TRIALS} line {number}", line)
    if unknown := sorted({*row} - _KNOWN):
        raise BundleError(f"{TRIALS} line {number}: unknown field {unknown[0]!r}; a newer manyeyes may read it")
    try:
        trial = TrialRecord(**row)
    except TypeError as error:
        raise BundleError(f"{TRIALS} line {number}: {error}") from None
    for name in ("stream", "cell", "origin", "answer", "sent", "started_at"):
        if not isinstance(getattr(trial, name), str):
            raise BundleError(f"{TRIALS} line {number}: {name} must be a text")
    for name in ("digest", "model", "finish_reason", "fingerprint"):
        if not isinstance(getattr(trial, name), str | None):
            raise BundleError(f"{TRIALS} line {number}: {name} must be a text or null")
    for name in ("judged", "steps", "tool_calls", "cuts"):
        if not isinstance(getattr(trial, name), list | tuple):
            raise BundleError(f"{TRIALS} line {number}: {name} must be a list")
    if not isinstance(trial.observations, dict):
        raise BundleError(f"{TRIALS} line {number}: observations must be an object")
    for name in ("tokens_in", "tokens_out"):
        if (count := getattr(trial, name)) is not None and (type(count) is not int or count < 0):
            raise BundleError(f"{TRIALS} line {number}: {name} must be a whole number or null")
    for name in ("index", "seed", "voids"):
        if type(count := getattr(trial, name)) is not int or count < 0:
            raise BundleError(f"{TRIALS} line {number}: {name} must be a whole number")
    if not isinstance(trial.overrun, bool):
        raise BundleError(f"{TRIALS} line {number}: overrun must be true or false")
    if trial.outcome is not None and trial.outcome not in _WORDS:
        raise BundleError(
            f"{TRIALS} line {number}: outcome is {trial.outcome!r}, not one of {', '.join(sorted(_WORDS))}"
        )
    return trial
