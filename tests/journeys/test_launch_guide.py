"""The guide to a launch, followed to the letter: its commands are run, its pages opened, its buttons pressed."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from manyeyes.demo.browser import Browser, Page
from tests.gnupg import Gnupg

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/launch.md").read_text(encoding="utf-8")
PASSWORD = re.compile(r"shown once: (\S+)")
OUTSIDE = {"/return/", "/my/settings/key/"}
"""Places that the guide names and a newcomer does not need for the launch."""
OTHER_PORT = "http://localhost:8010"
"""What the guide says to type where port 8000 is taken; the test takes it at its word, with a port that is free."""


def steps() -> list[tuple[str, str]]:
    """(heading, text) of the guide, in order."""
    parts = re.split(r"^## (.+)$", GUIDE, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def commands(text: str) -> list[list[str]]:
    """The commands of a step, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def pages(text: str) -> list[str]:
    """The addresses that a step names."""
    return re.findall(r"`(/[a-z0-9][^`\s]*|/\.well-known/[^`\s]*)`", text)


class Newcomer:
    """Somebody with the guide in one window and a terminal in the other."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        assert f"`export MANYEYES_BASE_URL={OTHER_PORT}`, and add `--port 8010` to `serve`." in GUIDE
        self.base = OTHER_PORT.replace("8010", str(self.port))
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))}
        self.environment = {
            **keep,
            "MANYEYES_DATA_DIR": str(place / "data"),
            "MANYEYES_MASTER_KEY_FILE": str(place / "keys" / "master.key"),
            "MANYEYES_BASE_URL": self.base,
        }
        self.browser, self.log, self.server = Browser(self.base), place / "serve.log", None
        self.typed: list[str] = []
        self.seen: list[str] = []

    def type(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Type a command of the guide; `serve` stays up."""
        assert words[:3] == ["uv", "run", "manyeyes"], words
        self.typed.append(words[3])
        command = [sys.executable, "-m", "manyeyes.cli", *words[3:]]
        if words[3] == "serve":
            self._serve([*command, "--port", str(self.port)])
            return subprocess.CompletedProcess(command, 0, "", "")
        return subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip

    def _serve(self, command: list[str]) -> None:
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for _ in range(400):
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.base}/healthz", timeout=2)
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def open(self, path: str) -> Page:
        """Open a page that the guide names."""
        self.seen.append(path)
        page = self.browser.get(path)
        assert page.status == 200, (path, page.status, page.words[:500])
        return page

    def press(self, page: Page, button: str, values: dict[str, str] | None = None) -> Page:
        """Press a button by the words the guide gives it."""
        form = next(one for one in page.forms if button in {text for _, _, text in one.buttons})
        return self.browser.send(page, form, values, button=button)

    def say(self, page: Page, name: str, values: dict[str, str]) -> Page:
        """Answer one line of the checklist."""
        form = next(one for one in page.forms if f"say:{name}" in {value for _, value, _ in one.buttons})
        done = self.browser.send(page, form, values, button=f"say:{name}")
        assert done.status == 200, done.words[:500]
        return done

    def stop(self) -> None:
        """Stop the server."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait(30)


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    one = Newcomer(tmp_path)
    yield one
    one.stop()


def code_for(secret: str) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def sign_in(newcomer: Newcomer, password: str) -> None:
    page = newcomer.open("/accounts/login/")
    page = newcomer.press(page, "Sign in", {"login": "lena@larkfield.example", "password": password})
    assert page.status == 200
    page = newcomer.open("/accounts/2fa/totp/activate/")
    page = newcomer.browser.send(page, page.form("reauthenticate", having="password"), {"password": password})
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.text)
    assert secret is not None, page.words[:500]
    done = newcomer.browser.send(page, page.form("totp/activate", having="code"), {"code": code_for(secret.group())})
    assert done.status == 200, done.words[:500]
    codes = newcomer.open("/accounts/2fa/recovery-codes/")
    assert len(re.findall(r"\b[0-9a-f]{8}\b", codes.text)) >= 10, codes.words[:500]


def answer_all(newcomer: Newcomer) -> None:
    """Every line that asks for somebody, with what the guide says: one person may hold several."""
    page = newcomer.open("/desk/program/larkfield/launch/")
    page = newcomer.press(page, "Make it private, to try it out")
    for name in ("owner", "capacity", "security", "ml", "responder", "clocks"):
        values = {"person": "Lena Sommer"} | ({"hours": "6"} if name == "capacity" else {})
        page = newcomer.say(page, name, values)
    for name in ("legal", "communications", "backup"):
        page = newcomer.say(page, name, {"applies": "on", "reason": "We are one person so far."})
    assert "Lena Sommer is named on 6 lines." in page.words
    assert "Its address is one of this machine" in page.words
    page = newcomer.say(page, "securitytxt", {"applies": "on", "reason": "We try it out."})
    assert "Accepted, because: We try it out." in page.words


def test_the_guide_leads_from_nothing_to_a_public_program(newcomer: Newcomer, tmp_path: Path) -> None:
    said: dict[str, list[subprocess.CompletedProcess[str]]] = {}
    started = time.monotonic()
    for heading, text in steps():
        said[heading[:1]] = [newcomer.type(words) for words in commands(text) if heading[:1] != "7"]
        follow(newcomer, heading[:1], said)
        if heading[:1] == "7":
            said["7"] = [newcomer.type(words) for words in commands(text)]
    check, signed, dns = said["7"]
    assert (check.returncode, check.stderr.count("\n")) == (0, 1)
    assert check.stderr.startswith("warn  security.txt: Its address is one of this machine"), "it is told to the last"
    assert "Larkfield AI reports is public." in check.stdout
    gnupg = Gnupg()
    gnupg.run("--import", given=Browser(newcomer.base).get("/p/larkfield/openpgp.asc").text.encode())
    assert gnupg.verify(signed.stdout.encode())[0]
    gnupg.close()
    assert "_security.larkfield.example. IN TXT" in dns.stdout
    assert time.monotonic() - started < 300  # the machine's share of the hour
    named = set(pages(GUIDE)) - OUTSIDE
    assert named == {path for path in newcomer.seen if path in named}
    assert set(newcomer.typed) == {"init", "check", "serve", "securitytxt"}


def follow(newcomer: Newcomer, step: str, said: dict[str, list[subprocess.CompletedProcess[str]]]) -> None:
    """Do on the pages what the step says."""
    stranger = Browser(newcomer.base)
    if step == "1":
        init, check, _ = said["1"]
        assert (init.returncode, check.returncode) == (0, 0), init.stderr + check.stderr
        assert "(draft)" in init.stdout
        assert stranger.get("/p/larkfield/").status == 404
    elif step == "2":
        shown = PASSWORD.search(said["1"][0].stdout)
        assert shown is not None
        sign_in(newcomer, shown.group(1))
    elif step == "3":
        assert "Safe harbor" in newcomer.open("/desk/program/larkfield/policy/").words
        page = newcomer.open("/desk/program/larkfield/policy/preview/")
        newcomer.browser.send(page, page.form("policy/preview", having="number"))
    elif step == "4":
        page = newcomer.press(newcomer.open("/desk/program/larkfield/key/"), "Make a key")
        assert "Fingerprint" in page.words
    elif step == "5":
        answer_all(newcomer)
        (check,) = said["5"]
        assert check.returncode == 1
        assert "WRONG Owner of the program: Nobody is named." in check.stderr
        assert stranger.get("/p/larkfield/").status == 404
    elif step == "6":
        rehearse(newcomer)
    elif step == "7":
        page = newcomer.press(newcomer.open("/desk/program/larkfield/launch/"), "Open to the public")
        assert page.status == 200, page.words[:500]
        for path in ("/p/larkfield/", "/.well-known/security.txt", "/p/larkfield/disclose.json"):
            newcomer.open(path)
            assert stranger.get(path).status == 200
        assert "BEGIN PGP SIGNED MESSAGE" in stranger.get("/.well-known/security.txt").text


def rehearse(newcomer: Newcomer) -> None:
    """The test report, sent and answered."""
    page = newcomer.press(newcomer.open("/desk/program/larkfield/launch/"), "Send a test report")
    assert page.status == 201
    ref = re.search(r"ME-[0-9A-Z]{4}-[0-9A-Z]{4}", page.words)
    assert ref is not None
    assert ref.group() in newcomer.open("/desk/").words
    case = newcomer.browser.get(f"/desk/cases/{ref.group()}/")
    reply = next(one for one in case.forms if one.values.get("audience") == "public")
    done = newcomer.browser.send(case, reply, {"text": "It reached us."})
    assert done.status == 200
    assert "All 15 are in order." in newcomer.browser.get("/desk/program/larkfield/launch/").words
