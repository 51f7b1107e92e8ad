"""Every example in the engine's docstrings is run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import manyeyes.engine

MODULES = [f"manyeyes.engine.{info.name}" for info in pkgutil.iter_modules(manyeyes.engine.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert result.failed == 0
