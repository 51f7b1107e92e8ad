"""What `submit` says when the program refuses, is busy or is gone: each names the mend, and nothing is sent twice."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from manyeyes import cli
from manyeyes.commands import sending, submit
from manyeyes.runs.bundle import Evidence, bundled
from tests import people
from tests.runs.test_bundle import KEY, evidence, files_of, packed, sometimes

TARGET = "8b4b6a0e-6b64-4a8e-9c7d-0a52f3f3a111"
GET = {
    "/api/v1/programs?limit=100": {"items": [{"slug": "wicket"}], "next": None},
    "/api/v1/programs/wicket": {"slug": "wicket", "targets": [{"id": TARGET, "name": "Wicket"}]},
    "/api/v1/cases/ME-7K3F-Q2M4/bundles/b-1": {
        "id": "b-1",
        "state": "done",
        "scored": False,
        "found": {"why": "Slow."},
    },
}
SENT = {"ref": "ME-7K3F-Q2M4", "receipt": None, "again": False, "answer_by": "2026-11-25", "url": "http://x.example/"}
BUNDLE = {"id": "b-1", "state": "waiting", "scored": False, "again": False, "found": {"claim": None}}
Answer = tuple[int, dict[str, Any], dict[str, str]]


class Site:
    """Answers as a program does, with refusals in between as they were ordered."""

    def __init__(self) -> None:
        self.ordered: dict[str, list[Answer]] = {}
        self.posted: list[tuple[str, bytes, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(site.next(self.path) or (200, GET[self.path], {}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site.posted.append((self.path, body, self.headers.get("Idempotency-Key", "")))
                usual = BUNDLE if self.path.endswith("/bundles") else SENT
                self.say(site.next(self.path) or (201, usual, {}))

            def say(self, answer: Answer) -> None:
                status, found, headers = answer
                if not status:
                    self.close_connection = True  # the answer is lost
                    return
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def order(self, path: str, status: int, detail: str = "", **headers: str) -> None:
        """The next call of this address is answered like this; status 0: not at all."""
        told = {"detail": detail, "status": status}
        found = {name.replace("_", "-"): value for name, value in headers.items()}
        self.ordered.setdefault(f"/api/v1{path}", []).append((status, told, found))

    def next(self, path: str) -> Answer | None:
        rows = self.ordered.get(path)
        return rows.pop(0) if rows else None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("T", "mey_not_a_real_one")
    monkeypatch.setattr(submit.time, "sleep", lambda seconds: None)
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence("reproduce", sometimes, tmp_path_factory.mktemp("run"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Evidence) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wicket.poc.yaml").write_text(people.REPRODUCER)
    (tmp_path / "answers.yaml").write_text(json.dumps({"happened": "It told me.", "impact": "Anybody knows."}))
    (tmp_path / "evidence.zip").write_bytes(bundled(held, KEY))
    return tmp_path


def call(site: Site, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    given = ["submit", "wicket.poc.yaml", "--to", site.base, "--token-env", "T", "--answers", "answers.yaml", *words]
    code = cli.main([*given, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


REPORTS, BUNDLES = "/programs/wicket/reports", "/cases/ME-7K3F-Q2M4/bundles"


@pytest.mark.parametrize(
    ("path", "status", "detail", "mends"),
    [
        (REPORTS, 401, "A working token is needed.", ["/my/tokens/", "--token-env", "(401)"]),
        (REPORTS, 403, "This token may not do that: it lacks the scope “report”.", ["scope “report”", "/my/tokens/"]),
        (REPORTS, 409, "This form was sent already.", ["--submission", "wicket.poc.yaml.submission.json"]),
        (REPORTS, 413, "The text of a request may hold 6 MB.", ["6 MB", "Shorten"]),
        (BUNDLES, 413, "The request is too large.", ["ME-7K3F-Q2M4 has arrived", "--no-texts"]),
        (BUNDLES, 403, "it lacks the scope “write”.", ["ME-7K3F-Q2M4 has arrived", "“write”", "/my/tokens/"]),
    ],
)
def test_a_refusal_names_its_mend(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str], path: str, status: int, detail: str, mends: list[str]
) -> None:
    site.order(path, status, detail)
    code, found = call(site, capsys, "--bundle", "evidence.zip")
    assert code == 2
    assert found["verdict"] is None
    for words in mends:
        assert words in found["error"]["message"]
    assert "mey_" not in found["error"]["message"]


def test_what_is_wrong_stands_field_by_field(site: Site, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"detail": "Something cannot be used.", "fields": {"title": "Please fill this in.\x1b[2J"}}
    site.ordered["/api/v1" + REPORTS] = [(422, told, {})]
    code, found = call(site, capsys)
    assert code == 2
    assert "title: Please fill this in." in found["error"]["message"]
    assert "\x1b" not in found["error"]["message"]


def test_too_many_calls_are_told_with_the_time_to_wait(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.order(REPORTS, 429, "Too many requests. Wait a while.", Retry_After="1500")
    code, found = call(site, capsys)
    assert code == 2
    assert "Wait 25 minutes and run the same command again" in found["error"]["message"]
    assert len(site.posted) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_wait_is_waited_and_the_same_is_sent_again(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(sending.time, "sleep", waited.append)
    site.order(REPORTS, status, "Busy.", Retry_After="2")
    site.order(REPORTS, status, "Busy.", Retry_After="3")
    code, found = call(site, capsys)
    assert (code, found["ref"]) == (0, "ME-7K3F-Q2M4")
    assert waited == [2, 3]
    assert len({body for _, body, _ in site.posted}) == 1, "the same report under the same name"
    for _ in range(sending.TRIES):
        site.order(REPORTS, status, "Busy.", Retry_After="2")
    assert call(site, capsys)[0] == 2, "not for ever"


@pytest.mark.parametrize("path", [REPORTS, BUNDLES])
@pytest.mark.parametrize("status", [0, 500])
def test_after_a_lost_answer_the_same_command_sends_the_same(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str], path: str, status: int
) -> None:
    site.order(path, status, "The failure is ours.")
    code, found = call(site, capsys, "--bundle", "evidence.zip")
    assert code == 2
    assert "Run the same command again: nothing is sent twice." in found["error"]["message"]
    assert ("has arrived" in found["error"]["message"]) == (path == BUNDLES)
    code, found = call(site, capsys, "--bundle", "evidence.zip")
    assert code == 0
    assert found["bundle"]["state"] == "done"
    reports = {json.loads(body)["submission_id"] for where, body, _ in site.posted if where.endswith("/reports")}
    keys = {key for where, _, key in site.posted if where.endswith("/bundles")}
    assert (len(reports), len(keys)) == (1, 1)


def test_a_resend_says_that_digits_shown_before_are_void(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = "0000 1111 2222 3333 4444 5555"
    token = (201, {"token": "t"}, {})
    for again in (False, True):
        site.ordered["/api/v1/programs/wicket/reports"] = [(201, {**SENT, "receipt": digits, "again": again}, {})]
        site.ordered["/api/v1/tokens/receipt"] = [token]
        words = ["submit", "wicket.poc.yaml", "--to", site.base, "--anonymous", "--answers", "answers.yaml"]
        assert cli.main(words) == 0
        said = capsys.readouterr()
        assert digits in said.out
        assert ("before open nothing any more" in said.out) is again
        assert ("before open nothing any more" in said.err) is again


def test_a_token_that_may_not_read_is_told_that_it_arrived(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.order(f"{BUNDLES}/b-1", 403, "it lacks the scope “read”.")
    given = ["submit", "wicket.poc.yaml", "--to", site.base, "--token-env", "T", "--answers", "answers.yaml"]
    assert cli.main([*given, "--bundle", "evidence.zip"]) == 0
    assert "being scored again there" in capsys.readouterr().out


SCORED = {
    "texts": {"rescored": "reproduced"}, "intact": True, "identical": False, "problems": [],
    "claim": {"k": 7, "n": 10}, "measured": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"differences": [["k", "4", "5"]], "differing": 1},
         ["1 thing differs", "  k: on record 4; found 5"]),
        ({"differences": [["k", "4", "5"], ["n\x1b[31m", "30", "31"]], "differing": 9},
         ["9 things differ", "  k: on record 4; found 5", "found 31", "  and 7 more"]),
        ({"problems": ["trials.jsonl was changed after it was signed."], "intact": False, "differences": []},
         ["1 thing differs", "  trials.jsonl was changed after it was signed."]),
        ({"identical": True, "differences": [], "differing": 0}, ["; nothing differs"]),
        ({"identical": True, "differences": [], "differing": 0, "by_machine": True, "same_file": True,
          "measured": {"k": 9, "n": 30}}, ["; nothing differs; claimed 7 of 10, measured 9 of 30"]),
    ],
)  # fmt: skip
def test_each_thing_that_differs_is_named_with_both_values(more: dict[str, Any], said: list[str]) -> None:
    told = submit._measurement({"state": "done", "scored": True, "found": {**SCORED, **more}})
    assert [one for one in said if one not in told] == []
    assert "\x1b" not in told
    assert len(told.splitlines()) == 1 + len(more.get("differences", [])) + len(more.get("problems", [])) + (
        more.get("differing", 0) > len(more["differences"])
    )


def test_what_was_not_measured_of_this_finding_or_by_machine_is_said() -> None:
    found = {**SCORED, "identical": True, "differences": [], "differing": 0, "measured": {"k": 29, "n": 30}}
    told = submit._measurement({"state": "done", "scored": True, "found": {**found, "same_file": False}})
    assert submit.OTHER_FILE in told
    assert "claimed" not in told, "nothing is compared with another thing"
    told = submit._measurement({"state": "done", "scored": True, "found": {**found, "by_machine": False}})
    assert submit.UNCHECKED in told
    assert submit.OTHER_FILE not in told


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "compressed", "no plan", "broken trials"])
def test_a_file_that_is_no_bundle_is_refused_before_anything_is_sent(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str], held: Evidence, kind: str
) -> None:
    whole = bundled(held, KEY)
    spoilt = {
        "empty": b"", "text": b"hello there, this is a text and no bundle", "truncated": whole[:-200],
        "compressed": packed(files_of(whole), compression=zipfile.ZIP_DEFLATED),
        "no plan": packed({name: data for name, data in files_of(whole).items() if name != "plan.json"}),
        "broken trials": packed({**files_of(whole), "trials.jsonl": b"{\n"}),
    }[kind]  # fmt: skip
    (place / "evidence.zip").write_bytes(spoilt)
    code, found = call(site, capsys, "--bundle", "evidence.zip")
    assert code == 2
    assert found["error"]["message"].startswith("--bundle: evidence.zip: ")
    assert site.posted == []


def test_a_bundle_that_found_nothing_is_sent_on_demand_alone(
    site: Site, place: Path, capsys: pytest.CaptureFixture[str], held: Evidence
) -> None:
    other = Evidence(document=held.document, trials=held.trials, result={**held.result, "verdict": "not_reproduced"})
    (place / "evidence.zip").write_bytes(bundled(other, KEY))
    given = ["submit", "wicket.poc.yaml", "--to", site.base, "--token-env", "T", "--answers", "answers.yaml"]
    assert cli.main([*given, "--bundle", "evidence.zip"]) == 1
    assert "Send it all the same with --anyway" in capsys.readouterr().err
    assert site.posted == []
    assert cli.main([*given, "--bundle", "evidence.zip", "--anyway"]) == 0
    assert len(site.posted) == 2


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("localhost:8410", "http://localhost:8410"), ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("[::1]:1", "http://[::1]:1"),
        ("reports.example", "https://reports.example"), ("localhost.example", "https://localhost.example"),
    ],
)  # fmt: skip
def test_an_address_without_its_scheme_is_https_unless_it_is_this_machine(address: str, base: str) -> None:
    assert sending.Api(address).base == base
