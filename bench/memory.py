"""Whether a long run needs more memory than a short one, and its resume: peak memory of our driver with the file store.

Run: uv run python bench/memory.py [--trials 10000,300000]
Two plans of exactly so many trials: a fixed number, and a rule that is looked at after every trial but cannot stop.
Each finished run is then opened again, which reads every trial on record and sends nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import HERE, ModelServer, machine, measure, quiet_env, serving, table

WORDS = {"file": "fixed number", "main": "rule after every trial"}


def rows(name: str, trials: int, server: ModelServer) -> list[dict[str, Any]]:
    """A run and its resume, each in a process of its own."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        given = ["--url", server.url, "--trials", str(trials), "--folder", folder, "--child", name]
        for what in ("run", "opened again"):
            before = server.count
            cost = measure([sys.executable, str(HERE / "path.py"), *given], env=quiet_env(), limit=3600)
            assert cost.code == 0, cost.said
            assert server.count - before == (trials if what == "run" else 0)
            size = (Path(folder) / name / "trials.jsonl").stat().st_size
            found.append(
                {
                    "plan": WORDS[name],
                    "": what,
                    "trials": trials,
                    "peak memory, MB": cost.peak,
                    "CPU-ms a trial": 1000 * cost.cpu / trials,
                    "seconds": cost.wall,
                    "on disk, MB": size / 1e6,
                }
            )
    return found


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", default="10000,300000")
    parser.add_argument("--plans", default="file,main")
    args = parser.parse_args()
    print(machine())
    with serving() as server:
        found = [
            row
            for name in args.plans.split(",")
            for trials in map(int, args.trials.split(","))
            for row in rows(name, trials, server)
        ]
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
