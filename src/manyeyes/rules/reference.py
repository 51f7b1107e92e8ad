"""Public case references such as ME-7K3F-Q2M4: random, easy to say aloud, never sequential."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from manyeyes.rules.errors import Invalid

PREFIX, FAMILY = "ME", "FA"
# No vowels (no accidental words), none of 0 O, 1 I L, S B Z U: what is left sounds and looks different.
ALPHABET = "23456789CDFGHJKMNPQRTVWXY"
GROUPS, GROUP_LENGTH = 2, 4
# Letters outside the alphabet that people write for one inside it.
MENDED = str.maketrans({"B": "8", "S": "5", "Z": "2", "U": "V"})
MEND = "Write it as in ME-7K3F-Q2M4."


def new_reference(choose: Callable[[str], str] = secrets.choice, *, prefix: str = PREFIX) -> str:
    """A new reference of eight random characters (about 37 bits); `prefix` tells cases from families."""
    groups = ("".join(choose(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join((prefix, *groups))


def normalise(text: str, *, prefix: str = PREFIX) -> str:
    """The reference a person meant: case, spaces, dashes and the prefix are forgiven. Raises Invalid.

    >>> normalise(" me 7k3fq2m4 ")
    'ME-7K3F-Q2M4'
    """
    letters = "".join(character for character in text.upper() if character.isalnum()).removeprefix(prefix)
    letters = letters.translate(MENDED)
    if len(letters) != GROUPS * GROUP_LENGTH:
        raise Invalid(reference=f"A reference has eight letters and digits after ME. {MEND}")
    strange = sorted(set(letters) - set(ALPHABET))
    if strange:
        raise Invalid(reference=f"A reference never has {', '.join(strange)}. {MEND}")
    return "-".join((prefix, letters[:GROUP_LENGTH], letters[GROUP_LENGTH:]))


def is_reference(text: str) -> bool:
    """Whether the text is a reference exactly as we write it."""
    try:
        return normalise(text) == text
    except Invalid:
        return False
