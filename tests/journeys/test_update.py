"""A newer version over older data: `serve` says what is needed, and `init` says what it did."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        os.environ.get("MANYEYES_DATABASE_URL", "").startswith("postgres"), reason="an embedded database of its own"
    ),
]


def test_init_says_which_tables_it_brought_up_to_date(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))},
        "MANYEYES_DATA_DIR": str(tmp_path / "data"),
        "MANYEYES_MASTER_KEY_FILE": str(tmp_path / "keys" / "master.key"),
        "DJANGO_SETTINGS_MODULE": "manyeyes.settings",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    init = ("manyeyes.cli", "init", "--organisation", "Larkfield", "--email", "lena@larkfield.example")
    first = run(*init)
    assert first.returncode == 0, first.stderr
    assert "migration" not in first.stdout
    older = run("django", "migrate", "events", "0002", "--verbosity", "0")
    assert older.returncode == 0, older.stderr
    serve = run("manyeyes.cli", "serve", "--port", "0")
    assert (serve.returncode, "Run manyeyes init" in serve.stderr) == (2, True)
    second = run(*init)
    assert "Brought the tables up to date with 1 migration:\n  events.0003_account_mails\n" in second.stdout
    assert "exists already; nothing else was changed." in second.stdout
    assert "exists already; nothing was changed." in run(*init).stdout
