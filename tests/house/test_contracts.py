"""Import contracts, budgets and names: what makes the right file easy to find."""

from __future__ import annotations

import ast
import subprocess
import sys
from math import ceil
from pathlib import Path

import pytest

from tests.house.source import ROOT, SRC, floors, name, outside, python_files, tree

FILE_P95, FILE_MOST, FUNCTION_P95 = 330, 500, 40
BANNED_NAMES = {"services", "utils", "helpers", "common", "base", "misc"}


def p95(values: list[int]) -> int:
    """The value that 95 % do not exceed."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]


def test_import_contracts_hold() -> None:
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_a_floor() -> None:
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    rooms |= {path.stem for path in SRC.glob("*.py") if path.stem != "__init__"}
    assert rooms - outside() <= set(floors())


def test_files_stay_small() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {file: lines for file, lines in lengths.items() if lines > FILE_MOST} == {}
    assert p95(list(lengths.values())) <= FILE_P95


def test_functions_stay_small() -> None:
    lengths = {
        f"{name(path)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    longest = sorted(lengths.items(), key=lambda item: -item[1])[:10]
    assert p95(list(lengths.values())) <= FUNCTION_P95, longest


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name(path) for path in SRC.rglob("*.py") if path.stem in BANNED_NAMES] == []


@pytest.mark.parametrize("path", python_files(), ids=name)
def test_a_module_opens_by_saying_what_it_is_for(path: Path) -> None:
    if path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(path)), f"{name(path)} does not say what it is for"


def test_imports_are_absolute() -> None:
    relative = [
        f"{name(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
