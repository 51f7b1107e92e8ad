"""The master key: a file outside the data directory that wraps every other key and is in no backup of the data."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from manyeyes.vault.sealing import KEY

_held: dict[tuple[str, int, int, int], list[bytes]] = {}


class MasterKeyError(ImproperlyConfigured):
    """The master key cannot be used; the message names the setting and the mend."""


def path() -> Path:
    """Where the setting says the master key lies."""
    return Path(settings.MANYEYES_MASTER_KEY_FILE)


def masters() -> list[bytes]:
    """The master keys in the file: the one that wraps first; more only while a rotation is under way."""
    file = path()
    try:
        facts = file.stat()
    except FileNotFoundError:
        raise MasterKeyError(
            f"MANYEYES_MASTER_KEY_FILE: there is no file {file}. Run `manyeyes init` to make a new key for a new "
            "program, or put the key of your program back there."
        ) from None
    except OSError as error:
        raise MasterKeyError(f"MANYEYES_MASTER_KEY_FILE: {file} cannot be read ({error.strerror}).") from None
    stamp = (str(file), facts.st_ino, facts.st_mtime_ns, facts.st_mode)
    if stamp not in _held:
        keys = _load(file, facts.st_mode)
        _held.clear()
        _held[stamp] = keys
    return _held[stamp]


def fingerprint(master: bytes) -> str:
    """A short name for a master key that tells nothing about it."""
    return hashlib.sha256(b"manyeyes:master-fingerprint:1:" + master).hexdigest()[:16]


def generate() -> bytes:
    """Fresh key material."""
    return secrets.token_bytes(KEY)


def create(file: Path | None = None) -> Path:
    """Make a new master key (0600, complete or absent). Raises MasterKeyError if the file exists: never overwrite."""
    file = file or path()
    _refuse_inside_data(file)
    with contextlib.suppress(FileExistsError):
        file.parent.mkdir(parents=True, mode=0o700)
    fresh = _write_beside(file, [generate()])
    try:
        os.link(fresh, file)  # unlike a rename, a link never replaces a key that is there
    except FileExistsError:
        raise MasterKeyError(f"MANYEYES_MASTER_KEY_FILE: {file} exists already and is never overwritten.") from None
    finally:
        fresh.unlink()
    _sync_folder(file.parent)
    return file


def replace(keys: list[bytes]) -> None:
    """Put these keys, the wrapping one first, in place of those in the file; a crash leaves the old or the new."""
    file = path()
    os.replace(_write_beside(file, keys), file)
    _sync_folder(file.parent)


def _load(file: Path, mode: int) -> list[bytes]:
    _refuse_inside_data(file)
    if mode & 0o077:
        raise MasterKeyError(
            f"MANYEYES_MASTER_KEY_FILE: others on this machine may read {file} (mode {mode & 0o777:04o}). "
            f"Run `chmod 600 {file}`."
        )
    try:
        keys = [bytes.fromhex(line) for line in file.read_text(encoding="ascii").split()]
    except (ValueError, OSError):
        keys = []
    if not keys or any(len(key) != KEY for key in keys):
        # Nothing of the content is repeated here: it may be a key with one letter wrong.
        raise MasterKeyError(f"MANYEYES_MASTER_KEY_FILE: {file} does not hold a key (64 hexadecimal digits a line).")
    return keys


def _refuse_inside_data(file: Path) -> None:
    data = Path(settings.MANYEYES_DATA_DIR).resolve()
    if file.resolve().is_relative_to(data):
        raise MasterKeyError(
            f"MANYEYES_MASTER_KEY_FILE: {file} lies inside the data directory {data}, so a copy of the data would "
            "open itself. Keep the key somewhere else."
        )


def _write_beside(file: Path, keys: list[bytes]) -> Path:
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(b"".join(key.hex().encode("ascii") + b"\n" for key in keys))
        out.flush()
        os.fsync(out.fileno())
    return fresh


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
