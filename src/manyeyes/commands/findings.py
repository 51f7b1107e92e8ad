"""Every reproducer in a directory, as a sweep takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manyeyes.commands.questions import UsageError
from manyeyes.reproducer.load import load_file
from manyeyes.reproducer.model import Reproducer
from manyeyes.reproducer.parse import Problem, ReproducerError
from manyeyes.runs.cells import PrepareError

ENDINGS = (".poc.yaml", ".poc.yml", ".poc.json")
MOST = 5_000


def findings_in(directory: Path, *, sandbox: bool = True) -> dict[str, tuple[str, Reproducer]]:
    """Every reproducer below a directory: a key made from its path, the path, the reproducer. Raises UsageError.

    All files are read before anything is said, so that one run tells all that is wrong.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: there is no such directory")
    paths = sorted(path for path in directory.rglob("*") if path.name.endswith(ENDINGS) and path.is_file())
    if not paths:
        raise UsageError(f"{directory}: there is no file whose name ends in {', '.join(ENDINGS)}")
    if len(paths) > MOST:
        raise UsageError(f"{directory}: holds {len(paths)} reproducers; sweep at most {MOST} at once")
    found: dict[str, tuple[str, Reproducer]] = {}
    problems: list[Problem] = []
    said: list[str] = []
    for path in paths:
        inside = path.relative_to(directory).as_posix()
        try:
            reproducer = load_file(path)
        except ReproducerError as error:
            problems += error.problems
            said.append(str(ReproducerError(inside, error.problems)))  # two folders may have files of one name
            continue
        except OSError as error:
            said.append(f"{inside}: {error.strerror or error}")
            continue
        if reproducer.effects == "irreversible" and not sandbox:
            said.append(f"{inside}: effects: this cannot be undone; sweep in a sandbox and say --sandbox")
        found[_key(inside, found)] = (inside, reproducer)
    if said:
        raise UsageError("\n".join(said), problems)
    return found


@contextmanager
def naming(files: Mapping[str, str]) -> Iterator[None]:
    """Lets what is wrong with one finding (by its key) be said of its file. Raises UsageError."""
    try:
        yield
    except PrepareError as error:
        key, colon, said = str(error).partition(": ")
        raise UsageError(f"{files[key]}: {said}" if colon and key in files else str(error)) from None


def _key(inside: str, taken: Mapping[str, Any]) -> str:
    """A name for a finding: its path without the ending, in letters that every file of a build server takes."""
    stem = next(inside[: -len(ending)] for ending in ENDINGS if inside.endswith(ending))
    key = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-") or "finding"
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}-{number}"
    return free
