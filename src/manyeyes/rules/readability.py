"""How hard a text is to read: words, minutes, sentence length, Flesch reading ease and Flesch-Kincaid grade.

Flesch (1948): 206.835 - 1.015 words/sentence - 84.6 syllables/word. Grade (Kincaid and others 1975): 0.39
words/sentence + 11.8 syllables/word - 15.59. Minutes at 238 words a minute (Brysbaert 2019).

Syllables are counted by rule, without a dictionary: every run of the vowels aeiouy counts one; a final silent e, es or
ed does not, nor does the e before -ly, -ness, -less, -ful, -ment; a few pairs of vowels count twice (see `_TWICE`); and
a short list of words stands as it is (`_KNOWN`). Letters with accents count as their plain ones. A list item or a
heading ends a sentence, as a full stop does.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

WORDS_A_MINUTE = 238

_KNOWN = {
    1: "code codes home hope lives real us whole eye eyes rogue",
    2: """acquired ai anyone baseline being business client clients create creates delayed deployed diet displayed doing
        element elements elsewhere embed employed entire every everywhere framework frameworks going hereby id ids keyed
        likely likewise maybe ok opaque people quiet really replayed reuse safely safety science seeing someone
        something sometimes somehow somewhere statement statements technique techniques themselves therefore thereof
        timeline trademark trademarks trial trials unique uv via whoever yourself movement""",
    3: """agreeing agreement agreements api apis area areas audio created creating creation creative different earlier
        entirely everyone everything general html http idea ideas implement interest involvement lifecycle llm llms
        management media pdf poc preamble ratio requirement requirements sensitive several somebody supplement
        url urls usa vdp whatsoever""",
    4: "actually associated everybody immediate recipient recipients usually",
    5: "automatically https identifier immediately remediation",
}
_COUNTS = {word: count for count, known in _KNOWN.items() for word in known.split()}

_TWICE = tuple(
    re.compile(pattern)
    for pattern in (
        r"[^tscxgd]i[ao]",
        r"[aeiou]ing$",
        r"eo(?!u|pl|n$)",
        r"sm$",
        r"ism$",
        r"[^gq]ua",
        r"uou|iet|dien|riet|iu",
        r"[^aeiou]ying",
        r"[^aeiouy]uit?y$",
        r"^mc",
        r"[aeiou]y[aeiou]",
        r"^coo[pr]",
        r"^re[aeiou]n",
    )
)
_SILENT = (
    re.compile(r"[^aeiouy]e$"),
    re.compile(r"[^aeiouytd]ed$"),
    re.compile(r"(?<!ch)(?<!sh)(?<=[^aeiouycgszx])es$"),
)
_SOUNDED = (
    re.compile(r"[^aeiouylrw]le$"),
    re.compile(r"[^aeiouyl]led$"),
    re.compile(r"[^aeiouylrw]les$"),
)
_INNER = re.compile(r"[^aeiouy]e(?:ly|ness|less|ful|fully|ments?)$")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_SENTENCE = re.compile(
    r"(?<=[.!?])[\"'\u201d\u2019)*_]*\s+(?=[\"'\u201c\u2018(*_]*[^\W_a-z])|\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.|#+)\s)"
)
_NUMBERED = re.compile(r"(?m)^[ \t]*\d+[.)][ \t]+")
_MARKS = re.compile(r"`+|\*\*|__|(?m:^\s*(?:[-*+]|\d+\.|#+|>)\s+)|\[([^\]]*)\]\([^)]*\)|<[^>\s]+>")


@dataclass(frozen=True, kw_only=True)
class Readability:
    """What was counted. `minutes` is reading time, `mean_sentence` is in words; an empty text has no score."""

    words: int
    sentences: int
    syllables: int
    minutes: float
    mean_sentence: float
    flesch: float | None
    grade: float | None


def syllables(word: str) -> int:
    """The syllables of one English word, at least one.

    >>> [syllables(word) for word in ("policy", "researched", "vulnerability", "people", "tables")]
    [3, 2, 6, 2, 2]
    """
    plain = unicodedata.normalize("NFKD", word.lower())
    letters = re.sub(r"[^a-z]", "", re.sub(r"['\u2019]s\b", "", plain))
    if letters in _COUNTS:
        return _COUNTS[letters]
    count = len(re.findall(r"[aeiouy]+", letters))
    silent = next((place for place, pattern in enumerate(_SILENT) if pattern.search(letters)), None)
    if silent is not None and not _SOUNDED[silent].search(letters):
        count -= 1
    count -= _INNER.search(letters) is not None
    count += sum(pattern.search(letters) is not None for pattern in _TWICE)
    return max(1, count)


def plain(text: str) -> str:
    """The words of a Markdown text without its marks; links keep what is read aloud.

    >>> plain("- **Stop** at [our page](https://larkfield.example/).")
    'Stop at our page.'
    """
    return _MARKS.sub(lambda found: found.group(1) or "", text).strip()


def sentences(text: str) -> list[str]:
    """The sentences of a text in Markdown; list items and headings count as sentences of their own.

    >>> sentences("We answer. You wait.\\n\\n- One thing\\n- Another e.g. this")
    ['We answer.', 'You wait.', 'One thing', 'Another e.g. this']
    """
    unnumbered = _NUMBERED.sub("- ", text)
    found = (" ".join(plain(part).split()) for part in _SENTENCE.split(unnumbered) if part)
    return [sentence for sentence in found if _WORD.search(sentence)]


def words(text: str) -> list[str]:
    """The words of a text; a hyphenated word is one.

    >>> words("We don't do re-use, do we?")
    ['We', "don't", 'do', 're-use', 'do', 'we']
    """
    return _WORD.findall(text)


def measure(text: str) -> Readability:
    """Counts a text in Markdown.

    >>> found = measure("We answer within two days. You may stay anonymous.")
    >>> found.words, found.sentences, found.syllables, round(found.flesch, 1), round(found.grade, 1)
    (9, 2, 14, 70.7, 4.5)
    """
    said = sentences(text)
    every = [word for sentence in said for word in words(sentence)]
    spoken = sum(syllables(part) for word in every for part in word.split("-"))
    if not every:
        return Readability(words=0, sentences=0, syllables=0, minutes=0, mean_sentence=0, flesch=None, grade=None)
    length, weight = len(every) / len(said), spoken / len(every)
    return Readability(
        words=len(every),
        sentences=len(said),
        syllables=spoken,
        minutes=len(every) / WORDS_A_MINUTE,
        mean_sentence=length,
        flesch=206.835 - 1.015 * length - 84.6 * weight,
        grade=0.39 * length + 11.8 * weight - 15.59,
    )
