"""A simulated week at the desk, smaller than the bench's: nobody waits past the promise, every figure is recounted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.process, pytest.mark.slow]
BENCH = Path(__file__).parents[2] / "bench" / "week.py"


def test_a_week_is_kept_within_its_promises_and_budgets() -> None:
    """The figures are the bench's own; it ends with 1 where one differs from its recount from the log."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, str(BENCH), "--scripted", "--reports", "60", "--json"],
        env=clean, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert figures["reports"] == 60
    assert figures["answered after the promise of 48 h"] == 0
    assert 0 < figures["worked on arrival"] <= figures["tried on arrival"] < 60
    assert figures["most calls in a day"] <= figures["budget of a day"]
