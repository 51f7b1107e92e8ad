"""How near our driver comes to the ideal rate against a target that takes 100 ms: 200 and 1,000 requests in flight.

Run: uv run python bench/latency.py [--latency 0.1] [--in-flight 200,1000]
The ideal rate is the number in flight over the latency. The bound of the CPU is the rate at which our trials would use
up one core: the trials per CPU-second of the same run. "reached" is the rate against the lower of the two; the ramp-up
(2, 4, 8, …) is part of the time. On a machine with other work the last column leaves out the seconds in which the run
was ready to go on and had no core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from typing import Any

from measuring import HERE, machine, measure, quiet_env, serving, table
from path import WORDS


def row(name: str, url: str, in_flight: int, trials: int, latency: float) -> dict[str, Any]:
    """One client with so many in flight."""
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(HERE / "path.py"), "--url", url, "--folder", folder]
        if name == "database":
            assert measure([*script, "--child", "make"], env=quiet_env()).code == 0
        given = ["--child", name, "--trials", str(trials), "--in-flight", str(in_flight)]
        cost = measure([*script, *given], env=quiet_env())
        assert cost.code == 0, cost.said
    told = cost.told
    free = trials / max(told["seconds"] - told["waited"], 1e-9)
    rate, ideal, bound = trials / told["seconds"], in_flight / latency, trials / told["marginal"]
    return {
        "client": WORDS[name],
        "in flight": in_flight,
        "trials": trials,
        "trials a second": rate,
        "ideal": ideal,
        "bound of the CPU": bound,
        "reached": f"{100 * rate / min(ideal, bound):.0f} %",
        "CPU-ms a trial": 1000 * told["marginal"] / trials,
        "peak memory, MB": cost.peak,
        "seconds without a core": told["waited"],
        "reached without them": f"{100 * min(1.0, free / min(ideal, bound)):.0f} %",
    }


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--in-flight", default="200,1000")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long a run would take at the ideal rate")
    parser.add_argument("--clients", default="bare,file,database")
    args = parser.parse_args()
    print(machine())
    rows = []
    with serving(args.latency) as server:
        for in_flight in map(int, args.in_flight.split(",")):
            trials = min(60_000, int(args.seconds * in_flight / args.latency))
            rows += [row(name, server.url, in_flight, trials, args.latency) for name in args.clients.split(",")]
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
