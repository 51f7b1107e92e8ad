"""The quick way to look for a canary: the same answer as the way it stands in for, on bytes instead of text.

A canary is looked for in every answer of a run, and most answers do not hold it, so all its dresses are tried each
time. Nearly every answer can be said in one byte a letter without any pattern noticing; then a look costs a tenth.
"""

from __future__ import annotations

import binascii
import codecs
import re
import unicodedata
from functools import lru_cache

_OTHER = re.compile(r"[\W_]+")
_APART = 0xFE
"""A letter that no ASCII secret holds, in the place of all such letters."""
_SPACES = bytes(code for code in range(256) if chr(code).isspace())


def bare(text: str) -> str:
    """The letters and digits of a text, without case, accents, look-alike widths, spaces, hyphens or invisible signs.

    >>> bare("Blue\\u200b – HERON 42") == bare("b.l.u.e-h-e-r-o-n-4-2")
    True
    """
    return _OTHER.sub("", unicodedata.normalize("NFKD", text).casefold())


def _tables() -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
    """What becomes of each byte, which bytes vanish, and which become several."""
    become, vanish, several = bytearray(range(256)), bytearray(), []
    for code in range(256):
        letters = bare(chr(code))
        if not letters:
            vanish.append(code)
        elif len(letters) > 1:
            several.append((bytes([code]), letters.encode("ascii")))
        else:
            become[code] = ord(letters) if letters.isascii() else _APART
    return bytes(become), bytes(vanish), several


_BECOME, _VANISH, _SEVERAL = _tables()
_ROT13 = codecs.encode(bytes(range(256)).decode("latin-1"), "rot13").encode("latin-1")
_LEET = bytes.maketrans(b"013457", b"oleast")


def _mask(letters: bytes) -> bytes:
    """A table that makes these bytes 1 and all others a space."""
    return bytes(49 if code in letters else 32 for code in range(256))


_DIGITS = b"0123456789"
_LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
_AS_IT_IS = bytes(range(256))
_IN_WORDS = bytes(code | 32 if code in _LETTERS else 32 for code in _AS_IT_IS)
_MASK_64, _MASK_32 = _mask(_LETTERS + _DIGITS + b"+/_-"), _mask(_LETTERS + b"234567")
_IN_BASE64, _IN_BASE32 = (
    bytes(code if mask[code] == 49 else 32 for code in _AS_IT_IS) for mask in (_MASK_64, _MASK_32)
)
_HEX = _mask(_DIGITS + b"abcdefABCDEF:,.-x\\%" + _SPACES)
_RUN = re.compile(rb"1{10,}")
_NUMBERS = _mask(_DIGITS + b",;.-" + _SPACES)
_BINARY = _mask(b"01," + _SPACES)
_TO_URLSAFE = bytes.maketrans(b"-_", b"+/")
_TO_32 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")


@lru_cache(maxsize=4096)
def _stand_in(letter: str) -> str | None:
    """A Latin-1 letter that every pattern takes as it takes this one; None where there is none."""
    folded = unicodedata.normalize("NFKD", letter).casefold()
    if letter.isspace():
        return "\xa0"
    if letter.isdecimal() or letter in "\u0130\u0131" or any(one.isascii() and one.isalnum() for one in folded):
        return None
    if not bare(letter):
        return None if letter.isalnum() else "\xbf"
    return chr(_APART) if letter.isalnum() else None


def in_latin(text: str) -> str | None:
    """The text with stand-ins for what Latin-1 does not have; None where it needs the long way."""
    if text.isascii():
        return text
    odd = {letter for letter in set(text) if letter > "\xff"}
    chosen = {letter: _stand_in(letter) for letter in odd}
    if None in chosen.values():
        return None
    if len(chosen) > 12:
        return text.translate({ord(letter): other for letter, other in chosen.items()})
    for letter, other in chosen.items():
        text = text.replace(letter, other or "")
    return text


def fold(raw: bytes) -> bytes:
    """`bare` of Latin-1 text; letters that are not ASCII all become one and the same."""
    if not raw.isascii():
        for one, letters in _SEVERAL:
            raw = raw.replace(one, letters)
    return raw.translate(_BECOME, _VANISH)


class Latin:
    """The dresses of a secret of ASCII letters and digits in Latin-1 text, but for those the caller unfolds itself."""

    def __init__(self, secret: str, leet: str) -> None:
        self._plain, self._leet = secret.encode("ascii"), leet.encode("ascii")
        self._reversed = self._plain[::-1]

    def inside(self, raw: bytes) -> bool:
        """Whether the text holds the secret as it is, reversed, or in leet."""
        folded = fold(raw)
        return self._plain in folded or self._reversed in folded or self._leet in folded.translate(_LEET)

    def found(self, raw: bytes) -> bool:
        """Plain, rot13, base64 and base32."""
        return self.inside(raw) or self.inside(raw.translate(_ROT13)) or self.inside(_decoded(raw))


def number_words(raw: bytes, words: frozenset[str]) -> bool:
    """Whether one of these words could be there: never False where it is."""
    return not words.isdisjoint(raw.translate(_IN_WORDS).decode("ascii").split())


def codes(raw: bytes) -> tuple[str, bool, bool]:
    """The stretches that could hold hex, and whether decimal or binary codes could be there: never less than are."""
    traced, stretches = raw.translate(_HEX), ""
    if b"1" * 10 in traced:
        found = [raw[trace.start() : trace.end()] for trace in _RUN.finditer(traced)]
        stretches = b"|".join(found).decode("latin-1")
    return stretches, b"1" * 17 in raw.translate(_NUMBERS), b"1" * 40 in raw.translate(_BINARY)


def _decoded(raw: bytes) -> bytes:
    """What every run of base64 and base32 says, and the whole text as one, kept apart by a letter of no secret."""
    found = [base64_text(raw.translate(None, _SPACES))]
    if b"1" * 8 in raw.translate(_MASK_64):
        found += [base64_text(run) for run in raw.translate(_IN_BASE64).split() if len(run) >= 8]
    if b"1" * 10 in raw.translate(_MASK_32):
        found += [base32_text(run) for run in raw.translate(_IN_BASE32).split() if len(run) >= 10]
    return bytes([_APART]).join(found)


def base64_text(run: bytes) -> bytes:
    """A base64 run read from each of the four places it may begin, for answers that glue words to it."""
    clean = run.rstrip(b"=").translate(_TO_URLSAFE)
    found = []
    for start in range(4):
        part = clean[start:]
        part = part[: len(part) - len(part) % 4] if len(part) % 4 == 1 else part
        if not part.isascii():
            continue
        try:
            found.append(binascii.a2b_base64(part + b"=" * (-len(part) % 4)))
        except binascii.Error:
            continue
    return b"\n".join(found)


def base32_text(run: bytes) -> bytes:
    """A base32 run without its padding, cut to a length that base32 can have."""
    length = len(run) - (len(run) % 8 in (1, 3, 6))
    number = int(run[:length].upper().translate(_TO_32), 32)
    return (number >> (5 * length % 8)).to_bytes(5 * length // 8, "big")
