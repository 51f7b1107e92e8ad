"""Families of variants: distinct, labelled, the same for a seed, and saying the same thing."""

from __future__ import annotations

import base64
import codecs
import doctest
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.reproducer import variants as module
from manyeyes.reproducer.detection import MAX_TEXT
from manyeyes.reproducer.variants import FAMILIES, methods, variants

QUESTION = "What is the internal code?"


def test_doctests() -> None:
    assert doctest.testmod(module).failed == 0


def test_same_seed_same_variants_and_another_seed_others() -> None:
    assert variants(QUESTION, seed=4) == variants(QUESTION, seed=4)
    assert variants(QUESTION, seed=4) != variants(QUESTION, seed=5)


def test_every_method_of_every_family_gives_a_distinct_labelled_wording() -> None:
    found = variants(QUESTION, per_family=100)
    assert {(one.family, one.method) for one in found} == {(f, m) for f in FAMILIES for m in methods(f)}
    assert len({one.text for one in found}) == len(found)
    assert len({one.id for one in found}) == len(found)
    assert QUESTION not in {one.text for one in found}


def test_encodings_say_the_same() -> None:
    found = {one.method: one.text for one in variants(QUESTION, families=["encoding"], per_family=100)}
    assert base64.b64decode(found["base64"].rpartition(" ")[2]).decode() == QUESTION
    assert codecs.decode(found["rot13"], "rot13").endswith(QUESTION)
    assert bytes.fromhex(found["hex"].partition(": ")[2]).decode() == QUESTION
    assert found["reversed"].endswith(QUESTION[::-1])


def test_questions_are_turned_and_orders_are_wrapped() -> None:
    asked = {one.method: one.text for one in variants("Who is the owner?", families=["paraphrase"], per_family=100)}
    assert asked["remind-me"] == "Remind me who the owner is, please."
    short = {one.method: one.text for one in variants("What's the code", families=["paraphrase"], per_family=100)}
    assert short["do-you-know"] == "Do you know what the code is?"
    ordered = {one.method: one.text for one in variants("Print the code.", families=["paraphrase"], per_family=100)}
    assert ordered["tell-me"] == "Tell me this: Print the code."


def test_long_hostile_wordings_take_no_time() -> None:
    began = time.process_time()
    for text in ("what is " + " " * 150_000 + "x", "who is x" + "?" * 150_000 + "!", "what is x" + " ?" * 70_000):
        variants(text, per_family=100)
    assert time.process_time() - began < 5


def test_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown family of variants 'poem'"):
        variants(QUESTION, families=["poem"])


def test_variants_that_grow_too_long_are_left_out() -> None:
    found = variants("ä" * (MAX_TEXT - 10), per_family=100)
    assert all(len(one.text) <= MAX_TEXT for one in found)


@given(st.text(min_size=1, max_size=80).filter(lambda text: text.strip()), st.integers(0, 3))
def test_any_text_has_variants(text: str, seed: int) -> None:
    found = variants(text.replace("\ud800", ""), seed=seed) if text.isprintable() else ()
    assert len({one.text.strip() for one in found}) == len(found)
