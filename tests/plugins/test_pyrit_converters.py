"""Converters of PyRIT as families: only what is offline and always the same, and a clear word where it is missing."""

from __future__ import annotations

import base64
import doctest
import importlib.util
import random
from types import SimpleNamespace
from typing import Any

import pytest

from manyeyes.plugins import pyrit_converters
from manyeyes.plugins.pyrit_converters import ALLOWED, PyRITError, converted, converters_of
from manyeyes.reproducer.load import load_text
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.prepare import Options, PrepareError, prepare
from tests.reproducer.examples import EXAMPLE

QUESTION = "What is the internal code?"
HERE = importlib.util.find_spec("pyrit") is not None
needs_pyrit = pytest.mark.skipif(not HERE, reason="PyRIT is not installed (the extra `pyrit`)")


def test_doctests() -> None:
    assert doctest.testmod(pyrit_converters).failed == 0


def made(change: Any, *, kind: str = "text") -> Any:
    """A converter as PyRIT has them."""

    class Converter:
        async def convert_async(self, *, prompt: str, input_type: str) -> Any:
            return SimpleNamespace(output_text=change(prompt), output_type=kind)

    return Converter


class Waits:
    async def convert_async(self, *, prompt: str, input_type: str) -> Any:
        await Paused()


class Paused:
    def __await__(self) -> Any:
        yield "the network"


FAKE = SimpleNamespace(
    **{name: made(lambda text, name=name: f"{name}: {text}") for name in ALLOWED if name != "UrlConverter"},
)


def test_named_converters_give_a_wording_each_in_one_family() -> None:
    found = converted(QUESTION, ["pyrit:FlipConverter", "pyrit:Base64Converter"], load=lambda: FAKE)
    assert [(one.id, one.family, one.method) for one in found] == [
        ("pyrit-Flip", "pyrit", "FlipConverter"),
        ("pyrit-Base64", "pyrit", "Base64Converter"),
    ]
    assert found[1].text == f"Base64Converter: {QUESTION}"


def test_pyrit_alone_draws_some_by_the_seed() -> None:
    whole = SimpleNamespace(**vars(FAKE), UrlConverter=made(lambda text: f"url {text}"))
    some = [one.method for one in converted(QUESTION, ["pyrit"], per_family=3, seed=4, load=lambda: whole)]
    assert len(some) == 3
    assert some == [one.method for one in converted(QUESTION, ["pyrit"], per_family=3, seed=4, load=lambda: whole)]
    other = [one.method for one in converted(QUESTION, ["pyrit"], per_family=3, seed=5, load=lambda: whole)]
    assert some != other
    both = converted(QUESTION, ["pyrit", "pyrit:FlipConverter"], per_family=2, seed=4, load=lambda: whole)
    assert both[0].method == "FlipConverter"
    assert len(both) == 3
    assert converted(QUESTION, ["pyrit"], per_family=0, load=lambda: pytest.fail("asked for nothing")) == ()


def test_a_text_that_stays_as_it_is_is_no_variant() -> None:
    same = SimpleNamespace(FlipConverter=made(lambda text: text), Base64Converter=made(lambda text: " "))
    assert converted(QUESTION, ["pyrit:FlipConverter", "pyrit:Base64Converter"], load=lambda: same) == ()


@pytest.mark.parametrize(
    ("converter", "said"),
    [
        (made(lambda text: str(random.random())), "does not always give the same text"),
        (Waits, "waits for something, so it is not offline"),
        (made(lambda text: text, kind="image_path"), "gives no text but image_path"),
        (made(lambda text: 1 / 0), "cannot convert this text: division by zero"),
        (None, "this PyRIT has no such converter"),
    ],
)
def test_a_converter_that_is_not_what_it_was_is_refused(converter: Any, said: str) -> None:
    with pytest.raises(PyRITError, match=said):
        converted(QUESTION, ["pyrit:FlipConverter"], load=lambda: SimpleNamespace(FlipConverter=converter))


@pytest.mark.parametrize("name", ["pyrit:ToneConverter", "pyrit:CharSwapConverter", "pyrit:", "pyrit:../evil"])
def test_others_are_refused_by_name(name: str) -> None:
    with pytest.raises(PyRITError, match="only converters that work offline"):
        converters_of([name])
    with pytest.raises(PyRITError, match="not composed"):
        converters_of(["pyrit:FlipConverter+encoding"])


def test_a_plan_says_what_is_missing_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {"main": TargetInfo(), "positive": TargetInfo()}

    def planned(*families: str) -> Any:
        return prepare(load_text(EXAMPLE), "verify", targets=targets, options=Options(families=families))

    with pytest.raises(PrepareError, match="only converters"):
        planned("pyrit:NoSuchConverter")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PrepareError, match=r'pip install "manyeyes\[pyrit\]"'):
        planned("pyrit:Base64Converter")
    monkeypatch.setattr(pyrit_converters, "_load", lambda: FAKE)
    found = planned("encoding", "pyrit:Base64Converter")
    parts = {cell.part for cell in found.plan.cells}
    assert parts == {"reported", "encoding", "pyrit"}
    request = next(one for one in found.requests.values() if one.part == "pyrit")
    assert request.messages[-1]["content"].startswith("Base64Converter: ")
    assert request.method == "Base64Converter"


def test_an_old_layout_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(PyRITError, match=r"use pyrit>=1\.1,<2"):
        converted(QUESTION, ["pyrit:Base64Converter"])


@needs_pyrit
@pytest.mark.parametrize("name", ALLOWED)
def test_every_allowed_converter_of_the_real_pyrit_works(name: str) -> None:
    text = f"{QUESTION} It is not BLUE-HERON-42."
    (first,) = converted(text, [f"pyrit:{name}"])
    assert first.text not in ("", text)
    assert converted(text, [f"pyrit:{name}"]) == (first,)


@needs_pyrit
def test_the_real_base64_is_base64() -> None:
    (one,) = converted(QUESTION, ["pyrit:Base64Converter"])
    assert base64.b64decode(one.text).decode() == QUESTION
