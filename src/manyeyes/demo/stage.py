"""Sets the demo's stage in a place of its own: keys, tables, people, program, targets, the model and the site."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manyeyes.demo import story
from manyeyes.demo.play import Say
from manyeyes.demo.target import DemoTarget

PORT = 8000
READY_WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A running demo: where the site is, who can sign in, what answers the calls."""

    base: str
    passwords: dict[str, str]
    target: DemoTarget
    place: Path
    setup_seconds: float


@contextlib.contextmanager
def stage(say: Say, *, port: int = 0, keep: Path | None = None) -> Iterator[Stage]:
    """Everything started; everything ended and removed afterwards (unless `keep` names a place to keep it)."""
    start = time.monotonic()
    place = keep or Path(tempfile.mkdtemp(prefix="manyeyes-demo-"))
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = f"http://localhost:{_port(port)}"
    _environment(place, base)
    try:
        say("starting the language model (SmolLM2, 135 million parameters) and the assistant on it")
        with DemoTarget() as target:
            say("making keys, tables, people and the program")
            passwords = populate(target.base_url)
            site = _serve(base)
            try:
                _wait_for(f"{base}/healthz", site)
                say(f"the site is up at {base}/")
                seconds = time.monotonic() - start
                yield Stage(base=base, passwords=passwords, target=target, place=place, setup_seconds=seconds)
            finally:
                site.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    site.wait(30)
                site.kill()
    finally:
        if keep is None:
            shutil.rmtree(place, ignore_errors=True)


def _environment(place: Path, base: str) -> None:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="manyeyes.settings",
        MANYEYES_DATA_DIR=str(place / "data"),
        MANYEYES_MASTER_KEY_FILE=str(place / "key" / "master.key"),
        MANYEYES_BASE_URL=base,
        MANYEYES_ALLOW_PRIVATE_TARGETS="1",  # the target runs on this machine
        MANYEYES_REQUIRE_MFA="0",  # printed log-ins could not carry a second factor
    )
    os.environ.pop("MANYEYES_DATABASE_URL", None)


def populate(assistant_url: str) -> dict[str, str]:
    """The program as its team would have set it up before the first report; returns a password for each of the cast."""
    subprocess.run(
        [sys.executable, "-m", "manyeyes.cli", "init", "--no-program"], check=True, stdout=subprocess.DEVNULL
    )
    import django

    django.setup()
    from django.db import connections

    from manyeyes.accounts.people import create_account
    from manyeyes.programs import scope, targets
    from manyeyes.programs.setup import create_program, open_program

    passwords = {player.key: "-".join(secrets.token_hex(2) for _ in range(4)) for player in story.CAST}
    people = {
        player.key: create_account(
            email=player.email, display_name=player.name, handle=player.handle, password=passwords[player.key]
        )
        for player in story.CAST
    }
    program = create_program(
        slug=story.PROGRAM_SLUG,
        name=story.PROGRAM_NAME,
        organisation=story.ORGANISATION,
        summary=story.PROGRAM_SUMMARY,
        contact_email=f"security@{story.ORGANISATION.lower()}.example",
        members={people[player.key]: list(player.roles) for player in reversed(story.TEAM)},
    )
    target = targets.add_target(
        program, name=story.TARGET_NAME, access="api", owner=people[story.TARGET_OWNER.key],
        description=story.TARGET_DESCRIPTION, in_scope=story.SCOPE_IN,
    )  # fmt: skip
    scope.save_line(program, None, text=story.SCOPE_OUT, in_scope=False)
    open_program(program, by=people[story.PROGRAM_MANAGER.key])
    targets.grant(
        target, by=people[story.PROGRAM_MANAGER.key], operator=story.ORGANISATION, basis=story.PERMIT_BASIS,
        environment="sandbox",
    )  # fmt: skip
    # The last one added is in service; the researcher meets v1, so the fixes are registered as already prepared.
    for label in (story.ROOT_FIX, story.SYMPTOM_PATCH, story.VULNERABLE):
        targets.add_version(target, label=label, endpoint_url=assistant_url, model=label)
    connections.close_all()
    return passwords


def _serve(base: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "manyeyes.cli", "serve", "--port", base.rsplit(":", 1)[1]]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _port(wanted: int) -> int:
    """The port that was asked for, else the usual one, else any that is free."""
    for wish in (wanted,) if wanted else (PORT, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
            probe.bind(("127.0.0.1", wish))
            return int(probe.getsockname()[1])
    raise RuntimeError(f"port {wanted} is in use; choose another with --port" if wanted else "no port is free")


def _wait_for(url: str, site: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and site.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), opener.open(url, timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError("the site did not come up; `manyeyes check` tells more")
