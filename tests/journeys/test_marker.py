"""A marker in everything that people and a model say: found nowhere on the disk of a real installation, also after a
forced failure and kill -9, while those who may read it see it on their pages and nobody else does."""

from __future__ import annotations

import gzip
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manyeyes.demo.browser import Browser, Page
from tests import marker, people
from tests.journeys.site import REPORT
from tests.journeys.wicket import Wicket

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("MANYEYES_DATABASE_URL", "").startswith("postgres"),
        reason="looks at files of the embedded database; tests/cases/test_leaks.py looks at every table of any",
    ),
]
ROOT = Path(__file__).parents[2]
MARK = f"quokka-{secrets.token_hex(6)}-märz"
SETTINGS = "tests.journeys.poisoned"


class House:
    """An installation with a data, temporary and log directory of its own, served by the real command."""

    def __init__(self, place: Path) -> None:
        self.data, self.temporary, self.logs = (place / name for name in ("data", "tmp", "log"))
        self.temporary.mkdir()
        self.logs.mkdir()
        self.port = _free_port()
        self.base = f"http://localhost:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))},
            "MANYEYES_DATA_DIR": str(self.data),
            "MANYEYES_MASTER_KEY_FILE": str(place / "config" / "master.key"),
            "MANYEYES_ALLOW_PRIVATE_TARGETS": "1",
            "MANYEYES_REQUIRE_MFA": "0",
            "MANYEYES_ARGON2_MEMORY_KIB": "64",
            "MANYEYES_REPORTS_PER_HOUR": "10000",
            "MANYEYES_LOG_LEVEL": "DEBUG",
            "TMPDIR": str(self.temporary),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        self.place = place
        self.patience = 60.0

    def call(self, *words: str) -> str:
        """Run a command of the installation to its end."""
        done = subprocess.run(
            [sys.executable, *words],
            env=self.environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=self.patience,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def furnish(self, *words: str) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.call("-m", "tests.journeys.furnish", *words))
        return made

    def serve(self) -> None:
        """Start the real server with its worker, and wait until it answers."""
        self.start()
        wait(self.answers)

    def start(self) -> None:
        """Start both; what they say goes into the log directory."""
        with (self.logs / "serve.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "manyeyes.cli", "serve", "--port", str(self.port)],
                env=self.environment, cwd=self.place, stdout=log, stderr=log,
            )  # fmt: skip

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def processes(self) -> list[int]:
        """The server and everything it started."""
        assert self.server is not None
        found = [self.server.pid]
        for pid in found:
            found += [other for other, parent in _parents().items() if parent == pid and other not in found]
        return found

    def kill(self) -> None:
        """kill -9 of every process of it, all at once."""
        assert self.server is not None
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.server.wait(90)

    def end(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(30)

    def places(self) -> list[Path]:
        return [self.data, self.temporary, self.logs]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parents() -> dict[int, int]:
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            found[int(place.name)] = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return found


def wait(holds: Callable[[], Any], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    made.call("-m", "manyeyes.cli", "init", "--no-program")
    yield made
    made.end()


@pytest.fixture(scope="module")
def answering() -> Iterator[Wicket]:
    with Wicket(extra=f"Ask {MARK} again.") as server:
        yield server


class Players:
    """Everybody's browser over real HTTP."""

    def __init__(self, house: House, made: dict[str, Any]) -> None:
        self.house, self.made = house, made
        self.browsers: dict[str, Browser] = {"nobody": Browser(house.base)}
        self.ref = ""

    def at(self, name: str) -> Browser:
        if name not in self.browsers:
            browser = self.browsers[name] = Browser(self.house.base)
            page = browser.get("/accounts/login/")
            given = {"login": self.made["emails"][name], "password": people.PASSWORD}
            landed = browser.send(page, page.form("/accounts/login/"), given)
            assert "/accounts/login" not in landed.url, landed.words
        return self.browsers[name]

    def fill(
        self, name: str, path: str, part: str, values: dict[str, str], *, button: str = "", having: str = ""
    ) -> Page:
        page = _ok(self.at(name).get(path))
        return _ok(self.at(name).send(page, page.form(part, having=having), values, button=button))

    def report(self, name: str, **changes: str) -> Page:
        values = {**REPORT, "target": self.made["target"], **changes}
        return self.fill(name, f"/p/{self.made['slug']}/report/", "report/", values, button="send")

    def desk(self, name: str, part: str, values: dict[str, str], *, having: str = "") -> Page:
        return self.fill(name, f"/desk/cases/{self.ref}/", part, values, having=having)


def _ok(page: Page) -> Page:
    assert page.status < 400, f"{page.url} answered {page.status}: {page.words[:400]}"
    return page


MARKED = {
    "title": f"Title {MARK}",
    "happened": f"It said {MARK} to me",
    "steps": f"Say {MARK} now",
    "impact": f"Whoever knows {MARK}",
    "success_text": f"sign {MARK}",
    "own_ref": f"own {MARK}",
    "temperature": "0.7",
    "conversation": f"user: talk {MARK}",
    "surface": f"surface {MARK}",
    "seen_times": f"times {MARK}",
    "conversation_link": f"https://x.example/{MARK}",
    "publish_where": f"where {MARK}",
    "co_reporters": MARK,
    "reproducer": people.REPRODUCER.replace(people.TITLE, f"File {MARK}").replace(people.STEPS, f"Say {MARK} now"),
}


@pytest.fixture(scope="module")
def played(house: House, answering: Wicket) -> Players:
    """The marker in every field of every form on the way to a draft advisory, and in every answer of the model."""
    made = house.furnish("make", answering.url)
    house.serve()
    players = Players(house, made)
    players.ref = players.report("rhea", **MARKED).data["data-case"]
    players.report("nobody", **MARKED, identity="contact", contact=f"{MARK}@mail.example")
    for audience in ("public", "internal"):
        page = players.at("theo").get(f"/desk/cases/{players.ref}/")
        composers = [one for one in page.forms if "/say/" in one.action]
        form = next((one for one in composers if one.values.get("audience") == audience), composers[0])
        _ok(players.at("theo").send(page, form, {"text": f"{audience} {MARK}", "audience": audience}))
    players.desk("theo", "/move/accept/", {})
    prepared = {"name": f"Name {MARK}", "text": f"Dear {{researcher}}, {MARK}"}
    players.fill("lena", f"/desk/program/{players.made['slug']}/answers/", "/answers/", prepared)
    said = {"credit_name": f"Credit {MARK}", "links": f"https://x.example/{MARK}", "zone": "Asia/Kolkata"}
    players.fill("rhea", "/my/settings/profile/", "/profile/", said)
    players.fill("mina", f"/desk/cases/{players.ref}/move/ask_researcher/", "/move/", {"words": f"Why {MARK}?"})
    players.fill("rhea", f"/my/{players.ref}/", "/say/", {"text": f"Because {MARK}"})
    replay = players.fill("theo", f"/desk/cases/{players.ref}/replay/", "/replay/", {"seed": "5"}, button="start")
    wait(lambda: "concluded" in players.house.furnish("standing")["replay"])
    players.fill("theo", replay.url, "/control/", {}, button="seen")
    rating = {**people.LETTERS, **{f"why_{code}": f"See {MARK}" for code in people.LETTERS}}
    rating |= {"tries": "4", "tries_source": f"Source {MARK}"}
    players.fill("theo", f"/desk/cases/{players.ref}/severity/", "/severity/", rating)
    for name, discipline in (("theo", "security"), ("mina", "ml")):
        written = ("path", "mechanism")
        saw = {key: f"{said} {MARK}" if key in written else said for key, said in people.SEEN[discipline].items()}
        players.desk(name, "/signoff/", {**saw, "discipline": discipline, "agrees": "yes", "note": f"Note {MARK}"})
    players.desk("theo", "/move/confirm/", {})
    own = {"band": "Critical", "why": f"Graver {MARK}"}
    players.fill("rhea", f"/my/{players.ref}/severity/", "/severity/", own, button="own", having="band")
    players.desk("mina", "/cause/", {"category": "wiring", "text": f"Cause {MARK}"})
    players.desk("lena", "/assign/", {"person": "Olga B."}, having="person")
    players.desk("olga", "/move/start_fix/", {})
    fix = {"version": players.made["v3"], "kind": "cause", "summary": f"Fix {MARK}"}
    players.fill("olga", f"/desk/cases/{players.ref}/fix/", "/fix/", fix)
    draft = {"title": f"Paper {MARK}", "summary": f"Sum {MARK}", "details": f"Det {MARK}", "advice": f"Adv {MARK}"}
    players.fill("pia", f"/desk/cases/{players.ref}/advisory/", "/advisory/", draft, button="draft")
    players.fill("rhea", f"/my/{players.ref}/credit/", "/credit/", {"mode": "handle"})
    _wrong_turns(players)
    return players


def _wrong_turns(players: Players) -> None:
    """What is refused may leave nothing behind either: a broken form, a search, a wrong sign-in, a wrong receipt."""
    bad = {**REPORT, **MARKED, "target": players.made["target"], "identity": "anonymous", "title": ""}
    stranger = Browser(players.house.base)
    page = stranger.get(f"/p/{players.made['slug']}/report/")
    assert stranger.send(page, page.form("report/"), bad, button="send").status == 422
    page = stranger.get(f"/p/{players.made['slug']}/report/")
    kept = stranger.send(
        page, page.form("report/"), {"title": f"Draft {MARK}", "steps": f"Draft {MARK}"}, button="save"
    )
    assert "Your draft code" in kept.words
    players.at("theo").get(f"/desk/?q={urllib.parse.quote(MARK)}")
    page = stranger.get("/accounts/login/")
    stranger.send(page, page.form("/accounts/login/"), {"login": f"{MARK}@x.example", "password": f"is it {MARK}"})
    page = stranger.get("/return/")
    stranger.send(page, page.form("/return/"), {"digits": MARK})


def test_the_scanner_finds_what_is_planted(house: House, played: Players) -> None:
    for place in house.places():
        for planted in (MARK.encode(), gzip.compress(MARK.encode()), MARK.encode().hex().encode()):
            file = place / "planted"
            file.write_bytes(b"x" * 100 + planted)
            try:
                assert [hit.place for hit in marker.find(MARK, place)] == [str(file)]
            finally:
                file.unlink()


def test_it_is_nowhere_and_mails_were_written(house: House, played: Players, answering: Wicket) -> None:
    readers = house.furnish("attach", played.ref, MARK)["readers"]
    assert {name for name, reads in readers.items() if reads} >= {"rhea_k", "theo", "mina", "olga"}
    assert not readers["eve_x"]
    wait(lambda: any((house.data / "mail").iterdir()))
    letters = b"".join(file.read_bytes() for file in (house.data / "mail").iterdir())
    assert played.ref.encode() in letters
    assert (house.data / "db.sqlite3-wal").exists(), "the journal is looked at while it lives"
    assert any(MARK.encode() in json.dumps(json.loads(body), ensure_ascii=False).encode() for body in answering.bodies)
    assert answering.count > 20
    assert marker.find(MARK, *house.places()) == []


def test_the_secret_of_a_half_done_second_factor_is_nowhere(house: House, played: Players) -> None:
    eve = played.at("eve")
    page = eve.get("/accounts/2fa/totp/activate/")
    page = eve.send(page, page.form("reauthenticate", having="password"), {"password": people.PASSWORD})
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.text)
    assert secret is not None, page.words[:500]
    assert marker.find(secret[0], *house.places()) == []


def test_those_who_may_see_it_do_and_nobody_else(house: House, played: Players) -> None:
    ref, slug = played.ref, played.made["slug"]
    replay = next(link for link, _ in played.at("rhea").get(f"/my/{ref}/").links if "/replay/" in link).split("/")[-2]
    own = [f"/my/{ref}/", f"/my/{ref}/replay/{replay}/"]
    desk = [f"/desk/cases/{ref}/", f"/desk/replays/{replay}/", f"/desk/cases/{ref}/advisory/", "/desk/"]
    for path in own:
        assert MARK in played.at("rhea").get(path).text, path
    for path in desk:
        for name in ("theo", "mina"):
            assert MARK in played.at(name).get(path).text, (name, path)
    told = played.at("rhea").get(f"/my/{ref}/").text
    assert f"public {MARK}" in told
    for internal in (f"internal {MARK}", f"Note {MARK}", f"Cause {MARK}", f"Fix {MARK}", f"Paper {MARK}"):
        assert internal not in told
    public = [
        "/",
        f"/p/{slug}/",
        "/thanks/",
        "/advisories/",
        "/.well-known/security.txt",
        f"/advisories/{slug}-{ref.lower()}/",
    ]
    for name in ("eve", "nobody"):
        for path in [*own, *desk, *public, "/my/"]:
            seen = (played.at(name) if name == "eve" else Browser(house.base)).get(path).text
            assert MARK not in seen, (name, path)


def test_a_forced_failure_tells_nothing(house: House, played: Players) -> None:
    body = urllib.parse.urlencode({**REPORT, **MARKED, "target": played.made["target"]}).encode()
    address = f"{house.base}/p/{played.made['slug']}/report/"
    before = (house.logs / "serve.log").stat().st_size
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(urllib.request.Request(address, data=body, headers={"X-Poison": "1"}), timeout=10)
    assert failure.value.code == 500
    page = failure.value.read()
    assert marker.found_in(MARK, page) == set()
    assert b"ValueError" not in page
    said = (house.logs / "serve.log").read_bytes()[before:]
    assert b"ValueError" in said, "the log names the failure"
    assert b"poisoned.py" in said, "and its place"
    assert marker.find(MARK, *house.places()) == []


def test_kill_during_submissions_leaves_nothing_readable_and_loses_nothing(house: House, played: Players) -> None:
    received: list[str] = []
    sending = threading.Event()

    def send() -> None:
        browser = Browser(house.base)
        page = browser.get(f"/p/{played.made['slug']}/report/")
        try:
            while True:
                given = {**REPORT, **MARKED, "target": played.made["target"], "identity": "anonymous"}
                form = page.form("report/")
                form.values["submission"] = str(uuid.uuid4())
                received.append(browser.send(page, form, given, button="send").data["data-case"])
                sending.set()
        except (OSError, KeyError, AssertionError):
            return  # the server is gone: what was asked for

    threads = [threading.Thread(target=send) for _ in range(2)]
    half = _half_upload(house, played)
    for thread in threads:
        thread.start()
    assert sending.wait(30)
    time.sleep(0.5)
    _open_files_hold_nothing(house)
    house.kill()
    half.close()
    for thread in threads:
        thread.join(30)
    assert marker.find(MARK, *house.places()) == []
    house.serve()
    there = house.furnish("count")
    assert set(received) <= set(there["refs"]), "a report that was answered is gone"
    assert len(there["refs"]) == there["reports"] == there["events"], "a report is half there"
    assert MARK in played.at("rhea").get(f"/my/{played.ref}/").text
    house.call("-m", "manyeyes.cli", "check")
    house.end()
    assert marker.find(MARK, *house.places()) == []


def _half_upload(house: House, played: Players) -> socket.socket:
    """A file of ten megabytes that comes to its middle and stays there."""
    line = socket.create_connection(("localhost", house.port), timeout=10)
    head = (
        f"POST /p/{played.made['slug']}/report/ HTTP/1.1\r\nHost: localhost:{house.port}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 10000000\r\n\r\n"
        '--cut\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\n'
    )
    line.sendall(head.encode() + f"{MARK}\n".encode() * 200_000)
    return line


def _open_files_hold_nothing(house: House) -> None:
    """Files without a name, too: what the processes hold open under the temporary directory."""
    looked = 0
    for pid in house.processes():
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                if str(house.temporary) in os.readlink(link):
                    looked += 1
                    assert marker.found_in(MARK, link.read_bytes()) == set(), os.readlink(link)
            except OSError:
                continue
    assert looked, "the half of a file was expected to lie there, encrypted"
