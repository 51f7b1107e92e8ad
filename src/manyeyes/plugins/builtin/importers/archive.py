"""Reads the members of a ZIP file one by one, within limits; packed with Zstandard, Deflate or not at all."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import zstandard

from manyeyes.plugins.builtin.importers.upload import json_data, megabytes, quoted
from manyeyes.plugins.imported import ImportRefused, Upload

MAGIC = b"PK\x03\x04"
STORED, DEFLATED, ZSTANDARD = 0, 8, 93
ENCRYPTED = 0x1
LOCAL = struct.Struct("<4s5H3I2H")
CHUNK = 65_536
EXEMPT = 1_000_000


class Archive:
    """The members of an archive, by name. Raises ImportRefused for names, kinds and sizes that no tool writes."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._spent = 0
        try:
            # The directory of members stands at the end of the file and is parsed in this process, which is limited.
            with zipfile.ZipFile(_Window(upload)) as found:
                rows = found.infolist()
        except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, ValueError, IndexError):
            raise ImportRefused(
                "truncated", "The file begins like a ZIP archive but is not a whole one; was it cut off?"
            ) from None
        if len(rows) > upload.limits.members:
            raise ImportRefused("too_large", f"The archive has more than {upload.limits.members:,} members.")
        self._members: dict[str, zipfile.ZipInfo] = {}
        for row in rows:
            _check(row, upload.size)
            if row.filename in self._members:
                raise ImportRefused("duplicate", f"The archive has the member {quoted(row.filename)} twice.")
            self._members[row.filename] = row

    @property
    def names(self) -> tuple[str, ...]:
        """The members, in the order of the archive."""
        return tuple(self._members)

    def data(self, name: str) -> Any:
        """A member as JSON."""
        return json_data(self.read(name), f"the member {quoted(name)}", self._upload.limits)

    def read(self, name: str) -> bytes:
        """The bytes of a member, checked against its length and checksum."""
        row = self._members[name]
        raw = self._packed(row)
        out = bytearray()
        most = self._most(row)
        try:
            for piece in _pieces(raw, row.compress_type, most + 1):
                out += piece
                if len(out) > most:
                    raise self._bomb(row, most)
        except (zlib.error, zstandard.ZstdError, EOFError):
            raise ImportRefused("truncated", f"The member {quoted(name)} cannot be unpacked; it is damaged.") from None
        self._spent += len(out)
        if len(out) != row.file_size or zlib.crc32(out) != row.CRC:
            raise ImportRefused("truncated", f"The member {quoted(name)} is not what the archive says; it is damaged.")
        return bytes(out)

    def _most(self, row: zipfile.ZipInfo) -> int:
        limits = self._upload.limits
        by_ratio = max(EXEMPT, limits.ratio * row.compress_size)
        return min(limits.document, by_ratio, limits.unpacked - self._spent)

    def _bomb(self, row: zipfile.ZipInfo, most: int) -> ImportRefused:
        if most == self._upload.limits.document:
            return ImportRefused("too_large", f"The member {quoted(row.filename)} is larger than {megabytes(most)}.")
        if most == self._upload.limits.unpacked - self._spent:
            whole = megabytes(self._upload.limits.unpacked)
            return ImportRefused("bomb", f"The members unpack to more than {whole} together.")
        ratio = self._upload.limits.ratio
        return ImportRefused("bomb", f"The member {quoted(row.filename)} unpacks to more than {ratio} times its size.")

    def _packed(self, row: zipfile.ZipInfo) -> bytes:
        head = self._upload.raw(row.header_offset, LOCAL.size)
        if len(head) < LOCAL.size or head[:4] != MAGIC:
            raise ImportRefused("truncated", f"The member {quoted(row.filename)} is not where the archive says.")
        name, extra = LOCAL.unpack(head)[-2:]
        start = row.header_offset + LOCAL.size
        if self._upload.raw(start, name) != row.orig_filename.encode("utf-8" if row.flag_bits & 0x800 else "cp437"):
            raise ImportRefused("member", f"The member {quoted(row.filename)} has two different names.")
        raw = self._upload.raw(start + name + extra, row.compress_size)
        if len(raw) != row.compress_size:
            raise ImportRefused("truncated", f"The member {quoted(row.filename)} is cut off.")
        return raw


def _check(row: zipfile.ZipInfo, size: int) -> None:
    name = row.orig_filename
    parts = name.replace("\\", "/").split("/")
    wild = name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\\" in name or "\0" in name
    if wild or len(name) > 400:
        raise ImportRefused("member", f"The archive has a member with a path that leads out of it: {quoted(name)}.")
    kind = stat.S_IFMT(row.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ImportRefused("member", f"The archive has a member that is a link or a device: {quoted(name)}.")
    if row.flag_bits & ENCRYPTED:
        raise ImportRefused("member", f"The member {quoted(name)} is encrypted; export it without a password.")
    if row.compress_type not in (STORED, DEFLATED, ZSTANDARD):
        raise ImportRefused("member", f"The member {quoted(name)} is packed in a way that we do not read.")
    if not 0 <= row.compress_size <= size:
        raise ImportRefused("member", f"The member {quoted(name)} says it is larger than the archive.")


def _pieces(raw: bytes, method: int, most: int) -> Iterator[bytes]:
    """The unpacked bytes, piece by piece, so that a bomb is stopped before it is unpacked."""
    if method == STORED:
        yield raw[:most]
        return
    if method == ZSTANDARD:
        # A declared window larger than this is refused by the library before any memory is set aside.
        unpacker = zstandard.ZstdDecompressor(max_window_size=2**27)
        with unpacker.stream_reader(raw, read_across_frames=True) as reader:
            while piece := reader.read(CHUNK):
                yield piece
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = raw
    while not inflate.eof:
        piece = inflate.decompress(waiting, CHUNK)
        waiting = inflate.unconsumed_tail
        yield piece
        if not piece and not waiting and not inflate.eof:
            raise EOFError


class _Window(io.RawIOBase):
    """The upload as the seekable file that the ZIP reader of the standard library wants."""

    def __init__(self, upload: Upload) -> None:
        super().__init__()
        self._upload, self._place = upload, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._place, 2: self._upload.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._place = base + offset
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._upload.size - self._place)
        many = left if size is None or size < 0 else min(size, left)
        raw = self._upload.raw(self._place, many) if many else b""
        self._place += len(raw)
        return raw
