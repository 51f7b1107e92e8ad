"""A replay starts without what it does not need: a program that asks a model once must not load a web framework."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from manyeyes.cli import RARELY


def loaded(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import manyeyes.commands.replay", {"django", "numpy", "pandas", "torch", "httpx", "llama_cpp"}),
        (
            "import manyeyes.commands.replay",
            {"aiohttp", "cryptography", "manyeyes.charts.draw", "manyeyes.rules.words"},
        ),
        ("import manyeyes.runs.driver", {"django", "numpy", "pydantic", "yaml", "cryptography"}),
        ("import manyeyes.engine", {"django", "numpy", "pydantic", "aiohttp", "asyncio", "sqlite3"}),
        ("from manyeyes.cli import main\nmain(['--version'])", {"django", "pydantic", "aiohttp", "manyeyes.runs"}),
    ],
)
def test_what_is_not_needed_is_not_loaded(statement: str, unwanted: set[str]) -> None:
    found = loaded(statement)
    assert "manyeyes" in found
    assert not found & unwanted


@pytest.mark.parametrize(("command", "often"), [("worker", False), ("replay", False), ("serve", True)])
def test_a_command_is_searched_for_garbage_seldom_and_a_server_often(command: str, often: bool) -> None:
    code = (
        "import atexit, gc, sys\nfrom manyeyes.cli import main\n"
        "atexit.register(lambda: print(gc.get_threshold()[0], gc.get_freeze_count() > 0))\n"
        f"sys.argv[1:] = [{command!r}, '--help']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    said = done.stdout.splitlines()[-1]
    assert said == f"{gc.get_threshold()[0] if often else RARELY} True"
