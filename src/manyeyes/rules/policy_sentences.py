"""A policy cut into single statements in one plain spelling, and the pieces that patterns over them are made of.

A statement is a sentence or a list item. The item carries the words that introduce its list ("you may not:"), and a
sentence the bold words before it ("**Training.** We ..."), for without them its meaning may be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from manyeyes.rules.readability import sentences

LONGEST = 1200
"""Characters of one statement; what is longer is read in pieces, so that no text can make the search slow."""
_LONGEST_WORD = 40

NO = r"(?:not|never|no|nor|neither|nobody|none|nothing|without|refuses?|declines?|unable|hardly|rarely|seldom)"
MAY = (
    r"(?:may|might|can|could|will|shall|would|must|do|does|always|also|still|often|sometimes|then|even|freely|gladly|"
    r"reserves? the right to|retains? the right to|keeps? the right to|intends? to|plans? to|is|are|"
    r"(?:free|entitled|allowed|ready|prepared|happy|willing|going|permitted) to)"
)
NOT = (
    r"(?:(?:do|does|did|will|would|shall|should|may|might|can|could|must|need|are|is|was|were|be|has|have) "
    r"(?:also |still |then |ever |expressly |explicitly |in any way )*not|not|never|no longer|refuses? to|"
    r"declines? to)"
)
WE = (
    r"(?<!\bif )(?<!\bwhen )(?<!\bshould )(?<!\bunless )(?<!\buntil )(?<!\bwhether )(?<!\bwhere )(?<!\bcase "
    r")(?<!\bonce )"
    r"\b(?:we|our (?:company|team|lawyers|staff|legal team|models?)|the (?:company|organization|team|vendor))\b"
)
START = r"(?:^|[,;(|] |\bbut |\b(?=we |you |our |safe harbor |they ))"
SPAN = (
    r"(?:\d+|an?|one|two|three|four|five|six|seven|ten|fourteen|thirty|sixty|ninety)[ -]"
    r"(?:full |calendar |business |working )?(?:hours?|days?|weeks?|months?)"
)


def free(most: int) -> str:
    """At most so many words, none of which denies anything."""
    return rf"(?:(?!{NO}\b)\S+\s+){{0,{most}}}"


def some(most: int) -> str:
    """At most so many words of any kind."""
    return rf"(?:\S+\s+){{0,{most}}}"


def either(*patterns: str) -> str:
    """One of these patterns."""
    return "|".join(patterns)


def unless(spared: str, *patterns: str) -> str:
    """One of the patterns, in a statement that has none of the words that make it harmless."""
    return rf"^(?!.*(?:{spared})).*?(?:{either(*patterns)})"


def both(*patterns: str) -> str:
    """All patterns in one statement, in any order."""
    return "^" + "".join(rf"(?=.*?(?:{pattern}))" for pattern in patterns)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement: `plain` is what patterns are held against, `words` is what the policy says."""

    plain: str
    words: str


_BOLD = re.compile(r"(?m)^(\s*(?:[-*+]|\d+[.)])?\s*)\*\*([^*\n]+?)[.:]?\*\*[.:]?[ \t]+(?=\S)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_SPELLINGS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        ("[\u2018\u2019\u02bc]", "'"),
        ('[\u201c\u201d"`*_]', ""),
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\bshan't\b", "shall not"),
        (r"n't\b", " not"),
        (r"\b(we|you|they)'(?:ll)\b", r"\1 will"),
        (r"\b(we|you|they)'re\b", r"\1 are"),
        (r"\b(we|you|they)'ve\b", r"\1 have"),
        (r"authoris", "authoriz"),
        (r"\brecognis", "recogniz"),
        (r"\borganis", "organiz"),
        (r"\bharbour", "harbor"),
        (r"\s+", " "),
    )
)


def plainly(words: str) -> str:
    """One spelling for all: small letters, no marks, "do not" for "don't", American endings.

    >>> plainly("We **can’t** say what we’re authorised to do.")
    'we can not say what we are authorized to do.'
    """
    text = words.lower()
    for pattern, instead in _SPELLINGS:
        text = pattern.sub(instead, text)
    return " ".join(word[:_LONGEST_WORD] for word in text.split())


def statements(text: str) -> Iterator[Statement]:
    """Every statement of a text in Markdown, in order.

    >>> [one.plain for one in statements("You must not:\\n\\n- sue\\n- **Data.** Keep it.\\n\\nWe answer. You wait.")]
    ['you must not:', 'you must not: sue', 'you must not: data | keep it.', 'we answer.', 'you wait.']
    """
    lead = ""
    for line in _lines(_BOLD.sub(r"\1\2 | ", text)):
        if not _ITEM.match(line):
            lead = ""
        said = sentences(line)
        for sentence in said:
            plain = plainly(f"{lead} {sentence}")
            for start in range(0, len(plain), LONGEST):
                yield Statement(plain=plain[start : start + LONGEST], words=sentence.replace(" | ", ". "))
        if said and said[-1].endswith(":") and not _ITEM.match(line):
            lead = said[-1]


def _lines(text: str) -> Iterator[str]:
    """The paragraphs and the list items, each on one line."""
    held: list[str] = []
    for line in text.splitlines():
        if held and (not line.strip() or _ITEM.match(line)):
            yield " ".join(held)
            held = []
        if line.strip():
            held.append(line.rstrip())
    if held:
        yield " ".join(held)
