"""What a trial costs in the frameworks for red teaming, against ours: same prompt, same local server, one run.

Run: uv run python bench/frameworks.py [--trials 1000] [--only inspect,promptfoo,garak,pyrit] [--rounds 1]
Each framework is installed by name, at the version below, in an environment of its own under the cache directory; one
that cannot be installed is left out, with the reason. Two local servers are never up at once, and the server must have
seen as many requests as there were trials. Every framework scores by substring and writes its own log, as it does by
default; where it has a switch that makes it cheaper, the cheaper way is shown too. "All in" is everything the command
took from its start to its end, by trial; "a further trial" what each trial more or less takes, without the start: the
difference to a run of a fifth as many trials.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import CACHE, HERE, Cost, ModelServer, machine, measure, quiet_env, serving, table
from path import PROMPT, WORDS

VERSIONS = {"inspect": "0.3.285", "promptfoo": "0.121.20", "garak": "0.17.1", "pyrit": "1.1.0"}
PEERS = HERE / "peers"
OURS = "manyeyes replay, file store"
ALL_IN, FURTHER = "CPU-ms a trial, all in", "CPU-ms a further trial"
FINDING = f"""\
manyeyes: reproducer/1
title: The assistant tells its internal code
class: HC
conversation:
  - {{role: user, content: "{PROMPT}"}}
settings:
  - {{id: hot, temperature: 1.0, max_tokens: 256}}
success: {{canary: "BLUE-HERON-42"}}
effects: none
source: {{tool: hand}}
"""
TORCH = "2.13.0"


@dataclass(frozen=True)
class Job:
    """What one client is asked to do."""

    url: str
    trials: int
    in_flight: int
    folder: Path


@dataclass(frozen=True)
class Client:
    """One way to send the trials: its command, its environment, and how many it then says it sent and found."""

    name: str
    words: str
    command: Callable[[Job], list[str]]
    env: Callable[[Job], dict[str, str]]
    in_flight: int | None = None


class Missing(Exception):  # noqa: N818 - what was found, not a fault of the bench
    """A framework that cannot be installed here."""


def tried(command: list[str], *, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Runs a step of an installation. Raises Missing with what it said last."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(said[-1] if said else f"{command[0]} failed")


def install(name: str) -> Path:
    """The folder of a framework's environment, made where it is not there yet. Raises Missing."""
    place, mark = CACHE / name, CACHE / name / f".has-{VERSIONS[name]}"
    if mark.exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    if name == "promptfoo":
        if shutil.which("npm") is None:
            raise Missing("npm is not there")
        tried(["npm", "install", "--no-audit", "--no-fund", "--silent", f"promptfoo@{VERSIONS[name]}"], cwd=place)
    else:
        python = str(place / "bin" / "python")
        if not Path(python).exists():
            tried([sys.executable, "-m", "venv", str(place)])
        pip = [python, "-m", "pip", "install", "-q"]
        if name == "garak":
            # Without CUDA, where the index has such a file.
            try:
                tried([*pip, f"torch=={TORCH}+cpu"])
            except Missing:
                tried([*pip, f"torch=={TORCH}"])
        packages = {"inspect": ["inspect-ai", "openai"]}.get(name, [name])
        tried([*pip, f"{packages[0]}=={VERSIONS[name]}", *packages[1:]])
    if name == "garak":
        home = next((place / "lib").glob("python*")) / "site-packages" / "garak"
        shutil.copy(PEERS / "garak_probe.py", home / "probes" / "bench.py")
        shutil.copy(PEERS / "garak_detector.py", home / "detectors" / "bench.py")
    mark.touch()
    return place


def inspect_client(words: str, *options: str) -> Client:
    """Inspect AI from its command line."""

    def command(job: Job) -> list[str]:
        return [
            str(CACHE / "inspect" / "bin" / "inspect"),
            "eval",
            shutil.copy(PEERS / "inspect_task.py", job.folder / "task.py").name,
            *("--model", "openai-api/bench/bench-1", "--epochs", str(job.trials), "--no-epochs-reducer"),
            *("--max-connections", str(job.in_flight), "--max-samples", str(job.in_flight)),
            *("--temperature", "1", "--max-tokens", "256", "--display", "none", "--log-dir", str(job.folder / "logs")),
            *options,
        ]

    def env(job: Job) -> dict[str, str]:
        return {"BENCH_API_KEY": "none", "BENCH_BASE_URL": f"{job.url}/v1", "INSPECT_DISABLE_UPDATE_CHECK": "1"}

    return Client("inspect", f"Inspect AI {VERSIONS['inspect']}{words}", command, env)


def promptfoo_client() -> Client:
    """promptfoo from its command line."""

    def command(job: Job) -> list[str]:
        config = {
            "prompts": [PROMPT],
            "providers": [
                {
                    "id": "openai:chat:bench-1",
                    "config": {
                        "apiBaseUrl": f"{job.url}/v1",
                        "apiKey": "none",
                        "temperature": 1,
                        "max_tokens": 256,
                    },
                }
            ],
            "tests": [{"assert": [{"type": "contains", "value": "BLUE-HERON-42"}]}],
        }
        path = job.folder / "promptfooconfig.json"
        path.write_text(json.dumps(config))
        start = [str(CACHE / "promptfoo" / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", str(path)]
        repeats = ["--repeat", str(job.trials), "-j", str(job.in_flight), "--no-cache"]
        return [*start, *repeats, "--no-progress-bar", "--no-table", "-o", str(job.folder / "out.json")]

    def env(job: Job) -> dict[str, str]:
        off = ("TELEMETRY", "UPDATE", "REMOTE_GENERATION", "SHARING", "DEBUG_LOG", "ERROR_LOG")
        values = {f"PROMPTFOO_DISABLE_{name}": "1" for name in off}
        return {**values, "PROMPTFOO_CONFIG_DIR": str(job.folder / "home")}

    return Client("promptfoo", f"promptfoo {VERSIONS['promptfoo']}", command, env)


def garak_client(words: str, *options: str, in_flight: int | None = None) -> Client:
    """garak from its command line, with a probe of one prompt."""

    def command(job: Job) -> list[str]:
        given = {"uri": f"{job.url}/v1/", "temperature": 1.0, "max_tokens": 256, "stop": []}
        path = job.folder / "generator.json"
        path.write_text(json.dumps({"openai": {"OpenAICompatible": given}}))
        start = [str(CACHE / "garak" / "bin" / "python"), "-m", "garak", "--target_type", "openai.OpenAICompatible"]
        what = ["--target_name", "bench-1", "--generator_option_file", str(path), "--probes", "bench.One"]
        return [*start, *what, *(option.format(**vars(job)) for option in options)]

    def env(job: Job) -> dict[str, str]:
        copies = "1" if "--generations" in options and "{trials}" in options else str(job.trials)
        home = {f"XDG_{name}_HOME": str(job.folder / name.lower()) for name in ("DATA", "CONFIG", "CACHE")}
        return {"OPENAICOMPATIBLE_API_KEY": "none", "BENCH_COPIES": copies, **home}

    return Client("garak", f"garak {VERSIONS['garak']}{words}", command, env, in_flight)


def pyrit_client(words: str, memory: str) -> Client:
    """PyRIT from a script of a dozen lines."""

    def command(job: Job) -> list[str]:
        python, script = CACHE / "pyrit" / "bin" / "python", PEERS / "pyrit_run.py"
        return [str(python), str(script), job.url, str(job.trials), str(job.in_flight), memory]

    def env(job: Job) -> dict[str, str]:
        return {"HOME": str(job.folder), "XDG_DATA_HOME": str(job.folder / "data")}

    return Client("pyrit", f"PyRIT {VERSIONS['pyrit']}{words}", command, env)


def replay(words: str, in_flight: int | None = None) -> Client:
    """manyeyes from its command line: exactly so many trials, no stopping rule."""

    def command(job: Job) -> list[str]:
        path = job.folder / "finding.poc.yaml"
        path.write_text(FINDING)
        start = [str(Path(sys.executable).parent / "manyeyes"), "replay", str(path), "--target", job.url]
        asked = ["--model", "bench-1", "--score-only", "--rated-trials", str(job.trials), "--seed", "1", "--json"]
        return [*start, *asked, "--concurrency", str(job.in_flight), "--out", str(job.folder / "run")]

    return Client("", f"{OURS}{words}", command, lambda _: {}, in_flight)


def ours(name: str) -> Client:
    """One of the clients of bench/path.py."""

    def command(job: Job) -> list[str]:
        given = ["--url", job.url, "--trials", str(job.trials), "--in-flight", str(job.in_flight)]
        return [sys.executable, str(HERE / "path.py"), "--child", name, "--folder", str(job.folder), *given]

    return Client("", WORDS[name], command, lambda _: {})


CLIENTS = [
    ours("bare"),
    replay(""),
    ours("database"),
    replay(", one request at a time", in_flight=1),
    garak_client(", one request at a time (its default)", "--generations", "{trials}", in_flight=1),
    garak_client(", --parallel_attempts", "--generations", "1", "--parallel_attempts", "{in_flight}"),
    promptfoo_client(),
    inspect_client(""),
    inspect_client(", realtime log and score display off", "--no-log-realtime", "--no-score-display"),
    pyrit_client(", memory in memory", "InMemory"),
    pyrit_client(", memory in SQLite", "SQLite"),
]


@contextmanager
def workplace(client: Client) -> Iterator[Path]:
    """A folder for one run; for our database with its tables made."""
    with tempfile.TemporaryDirectory() as name:
        if client.words == WORDS["database"]:
            make = [sys.executable, str(HERE / "path.py"), "--child", "make", "--folder", name, "--url", ""]
            made = measure(make, env=quiet_env())
            assert made.code == 0, made.said
        yield Path(name)


def once(client: Client, server: ModelServer, trials: int, in_flight: int, limit: float) -> Cost:
    """One run of one client; fails where the server saw another number of requests."""
    with workplace(client) as folder:
        job = Job(server.url, trials, in_flight, folder)
        before = server.count
        env = quiet_env(BENCH_PROMPT=PROMPT, **client.env(job))
        cost = measure(client.command(job), env=env, cwd=folder, limit=limit)
        seen = server.count - before
    if cost.code not in (0, 100) or seen != trials:  # promptfoo: 100 where an assertion failed
        raise Missing(f"exit code {cost.code}, {seen} of {trials} requests seen: {cost.said.strip()[-300:]}")
    return cost


def best(client: Client, server: ModelServer, args: argparse.Namespace) -> dict[str, Any] | None:
    """The rounds that took the least CPU, at two numbers of trials, after a short one that compiles what there is."""
    in_flight = client.in_flight or args.in_flight

    def least(trials: int) -> Cost:
        found = [once(client, server, trials, in_flight, args.limit) for _ in range(args.rounds)]
        return min(found, key=lambda cost: cost.cpu)

    try:
        if client.name:
            install(client.name)
        once(client, server, 20, in_flight, args.limit)
        few = args.trials // 5
        cost = least(args.trials)
        further = (cost.cpu - least(few).cpu) / (args.trials - few)
    except (Missing, OSError, subprocess.TimeoutExpired) as error:
        print(f"left out: {client.words}: {error}", flush=True)
        return None
    row = {
        "client": client.words,
        "in flight": in_flight,
        ALL_IN: 1000 * cost.cpu / args.trials,
        FURTHER: 1000 * further,
        "seconds": cost.wall,
        "peak memory, MB": cost.peak,
    }
    print(f"{client.words}: {row[ALL_IN]:.3g}, {row[FURTHER]:.3g} CPU-ms a trial", file=sys.stderr, flush=True)
    return row


def main() -> int:
    """Prints the table, with how often as dear as our file store every client is, all in and by a further trial."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds until a run is given up")
    parser.add_argument("--only", default="inspect,promptfoo,garak,pyrit")
    args = parser.parse_args()
    os.makedirs(CACHE, exist_ok=True)
    print(machine())
    chosen = [client for client in CLIENTS if not client.name or client.name in args.only.split(",")]
    with serving() as server:
        rows = [row for client in chosen if (row := best(client, server, args))]
    unit = next(row for row in rows if row["client"] == OURS)
    against = {"all in, against ours": ALL_IN, "further, against ours": FURTHER}
    print(table([{**row, **{name: row[one] / unit[one] for name, one in against.items()}} for row in rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
