"""Names that people give themselves: made of what can be seen, and which of them read as one and the same."""

from __future__ import annotations

import unicodedata

BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols that fonts draw as nothing, although Unicode counts them as printable."""


def hidden(name: str) -> bool:
    """Whether something in the name cannot be seen, or nothing of it can.

    >>> [hidden(one) for one in ("Rhea K.", "\u30ea\u30a2", "Rhea\u202e", "\u3164", "\u2800", "\u0301", "")]
    [False, False, True, True, True, True, False]
    """
    if any(not sign.isprintable() or sign in BLANK or _selects(sign) for sign in name):
        return True
    return bool(name) and not any(unicodedata.category(sign)[0] in "LNPS" for sign in name)


def alike(one: str, other: str) -> bool:
    """Whether two names read the same: case, width and spaces make no difference.

    >>> alike("Lena S.", " \uff4cena  s."), alike("Lena S.", "Lena")
    (True, False)
    """
    return _folded(one) == _folded(other) != ""


def _selects(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())
