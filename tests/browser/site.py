"""The site as it is run for real: `manyeyes serve` with its worker, in a place of its own, over a scripted target."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.wicket import Wicket

ROOT = Path(__file__).parents[2]
READY_WITHIN = 40.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running site: where it is, who is on it, which cases lie there."""

    base: str
    target: Wicket
    cases: dict[str, str]
    pages: dict[str, str]
    people: dict[str, dict[str, str]]
    password: str
    totp: str


@contextlib.contextmanager
def running(place: Path) -> Iterator[Site]:
    """Everything started; everything ended afterwards."""
    port = _free_port()
    base = f"http://localhost:{port}"  # not the number: a passkey belongs to a name
    environment = _environment(place, base)
    with Wicket() as target, (place / "serve.log").open("wb") as log:
        _run(environment, "-m", "manyeyes.cli", "init", "--no-program")
        told = json.loads(_run(environment, "-m", "tests.browser.furnish", target.url))
        site = subprocess.Popen(
            [sys.executable, "-m", "manyeyes.cli", "serve", "--port", str(port)],
            env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(f"{base}/healthz", site, place / "serve.log")
            yield Site(base=base, target=target, **told)
        finally:
            site.terminate()
            try:
                site.wait(30)
            except subprocess.TimeoutExpired:
                site.kill()
                site.wait(60)


def _environment(place: Path, base: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))}
    return {
        **clean,
        "DJANGO_SETTINGS_MODULE": "manyeyes.settings",
        "MANYEYES_DATA_DIR": str(place / "data"),
        "MANYEYES_MASTER_KEY_FILE": str(place / "key" / "master.key"),
        "MANYEYES_BASE_URL": base,
        "MANYEYES_ALLOW_PRIVATE_TARGETS": "1",  # the target runs on this machine
        "MANYEYES_ARGON2_MEMORY_KIB": "64",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
    }


def _run(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:3])} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, site: subprocess.Popen[Any], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and site.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), opener.open(url, timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the site did not come up: {log.read_text(errors='replace')[-2000:]}")
