"""Makes screenshots small enough for a repository: 256 colours, chosen from the picture itself."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

COLOURS = 256


def smaller(png: bytes) -> bytes:
    """The picture with at most 256 colours, the commonest first; reads what Chromium writes."""
    pixels = _read(png)
    packed = pixels[..., 0].astype(np.int64) << 16 | pixels[..., 1].astype(np.int64) << 8 | pixels[..., 2]
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    chosen = _palette(found, counts)
    nearest = _nearest(_rgb(found), _rgb(chosen))
    return _write(nearest[inverse].reshape(packed.shape).astype(np.uint8), _rgb(chosen).astype(np.uint8))


def _palette(found: Any, counts: Any) -> Any:
    """The commonest colours, no two of them so near that the eye takes them for one."""
    rgb = _rgb(found).astype(int)
    chosen: list[int] = []
    apart = 0 if len(found) <= COLOURS else 9
    for place in np.argsort(-counts):
        if len(chosen) == COLOURS:
            break
        if not chosen or np.abs(rgb[chosen] - rgb[place]).sum(axis=1).min() >= apart or counts[place] > 4_000:
            chosen.append(int(place))
    return found[chosen]


def _nearest(colours: Any, palette: Any) -> Any:
    out = np.empty(len(colours), dtype=np.int64)
    for start in range(0, len(colours), 4096):
        part = colours[start : start + 4096, None, :].astype(np.int32) - palette[None].astype(np.int32)
        out[start : start + 4096] = (part**2).sum(axis=2).argmin(axis=1)
    return out


def _rgb(packed: Any) -> Any:
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1)


def _read(png: bytes) -> Any:
    """The pixels of an 8-bit PNG without interlacing, with or without transparency."""
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("only plain 8-bit RGB pictures are read")
    data, place = b"", 8
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        data += png[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += 12 + length
    step = 3 if kind == 2 else 4
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * step)
    out = np.zeros((height, width, step), np.uint8)
    above = np.zeros((width, step), np.uint8)
    for number, row in enumerate(rows):
        above = out[number] = _unfilter(int(row[0]), row[1:].reshape(width, step), above)
    return out[..., :3]


def _unfilter(how: int, row: Any, above: Any) -> Any:
    if how == 0:
        return row
    if how == 1:
        return np.cumsum(row, axis=0, dtype=np.uint64).astype(np.uint8)
    if how == 2:
        return row + above
    return _by_pixel(how, row.astype(int).tolist(), above.astype(int).tolist())


def _by_pixel(how: int, row: list[list[int]], above: list[list[int]]) -> Any:
    """The two filters that look to the left and above at once."""
    left, corner = [0] * len(row[0]), [0] * len(row[0])
    for here, up in zip(row, above, strict=True):
        for channel in range(len(here)):
            a, b, c = left[channel], up[channel], corner[channel]
            if how == 3:
                guess = (a + b) // 2
            else:
                pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                guess = a if pa <= pb and pa <= pc else b if pb <= pc else c
            here[channel] = (here[channel] + guess) & 255
        left, corner = here, up
    return np.array(row, np.uint8)


def _write(indices: Any, palette: Any) -> bytes:
    height, width = indices.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = indices
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(rows.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
