"""Hostile text stays data: nothing live comes out, and no character of it is lost."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.charts.inert import counted, escaped, segments
from manyeyes.templatetags.manyeyes import inert, title

ODD = "\u200b\u202e\u2066\ufe0f\u00a0\x00\x1b\x7f\U000e0041<>&\"'\\\n\t\r\u0430\u03bfa b"
TEXTS = st.one_of(st.text(), st.text(alphabet=ODD), st.text(alphabet=ODD + "scriptonclick=/"))


@given(TEXTS)
def test_every_character_is_in_one_segment(text: str) -> None:
    assert "".join(segment.raw for segment in segments(text)) == text
    assert all(segment.label for segment in segments(text) if segment.kind != "plain")


@given(TEXTS)
def test_nothing_live_comes_out(text: str) -> None:
    shown = str(inert(text))
    assert re.sub(r'<span class="box">|</span>', "", shown).count("<") == 0
    for char in shown:
        assert char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")


@given(TEXTS)
def test_escaped_text_says_the_same_and_hides_nothing(text: str) -> None:
    said = escaped(text)
    assert not any(unicodedata.category(c) in ("Cf", "Cs") for c in said)

    def back(match: re.Match[str]) -> str:
        return "\\" if match.group() == "\\\\" else chr(int(match.group(1), 16))

    assert re.sub(r"\\\\|\\u\{([0-9A-F]+)\}", back, said) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain words, naïve café, Привет", ""),
        ("a\u200bb\u200bc\ufeff", "3 invisible characters"),
        ("\u202eabc\u202c", "2 direction controls"),
        ("".join(chr(0xE0000 + ord(c)) for c in "hi"), "2 hidden tag characters"),
        ("p\u0430ypal", "1 look-alike letter"),
        ("a\u00a0b", "1 unusual space"),
        ("a\x00b\x1b", "2 control characters"),
        ("x\ufe0f", "1 variation selector"),
        ("one\r\ntwo\ttabbed\n", ""),
    ],
)
def test_the_lid_counts(text: str, words: str) -> None:
    assert counted(text) == words


def test_tag_characters_are_decoded() -> None:
    (found,) = segments("".join(chr(0xE0000 + ord(c)) for c in "leak"))
    assert "“leak”" in found.label
    assert "4 tag characters" in found.label


def test_a_title_is_one_short_plain_line() -> None:
    assert title("a\u202eb\nc") == "a\\u{202E}b c"
    assert len(title("x" * 500)) == 120
