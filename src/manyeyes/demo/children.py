"""Starts the demo's servers as child processes that never outlive their parent."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

PR_SET_PDEATHSIG = 1
ORPHAN_POLL = 0.5


class StartError(RuntimeError):
    """A demo server could not start; the message says what to mend."""


def die_with_parent(parent: int) -> None:
    """Make this process end as soon as `parent` is gone: at once on Linux, within half a second elsewhere."""

    def orphaned(_signum: int = 0, _frame: FrameType | None = None) -> None:
        # Linux sends the signal when the *thread* that started us ends, so look whether the process is really gone.
        if os.getppid() != parent:
            os._exit(0)

    def watch() -> None:
        while True:
            orphaned()
            time.sleep(ORPHAN_POLL)

    if sys.platform == "linux":
        signal.signal(signal.SIGHUP, orphaned)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    orphaned()
    threading.Thread(target=watch, name="orphan-watch", daemon=True).start()


def announce(**facts: Any) -> None:
    """Tell the parent where this server listens, or why it could not start: one JSON line on standard output."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(facts), flush=True)


class Child:
    """A running demo server: `facts` is what it announced about itself. Ends with `stop()` or with its parent."""

    def __init__(self, module: str, arguments: Sequence[str] = (), *, timeout: float = 60.0) -> None:
        command = [sys.executable, "-m", module, "--parent", str(os.getpid()), *arguments]
        # Nothing is kept of what a server prints: it could contain prompts.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        )
        try:
            self.facts = self._await_announcement(module, timeout)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self.process.pid

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=5)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _await_announcement(self, module: str, timeout: float) -> dict[str, Any]:
        line: list[bytes] = []
        assert self.process.stdout is not None
        reader = threading.Thread(target=_read_line, args=(self.process.stdout, line), daemon=True)
        reader.start()
        reader.join(timeout)
        if reader.is_alive():
            raise StartError(f"{module} did not say within {timeout:.0f} s that it is ready.")
        if not line or not line[0].strip():
            raise StartError(f"{module} ended with code {self.process.wait(timeout=5)} before it was ready.")
        facts: dict[str, Any] = json.loads(line[0])
        if "error" in facts:
            raise StartError(str(facts["error"]))
        return facts


def _read_line(stream: IO[bytes], into: list[bytes]) -> None:
    into.append(stream.readline())


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    source = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, environment.get("PYTHONPATH", "")]))
    return environment
