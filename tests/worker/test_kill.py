"""kill -9 of server and worker during a replay: nothing stored is lost or doubled, the verdict is the same."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from manyeyes.commands.serve import WorkerChild
from manyeyes.engine import drive
from tests.replays.making import plan
from tests.worker.scripted import ScriptedTarget, leaks

pytestmark = [pytest.mark.process, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SLOTS = 4
ENDING = 90
RATE = 0.03  # low enough for a long replay: the kills must fall into it


class House:
    """An installation of its own in a temporary place, run by real processes."""

    def __init__(self, place: Path, database: str) -> None:
        self.place, self.running = place, []  # type: tuple[Path, list[subprocess.Popen[bytes]]]
        self.port = _free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))},
            "MANYEYES_DATA_DIR": str(place / "data"),
            "MANYEYES_MASTER_KEY_FILE": str(place / "config" / "master.key"),
            "MANYEYES_DATABASE_URL": database,
            "MANYEYES_ALLOW_PRIVATE_TARGETS": "1",
            "MANYEYES_LEASE_SECONDS": "3",
            "DJANGO_SETTINGS_MODULE": "manyeyes.settings",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        self.call("-m", "manyeyes.cli", "init", "--no-program")

    def call(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], env=self.environment, cwd=self.place, capture_output=True, text=True, timeout=150
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, url: str) -> str:
        return str(json.loads(self.call("-m", "tests.worker.stage", "make", url, str(SLOTS)))["id"])

    def show(self, replay_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.call("-m", "tests.worker.stage", "show", replay_id))
        return shown

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "manyeyes.cli", *words], env=self.environment, cwd=self.place)
        self.running.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        return self.start("serve", "--port", str(self.port))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/.well-known/security.txt", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            # A server may take 15 s for its requests and 20 s for its worker; two busy cores want more than their sum.
            try:
                process.wait(ENDING)
            except subprocess.TimeoutExpired:
                stuck = [process.pid, *children(process.pid)]
                for pid in stuck:
                    os.kill(pid, signal.SIGABRT)  # each prints where its threads stand
                raise


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    given = os.environ.get("MANYEYES_DATABASE_URL", "")
    if not given.startswith("postgres"):
        made = House(tmp_path, "")
        yield made
        made.end()
        return
    import psycopg

    name = f"manyeyes_kill_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    made = House(tmp_path, urlunsplit(urlsplit(given)._replace(path=f"/{name}")))
    yield made
    made.end()
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def target() -> Iterator[ScriptedTarget]:
    with ScriptedTarget(rate=RATE, delay=0.02) as server:
        yield server


def test_killed_workers_cost_at_most_their_calls_in_flight(house: House, target: ScriptedTarget) -> None:
    replay = house.make(target.url)
    kept: list[list[Any]] = []
    for round_ in (1, 2):
        worker = house.start("worker")
        wait(lambda so_far=40 * round_: target.calls >= so_far)
        worker.kill()
        worker.wait()
        shown = house.show(replay)
        assert shown["state"] == "running", "the row still says so: nobody was left to write anything else"
        assert all(row in shown["trials"] for row in kept), "a stored trial was lost or changed"
        kept = shown["trials"]
        assert len(kept) >= target.calls - SLOTS * round_
    house.start("worker")
    shown = finished(house, replay)
    same_as_uncut(shown, target)
    assert all(row in shown["trials"] for row in kept)
    assert shown["attempts"] >= 3, "one for each worker; more only where a starved one lost its lease"
    accounted(shown, target, kills=2)


def test_killed_server_takes_its_worker_along_and_a_new_one_goes_on(house: House, target: ScriptedTarget) -> None:
    replay = house.make(target.url)
    server = house.serve()
    wait(lambda: target.calls >= 40)
    wait(house.answers)
    worker = children(server.pid, "worker")
    web = [pid for pid in children(server.pid) if pid not in worker]
    assert len(worker) == 1
    assert len(web) == 1
    server.kill()
    server.wait()
    wait(lambda: not any(alive(pid) for pid in (*worker, *web)))
    kept = house.show(replay)["trials"]
    assert kept
    house.serve()
    shown = finished(house, replay)
    assert all(row in shown["trials"] for row in kept)
    same_as_uncut(shown, target)
    accounted(shown, target, kills=1)
    wait(house.answers)


def test_server_starts_a_killed_worker_again(house: House, target: ScriptedTarget) -> None:
    replay = house.make(target.url)
    server = house.serve()
    wait(lambda: target.calls >= 30)
    first = children(server.pid, "worker")
    os.kill(first[0], signal.SIGKILL)
    shown = finished(house, replay)
    assert children(server.pid, "worker") != first
    same_as_uncut(shown, target)
    accounted(shown, target, kills=1)


def same_as_uncut(shown: dict[str, Any], target: ScriptedTarget) -> None:
    """The verdict and n equal those of the same plan driven in one go, and every trial has the answer it must have."""
    document = plan(target.url, rated_n=30, setting_n=10, cap=400)
    asked = set()

    def fn(trial: Any) -> bool:
        asked.add((str(trial.stream), trial.index))
        prompt = document.requests[trial.cell].messages[-1]["content"]
        return "code" in prompt and leaks(prompt, trial.seed, RATE)

    uncut = drive(document.plan, fn)
    assert uncut.n >= 120, "the replay must be long enough for the kills to fall into it"
    verdict = shown["verdict"]
    assert (verdict["verdict"], verdict["n"], verdict["k"]) == (uncut.verdict, uncut.n, uncut.k)
    assert verdict["plan_hash"] == document.hash
    places = [(stream, index) for stream, index, *_ in shown["trials"]]
    assert len(places) == len(set(places))
    assert asked <= set(places), "a trial that the verdict leans on is not on record"
    main = sorted(index for stream, index in places if stream == "main")
    assert main == list(range(len(main)))
    for _stream, _index, outcome, seed, answer in shown["trials"]:
        assert answer.endswith(f"Ticket {seed}.")
        assert (outcome == "success") == ("code is" in answer)


def accounted(shown: dict[str, Any], target: ScriptedTarget, *, kills: int) -> None:
    """At most the calls in flight were sent again, and every call is in the count; none was sent that is not."""
    assert target.resent <= SLOTS * kills
    assert target.calls - len(shown["trials"]) <= SLOTS * kills
    assert shown["unanswered"] == shown["calls"] - len(shown["trials"]) <= SLOTS * kills
    # A kill may fall between the count and the sending: the count may be too high by those, never too low.
    assert 0 <= shown["calls"] - target.calls <= SLOTS * kills
    assert target.most <= SLOTS * (kills + 1)


def finished(house: House, replay: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}

    def done() -> bool:
        shown.update(house.show(replay))
        assert shown["state"] in ("running", "queued", "done"), shown["reason"]
        return bool(shown["state"] == "done")

    wait(done, pause=0.5)
    return shown


def wait(holds: Callable[[], bool], *, seconds: float = 150, pause: float = 0.02) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(pause)


def children(parent: int, word: str = "") -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if ppid == parent and (not word or word in words):
            found.append(int(place.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of forks beside threads
def test_starting_a_child_never_meets_a_fork() -> None:
    """A process forked while a child is being started would hold its pipe open, and the start would wait for ever."""
    keeper = WorkerChild()
    seen: list[bool] = []
    with keeper._forking:
        forker = threading.Thread(target=lambda: seen.append(_forked()))
        forker.start()
        forker.join(0.3)
        assert seen == [], "the fork waits until the child is started"
    forker.join(10)
    assert seen == [True]


def _forked() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
