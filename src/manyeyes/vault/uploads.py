"""Receives uploaded files without ever writing their plaintext: small in memory, large encrypted while they stream."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from manyeyes.vault.parts import NamingParser

IN_MEMORY = 1024 * 1024
DEFAULT_MAX = 25 * 1024 * 1024


def max_bytes() -> int:
    """How large one upload may be."""
    return int(getattr(settings, "MANYEYES_UPLOAD_MAX_BYTES", DEFAULT_MAX))


class Hold:
    """Bytes of one upload: a list in memory until it grows, then an unlinked file under a key that is never stored."""

    def __init__(self) -> None:
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._memory: list[bytes] = []
        self._spilled: list[int] = []
        self._file: BinaryIO | None = None
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)
        if self._file is None and self.size <= IN_MEMORY:
            self._memory.append(piece)
            return
        for held in [*self._memory, piece]:
            self._spill(held)
        self._memory.clear()

    def pieces(self) -> Iterator[bytes]:
        """The bytes again, from the start."""
        yield from self._memory
        if self._file is not None:
            self._file.seek(0)
            for counter, length in enumerate(self._spilled):
                yield self._cipher.decrypt(counter.to_bytes(12, "big"), self._file.read(length), None)

    def drop(self) -> None:
        """Forget everything."""
        self._memory.clear()
        self._spilled.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self, piece: bytes) -> None:
        if self._file is None:
            folder = Path(settings.MANYEYES_DATA_DIR) / "run"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Without a name from the start: nothing is left behind however the process ends.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 -- lives as long as this
        assert self._file is not None
        sealed = self._cipher.encrypt(len(self._spilled).to_bytes(12, "big"), piece, None)
        self._file.seek(0, os.SEEK_END)
        view = memoryview(sealed)
        while view:
            view = view[self._file.write(view) :]
        self._spilled.append(len(sealed))


class HeldUpload(UploadedFile):  # type: ignore[type-arg]
    """An upload as forms and views see it: read it with `chunks()` and hand those to `vault.files.write`."""

    def __init__(self, hold: Hold, *, too_large: bool, **facts: Any) -> None:
        super().__init__(file=None, size=hold.size, **facts)
        self._hold = hold
        self.too_large = too_large

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The content in pieces of the size they arrived in."""
        return self._hold.pieces()

    def read(self, *args: Any) -> bytes:
        """The whole content; for uploads known to be small."""
        return b"".join(self._hold.pieces())

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        """Always, so that nobody reads it whole by habit."""
        return True

    def open(self, *args: Any, **kwargs: Any) -> HeldUpload:
        """Nothing to open: `chunks()` starts from the beginning each time."""
        return self

    def close(self) -> None:
        """Forget the content; Django calls this when the request is over."""
        self._hold.drop()


class EncryptingUploadHandler(FileUploadHandler):
    """Django's door for uploads. One that is too large is read to its end and marked, so that the form can say so."""

    _reading = False

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None  # noqa: N803
    ) -> Any:  # fmt: skip
        if self._reading:  # asked by the parser below
            return None
        self._reading = True
        return NamingParser(META, input_data, boundary, [self], encoding).parse()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._hold = Hold()
        self._too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._too_large or start + len(raw_data) > max_bytes():
            self._too_large = True
            self._hold.drop()
            return
        self._hold.add(raw_data)

    def file_complete(self, file_size: int) -> HeldUpload:
        return HeldUpload(
            self._hold,
            too_large=self._too_large,
            name=self.file_name,
            content_type=self.content_type,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        self._hold.drop()


class UploadField(forms.FileField):
    """A form field for one upload that says in words when it was too large."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The upload. Raises ValidationError for one that is too large, empty or missing."""
        if isinstance(data, HeldUpload) and data.too_large:
            limit = max_bytes() // (1024 * 1024)
            raise forms.ValidationError(f"This file is larger than {limit} MB. Send a smaller one, or describe it.")
        return super().clean(data, initial)
