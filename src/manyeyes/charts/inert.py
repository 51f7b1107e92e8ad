"""Hostile text made harmless to read: every character that hides, turns or pretends becomes a boxed label."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from manyeyes.rules.saying import Saying, joined
from manyeyes.rules.saying import say as _
from manyeyes.rules.saying import say_many as ngettext

ZERO_WIDTH = {
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u034f",
    "\u180e",
    "\u115f",
    "\u1160",
    "\u3164",
}
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
NAMES = {
    0x00: _("null"), 0x07: _("bell"), 0x08: _("backspace"), 0x0D: _("carriage return"), 0x1B: _("escape"),
    0x7F: _("delete"), 0xA0: _("no-break space"), 0xAD: _("soft hyphen"), 0x200B: _("zero width space"),
    0x200C: _("zero width non-joiner"), 0x200D: _("zero width joiner"), 0x200E: _("left-to-right mark"),
    0x200F: _("right-to-left mark"), 0x202A: _("left-to-right embedding"), 0x202B: _("right-to-left embedding"),
    0x202C: _("pop directional formatting"), 0x202D: _("left-to-right override"),
    0x202E: _("right-to-left override"), 0x2060: _("word joiner"), 0x2066: _("left-to-right isolate"),
    0x2067: _("right-to-left isolate"), 0x2068: _("first strong isolate"), 0x2069: _("pop directional isolate"),
    0xFEFF: _("zero width no-break space"),
}  # fmt: skip
"""What the characters are called that hide most; all others have the name that Unicode gives them."""
WORD = re.compile(r"[^\W\d_]+")
COUNTED: dict[str, Callable[[int], Saying]] = {
    "invisible": lambda many: ngettext("%(count)s invisible character", "%(count)s invisible characters", many),
    "bidi": lambda many: ngettext("%(count)s direction control", "%(count)s direction controls", many),
    "tag": lambda many: ngettext("%(count)s hidden tag character", "%(count)s hidden tag characters", many),
    "variation": lambda many: ngettext("%(count)s variation selector", "%(count)s variation selectors", many),
    "control": lambda many: ngettext("%(count)s control character", "%(count)s control characters", many),
    "space": lambda many: ngettext("%(count)s unusual space", "%(count)s unusual spaces", many),
    "lookalike": lambda many: ngettext("%(count)s look-alike letter", "%(count)s look-alike letters", many),
}


@dataclass(frozen=True)
class Segment:
    """A run of plain text (`kind` is plain) or characters that need a label; `raw` joins up to the input again."""

    kind: str
    raw: str
    label: str = ""


def _kind(char: str) -> str:
    code = ord(char)
    if char in "\n\t":
        return "plain"
    if 0xE0000 <= code <= 0xE007F:
        return "tag"
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180D:
        return "variation"
    if char in BIDI:
        return "bidi"
    if char in ZERO_WIDTH:
        return "invisible"
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co", "Cn") or code in (0x2028, 0x2029):
        return "control"
    if category == "Cf":
        return "invisible"
    if category == "Zs" and char != " ":
        return "space"
    return "plain"


def _name(char: str) -> Saying:
    code = ord(char)
    return joined([f"U+{code:04X}", NAMES.get(code) or unicodedata.name(char, "").lower()])


def _script(char: str) -> str:
    first = unicodedata.name(char, "").split(" ", 1)[0]
    return first if first in ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE") else ""


def _lookalikes(text: str) -> set[int]:
    """Places of letters from another script than most of their word: `pаypal` with a Cyrillic a."""
    found: set[int] = set()
    for word in WORD.finditer(text):
        if word.group().isascii():
            continue
        scripts = [_script(char) for char in word.group()]
        kinds = Counter(script for script in scripts if script)
        if len(kinds) < 2:
            continue
        main = "LATIN" if "LATIN" in kinds else kinds.most_common(1)[0][0]
        found |= {word.start() + i for i, script in enumerate(scripts) if script and script != main}
    return found


def segments(text: str) -> list[Segment]:
    """The text as plain runs and labels. Nothing is dropped: joining every `raw` gives the input."""
    odd = _lookalikes(text)
    kinds = ["lookalike" if i in odd else _kind(char) for i, char in enumerate(text)]
    for line_end in re.finditer("\r\n", text):  # how forms send a line end: nothing is hidden in it
        kinds[line_end.start()] = "plain"
    out: list[Segment] = []
    for kind, run in groupby(range(len(text)), key=lambda i: kinds[i]):
        raw = "".join(text[i] for i in run)
        if kind == "plain":
            out.append(Segment(kind, raw))
        elif kind == "tag":
            out.append(Segment(kind, raw, _tags(raw)))
        else:
            out += _repeats(kind, raw)
    return out


def _repeats(kind: str, raw: str) -> Iterator[Segment]:
    """One label a character; long runs of the same one are counted instead of repeated."""
    for char, run in groupby(raw):
        many = len(list(run))
        if many > 4:
            yield Segment(kind, char * many, joined([_name(char), "×", str(many)]))
        else:
            yield from [Segment(kind, char, _name(char))] * many


def _tags(raw: str) -> Saying:
    """What a run of tag characters says when read as the ASCII it mirrors."""
    said = "".join(chr(ord(c) - 0xE0000) if 0x20 <= ord(c) - 0xE0000 < 0x7F else "·" for c in raw)
    first, last = f"U+{ord(raw[0]):X}", f"U+{ord(raw[-1]):X}"
    span = first if len(raw) == 1 else f"{first}…{last}"
    told = ngettext(
        "%(count)s tag character: “%(said)s”", "%(count)s tag characters: “%(said)s”", len(raw), said=said
    )  # fmt: skip
    return joined([span, told])


def counted(text: str) -> Saying:
    """What the lid says, for instance "3 invisible characters, 1 direction control"; empty if there is nothing."""
    tally: Counter[str] = Counter()
    for segment in segments(text):
        if segment.kind != "plain":
            tally[segment.kind] += len(segment.raw)
    return joined([words(tally[kind]) for kind, words in COUNTED.items() if tally[kind]], ", ")


THIN = "\u202f%"
"""How our own sentences write a percent sign: with a thin space, which hides nothing."""


def terminal(text: str) -> str:
    r"""Our words with a stranger's in them, fit for a terminal: nothing that moves a cursor or turns text around.

    Line ends and the thin space before a percent sign stay; what else cannot be printed becomes U+FFFD.

    >>> terminal("one\n35\u202f% of \x1b[31mred\u202e")
    'one\n35\u202f% of \ufffd[31mred\ufffd'
    """
    if text.isprintable():
        return text
    return THIN.join(
        "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in part)
        for part in text.split(THIN)
    )


def escaped(text: str) -> str:
    r"""The text to copy: hidden characters as escapes, a backslash doubled so that it can be told apart.

    >>> escaped("a\u200bb")
    'a\\u{200B}b'
    """
    out = []
    for segment in segments(text):
        if segment.kind == "plain":
            out.append(segment.raw.replace("\\", "\\\\"))
        else:
            out += [f"\\u{{{ord(char):X}}}" for char in segment.raw]
    return "".join(out)
