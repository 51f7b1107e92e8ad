"""Data keys: made, wrapped under the master key, opened into a small cache, re-wrapped, and destroyed."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, connection, transaction

from manyeyes.rules import clock
from manyeyes.rules.errors import Refused
from manyeyes.vault import masterkey
from manyeyes.vault.datakey import DataKey
from manyeyes.vault.sealing import KEY, Tampered, seal, unseal

CACHE_SIZE = 512
CACHE_SECONDS = 60.0  # so long may another process still hold a key that was shredded here
MasterKeyError = masterkey.MasterKeyError
# A constant, so that two processes starting together cannot make two root keys.
ROOT_ID = uuid.UUID("6d616e79-6579-4573-8000-726f6f740001")


class Shredded(Refused):
    """The key was destroyed, and with it what it encrypted; nothing brings it back."""

    def __init__(self, message: str = "This content was destroyed and cannot be brought back.") -> None:
        super().__init__(message)


class Opened(NamedTuple):
    """A data key ready for use."""

    secret: bytes
    version: int

    def __repr__(self) -> str:
        return "Opened(…)"


_cache: OrderedDict[uuid.UUID, tuple[float, Opened]] = OrderedDict()
_unsettled: set[uuid.UUID] = set()
_lock = threading.Lock()


def create_master(path: Path | None = None) -> Path:
    """Make the master key; only `init` and `demo` do this. Raises MasterKeyError if one is there already."""
    return masterkey.create(path)


def require_master() -> None:
    """Raise MasterKeyError, with the mend, unless the master key can be used; called before anything is served."""
    masterkey.masters()


def new_key(purpose: str) -> DataKey:
    """A fresh data key, stored wrapped. `purpose` is "case", "program" or "platform"."""
    allowed = [name for name in DataKey.Purpose.values if name != DataKey.Purpose.ROOT]
    if purpose not in allowed:
        raise ValueError(f"purpose: {purpose!r} is not one of {', '.join(allowed)}.")
    return _make(purpose)


def opened(key_id: uuid.UUID) -> Opened:
    """The data key itself, from the cache or unwrapped. Raises Shredded if it was destroyed."""
    with _lock:
        held = _cache.get(key_id)
        if held is not None and time.monotonic() - held[0] < CACHE_SECONDS:
            _cache.move_to_end(key_id)
            return held[1]
    return _unwrap(DataKey.objects.get(pk=key_id))


def warm(key_ids: Iterable[uuid.UUID]) -> None:
    """Open many keys with one query, for lists whose rows have a key each; destroyed ones are passed over."""
    with _lock:
        fresh = {key for key, (at, _) in _cache.items() if time.monotonic() - at < CACHE_SECONDS}
    for key in DataKey.objects.filter(pk__in=set(key_ids) - fresh, destroyed_at__isnull=True):
        _unwrap(key)


def shred(key: DataKey) -> None:
    """Destroy the key. What it encrypted is lost here at once, elsewhere within a minute, in backups as they expire."""
    with transaction.atomic():
        row = DataKey.objects.select_for_update().get(pk=key.pk)
        if row.purpose == DataKey.Purpose.ROOT:
            raise Refused("The platform's root key cannot be destroyed: every program depends on it.")
        if row.held_at is not None:
            raise Refused("A legal hold is on this: nothing of it may be destroyed until it is lifted.")
        if row.destroyed_at is None:
            row.wrapped, row.wrapped_by, row.destroyed_at = None, "", clock.now()
            row.save(update_fields=["wrapped", "wrapped_by", "destroyed_at"])
        transaction.on_commit(lambda: _erase(row.pk))
    key.wrapped, key.destroyed_at = None, row.destroyed_at
    forget(key.pk)


def rotate() -> int:
    """Make a new master key and wrap every data key under it; returns how many. Can be repeated after a crash."""
    keys = masterkey.masters()
    fresh = masterkey.generate() if len(keys) == 1 else keys[0]  # two keys: an earlier rotation was cut short
    # Until all is re-wrapped the file holds both, so that a crash, or a running server, still opens every key.
    masterkey.replace([fresh, *[key for key in keys if key != fresh]])
    with transaction.atomic():
        count = 0
        for row in DataKey.objects.select_for_update().filter(destroyed_at__isnull=True):
            row.wrapped, row.wrapped_by = seal(fresh, _secret_of(row), row.context), masterkey.fingerprint(fresh)
            row.save(update_fields=["wrapped", "wrapped_by"])
            count += 1
    masterkey.replace([fresh])
    return count


def subkey(purpose: str, root: bytes | None = None) -> bytes:
    """A key for one purpose, derived from a data key; without one, from the platform's root key (kept by rotation)."""
    secret = root if root is not None else _root().secret
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=b"manyeyes:subkey:1:" + purpose.encode()).derive(secret)


def forget(key_id: uuid.UUID | None = None) -> None:
    """Drop one key from the cache of this process, or all."""
    with _lock:
        if key_id is None:
            _cache.clear()
            _unsettled.clear()
        else:
            _cache.pop(key_id, None)


def make_root() -> None:
    """Make the root key if there is none and a master key to wrap it; `migrate` does this when it made the table."""
    if masterkey.path().is_file() and not DataKey.objects.filter(pk=ROOT_ID).exists():
        with contextlib.suppress(IntegrityError), transaction.atomic():  # another process may make it just now
            _make(DataKey.Purpose.ROOT, ROOT_ID)


def _root() -> Opened:
    try:
        key = opened(ROOT_ID)
    except DataKey.DoesNotExist:
        require_master()
        make_root()
        if connection.in_atomic_block:
            _unsettled.add(ROOT_ID)
        key = opened(ROOT_ID)
    if ROOT_ID in _unsettled:
        # Made in a transaction: if that is rolled back the key never was, and nothing may be derived from it after.
        forget(ROOT_ID)
        if not connection.in_atomic_block:
            _unsettled.clear()
    return key


def _erase(key_id: uuid.UUID) -> None:
    forget(key_id)
    if connection.vendor == "sqlite":
        # The write-ahead log still holds the page as it was; this empties it unless somebody is reading just now.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _make(purpose: str, key_id: uuid.UUID | None = None) -> DataKey:
    master = masterkey.masters()[0]
    row = DataKey(id=key_id or uuid.uuid4(), purpose=purpose, wrapped_by=masterkey.fingerprint(master))
    row.wrapped = seal(master, masterkey.generate(), row.context)
    row.save(force_insert=True)
    return row


def _unwrap(row: DataKey) -> Opened:
    key = Opened(_secret_of(row), row.version)
    with _lock:
        _cache[row.pk] = (time.monotonic(), key)
        _cache.move_to_end(row.pk)
        while len(_cache) > CACHE_SIZE:
            _cache.popitem(last=False)
    return key


def _secret_of(row: DataKey) -> bytes:
    if row.destroyed_at is not None or row.wrapped is None:
        raise Shredded
    for master in masterkey.masters():
        if masterkey.fingerprint(master) == row.wrapped_by:
            return unseal(master, bytes(row.wrapped), row.context)
    raise Tampered(
        "MANYEYES_MASTER_KEY_FILE: this is not the master key that the data was encrypted under. Put that key back."
    )
