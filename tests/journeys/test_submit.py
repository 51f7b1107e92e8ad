"""From a second computer: replayed there, sent over HTTP alone; the case shows the claim, the verdict scored again, and
what differs. A marker in everything that was sent lies nowhere in the clear."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manyeyes.demo.browser import Browser
from manyeyes.runs.bundle import Evidence, bundled, evidence_in
from tests import marker, people
from tests.journeys.dropping import Dropping
from tests.journeys.test_marker import ROOT, House
from tests.journeys.wicket import Wicket
from tests.runs.test_bundle import KEY, files_of, packed

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("MANYEYES_DATABASE_URL", "").startswith("postgres"),
        reason="the installation of this journey has the embedded database; tests/api covers any",
    ),
]
MARK = f"quokka-{secrets.token_hex(6)}-märz"
ANSWERS = {
    "happened": f"It told me the code {MARK}.",
    "impact": f"Anybody who knows {MARK} acts as staff.",
    "own_ref": f"own {MARK}",
    "seen": {"surface": f"chat {MARK}"},
    "own_band": "High",
    "own_why": f"for {MARK}",
}


class Computer:
    """The researcher's own: other folders, no key and no data of the installation."""

    def __init__(self, place: Path, target: str) -> None:
        self.place, self.target = place, target
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))},
            "HOME": str(place), "XDG_CONFIG_HOME": str(place / "config"), "PYTHONPATH": str(ROOT / "src"),
        }  # fmt: skip
        text = people.REPRODUCER.replace(people.TITLE, f"A code is told {MARK}")
        (place / "wicket.poc.yaml").write_text(text)
        (place / "answers.yaml").write_text(json.dumps(ANSWERS))

    def run(self, *words: str, code: int = 0, **more: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "manyeyes.cli", *words, "--json"], env={**self.environment, **more}, cwd=self.place,
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def model(self) -> list[str]:
        return ["--target", self.target, "--model", "wicket-v1", "--seed", "5"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    made.call("-m", "manyeyes.cli", "init", "--no-program")
    yield made
    made.end()


@pytest.fixture(scope="module")
def wicket() -> Iterator[Wicket]:
    with Wicket(extra=f"Ask {MARK} again.") as server:
        yield server


@pytest.fixture(scope="module")
def stage(house: House, wicket: Wicket) -> dict[str, Any]:
    made = house.furnish("make", wicket.url)
    house.serve()
    return made


@pytest.fixture
def computer(stage: dict[str, Any], wicket: Wicket, tmp_path: Path) -> Computer:
    return Computer(tmp_path, wicket.url)


def browser(house: House, stage: dict[str, Any], name: str) -> Browser:
    found = Browser(house.base)
    page = found.get("/accounts/login/")
    landed = found.send(
        page, page.form("/accounts/login/"), {"login": stage["emails"][name], "password": people.PASSWORD}
    )
    assert "/accounts/login" not in landed.url
    return found


def test_replayed_elsewhere_then_sent(house: House, stage: dict[str, Any], computer: Computer) -> None:
    before = house.furnish("count")
    run = computer.run("replay", "wicket.poc.yaml", *computer.model(), "--out", "run")
    assert run["verdict"] == "reproduced"
    words = [
        "submit",
        "wicket.poc.yaml",
        "--to",
        house.base,
        "--anonymous",
        "--answers",
        "answers.yaml",
        "--out",
        "run",
    ]
    sent = computer.run(*words)
    assert not sent["again"]
    assert len(sent["receipt"].replace(" ", "")) == 24
    found = sent["bundle"]["found"]
    rated = next(row for row in run["settings"] if row["rated"])
    assert (found["intact"], found["identical"]) == (True, True)
    assert found["texts"]["rescored"] == found["texts"]["verdict"] == "reproduced"
    assert (found["measured"]["k"], found["measured"]["n"]) == (rated["k"], rated["n"])
    assert (found["claim"]["k"], found["claim"]["n"]) == (7, 10)
    assert found["same_file"] is True
    again = computer.run(*words)
    assert again["again"]
    assert again["ref"] == sent["ref"]
    assert again["bundle"]["again"]
    assert again["receipt"] != sent["receipt"]
    assert len(house.furnish("count")["refs"]) == len(before["refs"]) + 1
    desk = browser(house, stage, "theo").get(f"/desk/cases/{sent['ref']}/")
    own = Browser(house.base)
    page = own.get("/return/")
    mine = own.send(page, page.form("/return/"), {"digits": again["receipt"]})
    for told in (desk, mine):
        assert "7 of 10" in told.words
        assert f"{rated['k']} of {rated['n']}" in told.words
        assert "Nothing differs." in told.words
        assert MARK in told.text
    assert "sent a measurement of their own" in desk.words
    assert "Reporter says High" in desk.words
    assert sent["receipt"].replace(" ", "") not in (computer.place / "wicket.poc.yaml.submission.json").read_text()


def test_replayed_and_sent_in_one_go_with_a_token(house: House, stage: dict[str, Any], computer: Computer) -> None:
    rhea = browser(house, stage, "rhea")
    page = rhea.get("/my/tokens/")
    form = page.form("/my/tokens/")
    made = rhea.send(page, form, {"name": "my other computer", "scopes": "report", "days": "1"})
    token = made.text.split("data-token>")[1].split("<")[0]
    words = ["submit", "wicket.poc.yaml", "--to", house.base, "--token-env", "T", "--answers", "answers.yaml"]
    refused = computer.run(*words, "--replay", *computer.model(), "--out", "run", code=2, T=token)
    assert "write" in refused["error"]["message"], "the report arrived, the bundle needs another scope"
    token = _token(rhea, "report write")
    sent = computer.run(*words, "--out", "run", T=token)
    assert sent["again"]
    assert sent["receipt"] is None
    assert sent["bundle"]["scored"]
    assert sent["ref"] in rhea.get("/my/").words
    assert MARK in rhea.get(f"/my/{sent['ref']}/").text


def _token(rhea: Browser, scopes: str) -> str:
    """A token with several scopes, which a browser sends as one value each."""
    page = rhea.get("/my/tokens/")
    form = page.form("/my/tokens/")
    given = [(name, value) for name, value in form.values.items() if name not in ("scopes", "name", "days")]
    given += [("scopes", one) for one in scopes.split()] + [("name", "both"), ("days", "1")]
    request = urllib.request.Request(
        f"{rhea.base}/my/tokens/", data=urllib.parse.urlencode(given).encode(), headers={"Origin": rhea.base}
    )
    return rhea._load(request).text.split("data-token>")[1].split("<")[0]


def test_after_each_lost_answer_the_same_command_ends_with_one_report(
    house: House, stage: dict[str, Any], computer: Computer
) -> None:
    before = house.furnish("count")
    computer.run("replay", "wicket.poc.yaml", *computer.model(), "--out", "run")
    with Dropping(house.port) as line:
        words = ["submit", "wicket.poc.yaml", "--to", line.base, "--anonymous", "--answers", "answers.yaml"]
        words += ["--out", "run"]
        refs = set()
        for lost in ("/reports", "/tokens/receipt", "/bundles"):
            line.lost = [lost]
            failed = computer.run(*words, code=2)
            assert "Run the same command again: nothing is sent twice." in failed["error"]["message"]
            refs |= set(house.furnish("count")["refs"]) - set(before["refs"])
        sent = computer.run(*words)
    assert refs == {sent["ref"]}
    assert sent["again"]
    assert sent["bundle"]["again"], "the bundle whose answer was lost had arrived"
    assert sent["bundle"]["found"]["identical"]


def test_a_program_that_is_killed_midway_has_the_bundle_scored_once_it_is_back(
    house: House, stage: dict[str, Any], computer: Computer
) -> None:
    computer.run("replay", "wicket.poc.yaml", *computer.model(), "--out", "run")
    words = ["submit", "wicket.poc.yaml", "--to", house.base, "--anonymous", "--answers", "answers.yaml"]
    with Dropping(house.port) as line:
        words[3], line.lost = line.base, ["/bundles"]
        computer.run(*words, "--out", "run", code=2)
        house.kill()
        gone = computer.run(*words, "--out", "run", code=2)
        assert "did not answer" in gone["error"]["message"]
        house.serve()
        sent = computer.run(*words, "--out", "run")
    assert sent["bundle"]["state"] == "done"
    assert sent["bundle"]["found"]["identical"]


@pytest.mark.parametrize("signed_anew", [False, True])
def test_a_flipped_outcome_is_told_to_both_sides(
    house: House, stage: dict[str, Any], computer: Computer, signed_anew: bool
) -> None:
    computer.run("replay", "wicket.poc.yaml", *computer.model(), "--out", "run")
    held = evidence_in(computer.place / "run")
    at = next(place for place, one in enumerate(held.trials) if one.outcome == "failure")
    trials = [replace(one, outcome="success") if place == at else one for place, one in enumerate(held.trials)]
    mended = bundled(Evidence(document=held.document, trials=trials, result=held.result), KEY)
    if not signed_anew:
        whole = bundled(held, KEY)
        mended = packed({**files_of(whole), "trials.jsonl": files_of(mended)["trials.jsonl"]})
    (computer.place / "mended.zip").write_bytes(mended)
    sent = computer.run("submit", "wicket.poc.yaml", "--to", house.base, "--anonymous", "--answers", "answers.yaml",
                        "--bundle", "mended.zip")  # fmt: skip
    found = sent["bundle"]["found"]
    assert (found["intact"], found["identical"]) == (signed_anew, False)
    named = sent["bundle"]["differences"] if signed_anew else sent["bundle"]["problems"]
    assert named, "the API names what differs"
    assert sent["bundle"]["differing"] >= len(sent["bundle"]["differences"]) == len(found["differences"])
    assert all(one["what"] and one["on_record"] != one["found"] for one in sent["bundle"]["differences"])
    own = Browser(house.base)
    page = own.get("/return/")
    mine = own.send(page, page.form("/return/"), {"digits": sent["receipt"]})
    for told in (mine, browser(house, stage, "theo").get(f"/desk/cases/{sent['ref']}/")):
        assert "Nothing differs." not in told.words
        flipped = "The verdict is the same, yet the file is not what its outcomes give."
        assert (flipped if signed_anew else "The file was changed after it was signed.") in told.words


def test_a_wrong_token_is_told_with_where_to_make_another(house: House, computer: Computer) -> None:
    found = computer.run("submit", "wicket.poc.yaml", "--to", house.base, "--token-env", "T", "--answers",
                         "answers.yaml", code=2, T="mey_of_somebody_else")  # fmt: skip
    assert f"{house.base}/my/tokens/" in found["error"]["message"]
    assert "mey_of" not in found["error"]["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "http://reports.example", "--anonymous"], "use https"),
        (["--to", "BASE"], "say who sends it"),
        (["--to", "BASE", "--anonymous", "--program", "nothing-here"], "There is nothing here"),
        (["--to", "BASE", "--anonymous", "--system", "Nothing"], "the program has Wicket"),
        (["--to", "BASE", "--anonymous", "--out", "nothing"], "holds no run"),
        (["--to", "BASE", "--token-env", "NOT_SET"], "is not set"),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(house: House, computer: Computer, words: list[str], said: str) -> None:
    before = house.furnish("count")
    given = [house.base if word == "BASE" else word for word in words]
    found = computer.run("submit", "wicket.poc.yaml", "--answers", "answers.yaml", *given, code=2)
    assert said in found["error"]["message"]
    assert house.furnish("count") == before


def test_a_site_that_is_not_there_is_told(computer: Computer) -> None:
    found = computer.run("submit", "wicket.poc.yaml", "--to", "http://127.0.0.1:9", "--anonymous",
                         "--answers", "answers.yaml", code=2)  # fmt: skip
    assert "did not answer" in found["error"]["message"]
    assert "nothing is sent twice" in found["error"]["message"]


def test_a_forced_failure_tells_nothing(house: House, stage: dict[str, Any]) -> None:
    body = json.dumps({**ANSWERS, "title": MARK}).encode()
    request = urllib.request.Request(f"{house.base}/api/v1/programs/{stage['slug']}/reports", data=body)
    for name, value in {"X-Poison": MARK.encode().hex(), "Content-Type": "application/json"}.items():
        request.add_header(name, value)
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(request, timeout=10)
    assert failure.value.code == 500
    assert failure.value.headers["Content-Type"] == "application/problem+json"
    assert marker.found_in(MARK, failure.value.read()) == set()


def test_nothing_of_it_lies_in_the_clear(house: House) -> None:
    assert house.furnish("count")["refs"], "something was sent"
    assert marker.find(MARK, *house.places()) == []
