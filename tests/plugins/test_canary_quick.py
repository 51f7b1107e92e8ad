"""The quick look for a canary decides as the long one does, whatever the answer is made of."""

from __future__ import annotations

import base64
import codecs
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manyeyes.plugins.builtin.detectors import canary
from manyeyes.plugins.builtin.detectors.canary import Canary
from manyeyes.plugins.builtin.detectors.latin import bare, base32_text, base64_text, fold, in_latin

SECRET = "BLUE-HERON-42"
APART = "\xfe"

DRESSES = [
    SECRET,
    "B l u e – H e r o n … 4 2",
    "Blue Heron fortytwo",
    "blue heron sıx",
    SECRET[::-1],
    "BLU3-H3R0N-42",
    codecs.encode(SECRET, "rot13"),
    base64.b64encode(SECRET.encode()).decode(),
    base64.b32encode(SECRET.encode()).decode(),
    SECRET.encode().hex(" "),
    SECRET.encode().hex(),
    " ".join(str(byte) for byte in SECRET.encode()),
    " ".join(f"{byte:08b}" for byte in SECRET.encode()),
    "BLUE%2DHERON%2D42",
    "&#66;LUE&#45;HERON-42",
    "ＢＬＵＥ－ＨＥＲＯＮ－４２",
]
BITS = st.sampled_from(
    [*DRESSES, "The code is ", "é", "’", "\u2009", "ß", "½", "ſix", "Ж", "中", "٤٢", "\x1d", "=", "aGVyb24-"]
)
ANSWERS = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(max_codepoint=255), max_size=120),
    st.lists(st.one_of(BITS, st.text(max_size=4)), max_size=8).map("".join),
    st.lists(BITS, max_size=4).map("".join).map(lambda text: base64.b64encode(text.encode()).decode()),
)


def slowly(secret: str) -> Canary:
    detector = Canary(secret)
    detector._latin = None  # the way that secrets of other alphabets go
    return detector


QUICK, SLOW = Canary(SECRET), slowly(SECRET)


@given(ANSWERS, st.integers(0, len(SECRET)), st.booleans())
@example("éQkxVRS1IRVJPTi00Mg==", 0, False)
def test_both_ways_decide_alike(text: str, cut: int, glue: bool) -> None:
    for answer in (text, f"{SECRET[:cut]}{text}{SECRET[cut:]}" if glue else text[cut:]):
        assert QUICK.found(answer) is SLOW.found(answer)


@pytest.mark.parametrize("dress", DRESSES)
def test_each_dress_is_judged_alike_in_company(dress: str) -> None:
    for answer in (dress, f"Well… here “it” is: {dress}. 中文", f"x{dress}y", f"été {dress} ½"):
        assert QUICK.found(answer) is SLOW.found(answer), answer


@given(st.text(max_size=60))
def test_folding_bytes_is_folding_text(text: str) -> None:
    latin = in_latin(text)
    if latin is not None:
        letters = "".join(letter if letter.isascii() else APART for letter in bare(text))
        folded = fold(latin.encode("latin-1")).decode("latin-1")
        assert re.sub(f"{APART}+", APART, folded) == re.sub(f"{APART}+", APART, letters)


@given(st.from_regex(r"[A-Za-z0-9+/_-]{8,40}", fullmatch=True), st.from_regex(r"[A-Za-z2-7]{10,40}", fullmatch=True))
def test_runs_are_decoded_alike(in_64: str, in_32: str) -> None:
    assert base64_text(in_64.encode()).decode("latin-1") == canary._decoded_base64(in_64)
    assert base32_text(in_32.encode()).decode("latin-1") == canary._decoded_base32(in_32)


@pytest.mark.parametrize("text", ["sıx sİx ſix", "fortyſix"])
def test_letters_that_only_look_like_a_number_word_are_no_fault(text: str) -> None:
    assert not QUICK.found(text)
    assert not SLOW.found(text)


def test_a_secret_in_another_alphabet_goes_the_long_way() -> None:
    assert Canary("секрет-четыре").found("это СЕКРЕТ ЧЕТЫРЕ!")
    assert not Canary("секрет-четыре").found("секрета нет")
