"""What the benches of speed share: the model server as a process, and what a child process cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "manyeyes-bench"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one child process and its own children took. Seconds of CPU are user and system; memory in MB."""

    cpu: float
    wall: float
    peak: float
    code: int
    said: str
    began: float

    @property
    def told(self) -> dict[str, Any]:
        """The JSON object that the child printed last."""
        rows = [line for line in self.said.splitlines() if line.startswith("{")]
        found: dict[str, Any] = json.loads(rows[-1]) if rows else {}
        return found


class ModelServer:
    """The bench server in a process of its own."""

    def __init__(self, latency: float = 0.0) -> None:
        command = [sys.executable, str(HERE / "server.py"), "--latency", str(latency)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def count(self) -> int:
        """Requests answered so far."""
        with urllib.request.urlopen(f"{self.url}/count", timeout=10) as answer:
            return int(answer.read())

    def first(self) -> float:
        """When the first request came since this was last asked, by the monotonic clock; 0 where none did."""
        with urllib.request.urlopen(f"{self.url}/first", timeout=10) as answer:
            return float(answer.read())

    def close(self) -> None:
        """Ends it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


@contextmanager
def serving(latency: float = 0.0) -> Iterator[ModelServer]:
    """A model server while the block lasts."""
    server = ModelServer(latency)
    try:
        yield server
    finally:
        server.close()


def measure(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, limit: float = 600.0
) -> Cost:
    """Runs a command to its end and tells what it cost; its error stream is shown where it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=env, cwd=cwd, start_new_session=True
        )
        usage = None
        while usage is None:
            pid, status, found = os.wait4(process.pid, os.WNOHANG)
            if pid:
                usage = found
            elif time.monotonic() - began > limit:
                os.killpg(process.pid, 9)
                _, status, usage = os.wait4(process.pid, 0)
            else:
                time.sleep(0.01)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        said, wrong = out.read(), errors.read()
    if process.returncode not in (0, 1, 3):
        print(wrong[-3000:], file=sys.stderr)
    return Cost(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak=usage.ru_maxrss / 1024,
        code=process.returncode,
        began=began,
        said=said + wrong,
    )


def quiet_env(**more: str) -> dict[str, str]:
    """The environment for what is measured: compiled modules are kept apart, as after any first run."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MANYEYES_"))}
    return {**env, "PYTHONPYCACHEPREFIX": str(CACHE / "compiled"), **more}


def own_cpu() -> float:
    """The CPU seconds that this process has used so far."""
    times = os.times()
    return times.user + times.system


def waited_for_a_core() -> float:
    """The seconds that this thread was ready to go on and other work had the cores (Linux; else 0)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def machine() -> str:
    """What this was measured on."""
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    python = sys.version.split()[0]
    return f"{len(names)} cores ({names[0] if names else 'unknown'}), Python {python}, load before {load}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *[[_cell(row[name]) for name in names] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
