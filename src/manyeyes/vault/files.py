"""Encrypted files in the data directory: chunks of 64 KiB, each bound to its place, the last one marked as last."""

from __future__ import annotations

import hashlib
import os
import secrets
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from manyeyes.vault import keyring
from manyeyes.vault.models import DataKey, StoredFile
from manyeyes.vault.sealing import KEY, TAG, Tampered

MAGIC = b"MEF1"
SALT = 16
PREFIX = 7
CHUNK = 64 * 1024
HEADER = len(MAGIC) + SALT + PREFIX


def write(key: DataKey, chunks: Iterable[bytes], *, name: str = "", media_type: str = "") -> StoredFile:
    """Encrypt `chunks` into a file and store its row. No plaintext reaches the disk; a crash leaves no half file."""
    row = StoredFile(key=key, name=name, media_type=media_type)
    place = path_of(row.pk)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            row.size, row.sha256 = _encrypt(out, row, chunks)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, place)
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(place.parent)
    row.save(force_insert=True)
    return row


def read(row: StoredFile) -> Iterator[bytes]:
    """The content, chunk by chunk. Raises Tampered where a chunk is not as written, or if the end is missing."""
    with path_of(row.pk).open("rb") as source:
        header = source.read(HEADER)
        if len(header) != HEADER or not header.startswith(MAGIC):
            raise Tampered(f"File {row.pk}: the stored bytes do not begin as an encrypted file does.")
        cipher, context = _cipher(row, header)
        held, counter = source.read(CHUNK + TAG), 0
        while True:
            following = source.read(CHUNK + TAG)
            try:
                yield cipher.decrypt(_nonce(header, counter, not following), held, context)
            except (InvalidTag, ValueError):
                raise Tampered(f"File {row.pk}: chunk {counter} was changed, moved or is missing.") from None
            if not following:
                return
            held, counter = following, counter + 1


def read_all(row: StoredFile) -> bytes:
    """The whole content at once, for files known to be small."""
    return b"".join(read(row))


def remove(row: StoredFile) -> None:
    """Delete the row, and the file once that is committed; a crash in between leaves only unreachable ciphertext."""
    place = path_of(row.pk)
    row.delete()
    transaction.on_commit(lambda: place.unlink(missing_ok=True))


def path_of(file_id: uuid.UUID) -> Path:
    """Where the file with this id lies."""
    return Path(settings.MANYEYES_DATA_DIR) / "files" / file_id.hex[:2] / str(file_id)


def _encrypt(out: BinaryIO, row: StoredFile, chunks: Iterable[bytes]) -> tuple[int, str]:
    header = MAGIC + secrets.token_bytes(SALT) + secrets.token_bytes(PREFIX)
    cipher, context = _cipher(row, header)
    out.write(header)
    digest, size, counter = hashlib.sha256(), 0, 0
    held = bytearray()
    for piece in chunks:
        digest.update(piece)
        size += len(piece)
        held += piece
        while len(held) > CHUNK:  # one full chunk stays held back: it may be the last
            out.write(cipher.encrypt(_nonce(header, counter, False), bytes(held[:CHUNK]), context))
            del held[:CHUNK]
            counter += 1
    out.write(cipher.encrypt(_nonce(header, counter, True), bytes(held), context))
    return size, digest.hexdigest()


def _cipher(row: StoredFile, header: bytes) -> tuple[AESGCM, bytes]:
    key = keyring.opened(row.key_id)
    context = b"manyeyes:file:1\0" + f"{row.pk}\0{row.key_id}\0{key.version}".encode()
    salt = header[len(MAGIC) : len(MAGIC) + SALT]
    # A key of the file's own, so that its counted nonces never meet the random ones of fields under the same data key.
    secret = HKDF(algorithm=SHA256(), length=KEY, salt=salt, info=context).derive(key.secret)
    return AESGCM(secret), context


def _nonce(header: bytes, counter: int, last: bool) -> bytes:
    return header[-PREFIX:] + counter.to_bytes(4, "big") + bytes([last])


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
