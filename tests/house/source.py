"""The house as text: its files, parsed once, for the tests that look at how it is built."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "manyeyes"
REFERENCE = ROOT / "docs" / "reference"


@cache
def python_files() -> tuple[Path, ...]:
    """Every module of ours; migrations are made by a machine and left out."""
    return tuple(sorted(path for path in SRC.rglob("*.py") if "migrations" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """A file as people call it: its path below src/manyeyes."""
    return path.relative_to(SRC).as_posix()


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def floors() -> dict[str, int]:
    """Room → floor, the ground floor highest; the list of the import contract is the only list."""
    layers = _layers()["layers"]
    return {room.strip(" ()"): floor for floor, layer in enumerate(layers) for room in layer.split("|")}


def outside() -> set[str]:
    """Modules that stand beside the floors, as the contract says."""
    return set(_layers()["exhaustive_ignores"])


def _layers() -> dict[str, Any]:
    contracts: list[dict[str, Any]] = project()["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["type"] == "layers")


def reference() -> str:
    """All reference pages in one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("*.md")))
