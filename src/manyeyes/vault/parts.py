"""Reads a form with files so that no file is lost for its name: what is unreadable in it is replaced, never skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser

UNNAMED = "unnamed-file"
"""What a file is called whose own name holds nothing that could be kept."""
HEADERS_END = b"\r\n\r\n"
HEADERS_LONGEST = 8192


class NamingParser(MultiPartParser):
    """Django's parser, which drops a part with a name such as "..": here it goes on under another name."""

    def __init__(
        self, meta: Mapping[str, Any], stream: Any, boundary: bytes, handlers: Sequence[FileUploadHandler], charset: Any
    ) -> None:
        super().__init__(meta, _Readable(stream, boundary), list(handlers), charset)  # type: ignore[arg-type]

    def sanitize_file_name(self, file_name: str) -> str:
        """The name without a path and without unprintable characters, or UNNAMED."""
        return super().sanitize_file_name(file_name) or UNNAMED


class _Readable:
    """The body with headers of parts in UTF-8: Django skips a part whose headers are in another encoding."""

    def __init__(self, stream: Any, boundary: bytes) -> None:
        self._stream, self._separator = stream, b"--" + boundary
        self._held, self._within, self._ended = b"", False, False

    def read(self, size: int | None = None) -> bytes:
        """The next bytes; empty only at the end."""
        out = b""
        while not out and not self._ended:
            piece = self._stream.read(size)
            self._ended = not piece
            self._held += piece
            out = self._passed()
        return out

    def _passed(self) -> bytes:
        """Everything that is held and clear by now."""
        out = []
        while self._held:
            ends = HEADERS_END if self._within else self._separator
            place = self._held.find(ends)
            if place < 0:
                most = HEADERS_LONGEST if self._within else len(ends) - 1
                keep = 0 if self._ended or (self._within and len(self._held) > most) else min(most, len(self._held))
                cut = len(self._held) - keep
                out.append(self._held[:cut])
                self._held = self._held[cut:]
                break
            taken, self._held = self._held[: place + len(ends)], self._held[place + len(ends) :]
            out.append(taken.decode("utf-8", "replace").encode() if self._within else taken)
            self._within = not self._within
        return b"".join(out)
