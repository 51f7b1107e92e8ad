"""Every example in the docstrings of the file format is run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import manyeyes.reproducer

MODULES = [f"manyeyes.reproducer.{info.name}" for info in pkgutil.iter_modules(manyeyes.reproducer.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
