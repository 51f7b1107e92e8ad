"""What a file is by its content: the name and the type that were sent along are not believed."""

from __future__ import annotations

import re

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-executable"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
)
PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"
MAIL = "message/rfc822"
HEAD = 4096
NAMES: dict[str, str] = {
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/gif": "GIF image",
    "image/webp": "WebP image",
    "image/svg+xml": "SVG drawing",
    "text/html": "web page",
    "application/pdf": "PDF",
    "application/zip": "ZIP archive",
    "application/gzip": "GZIP archive",
    "application/x-tar": "TAR archive",
    "application/x-7z-compressed": "7z archive",
    "application/vnd.rar": "RAR archive",
    "application/x-bzip2": "BZIP2 archive",
    "application/x-xz": "XZ archive",
    "application/zstd": "Zstandard archive",
    "application/json": "JSON",
    "application/vnd.sqlite3": "SQLite database",
    "application/x-executable": "program",
    "video/webm": "WebM video",
    "video/mp4": "MP4 video",
    MAIL: "mail",
    PLAIN: "text",
    UNKNOWN: "unknown bytes",
}
_HEADER = re.compile(rb"[!-9;-~]{2,60}:[ \t]?[^\r\n]*\r?\n")
_MAIL_NAMES = re.compile(
    rb"(?im)^(received|return-path|delivered-to|from|message-id|mime-version|date|subject|dkim-signature):"
)


def type_of(first: bytes) -> str:
    """A media type from the first bytes of a file.

    >>> type_of(b"%PDF-1.7"), type_of(b"plain words"), type_of(b"<svg xmlns='x'>"), type_of(bytes(9))
    ('application/pdf', 'text/plain', 'image/svg+xml', 'application/octet-stream')
    """
    for signature, media_type in SIGNATURES:
        if first.startswith(signature):
            return media_type
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return "image/webp"
    if first[4:8] == b"ftyp":
        return "video/mp4"
    if first[257:262] == b"ustar":
        return "application/x-tar"
    return _text_type(first[:HEAD]) if _is_text(first) else UNKNOWN


def words_for(media_type: str) -> str:
    """The type as people call it."""
    return NAMES.get(media_type, media_type)


def warnings(first: bytes, last: bytes, media_type: str) -> list[str]:
    """What is odd about a file that seems to be one thing: said to whoever opens it, none of it is acted upon."""
    found = []
    if media_type != "application/zip" and b"PK\x05\x06" in last:
        found.append("It reads as a ZIP archive as well.")
    head = first[:HEAD].lower()
    if b"<script" in head or b"javascript:" in head or re.search(rb"<[a-z]+[^>]*\son[a-z]+\s*=", head):
        found.append("It holds script.")
    if media_type.startswith("image/") and media_type != "image/svg+xml" and b"%PDF-" in head:
        found.append("It reads as a PDF as well.")
    return found


def _is_text(first: bytes) -> bool:
    try:
        first[:HEAD].decode("utf-8", "strict" if len(first) <= HEAD else "ignore")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in first[:HEAD]


def _text_type(head: bytes) -> str:
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = plain[:1024].lower()
    if b"<svg" in lowered and lowered.startswith((b"<", b"\xef")):
        return "image/svg+xml"
    if lowered.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if lowered.startswith((b"{", b"[")):
        return "application/json"
    return MAIL if _is_mail(head) else PLAIN


def _is_mail(head: bytes) -> bool:
    """Whether it begins as a mail does: with a header line, and at least two of the usual ones before the first gap."""
    top = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0] + b"\n"
    return bool(_HEADER.match(top)) and len({name.lower() for name in _MAIL_NAMES.findall(top)}) >= 2
