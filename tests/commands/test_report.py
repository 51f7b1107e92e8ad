"""The report of a run: one file with nothing to load, nothing that runs, and no text that could do either."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from manyeyes.commands.report import report, write_report
from manyeyes.commands.report.reading import sentence
from manyeyes.commands.report.sheet import sheet_for
from manyeyes.runs.bundle import Evidence
from manyeyes.runs.document import TargetInfo
from tests.commands.runs_on_record import HOSTILE, finished


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return finished(tmp_path_factory.mktemp("run"), "reproduce", 0.5)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return finished(tmp_path_factory.mktemp("run"), "verify", 0.0, tau=0.05, before=(14, 30))


class Outline(HTMLParser):
    """Tags, attributes and text as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._quiet = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._quiet = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._quiet = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._quiet else data


@pytest.mark.parametrize("which", ["reproduced", "held"])
def test_nothing_loads_and_nothing_runs(which: str, request: pytest.FixtureRequest) -> None:
    page = report(request.getfixturevalue(which))
    found = Outline(page)
    assert not {"script", "link", "img", "iframe", "object", "form", "a", "base"} & set(found.tags)
    names = {name for name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")} | (
        names & {"style", "src", "href", "srcset", "action"}
    )
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert set(re.findall(r"url\((.{5})", style[1])) == {"data:"}
    assert "@import" not in style[1]
    assert "default-src &#x27;none&#x27;" in page
    assert len(page) < 400_000


def test_hostile_words_are_shown_and_do_nothing(reproduced: Evidence) -> None:
    page = report(reproduced)
    assert HOSTILE not in page
    assert page.count("</style>") == 1
    found = Outline(page)
    assert "evil.example" in found.text
    assert "U+202E right-to-left override" in found.text
    assert "\u202e" not in page


def test_it_says_what_the_verdict_says(reproduced: Evidence, held: Evidence) -> None:
    for evidence in (reproduced, held):
        said = " ".join(Outline(report(evidence)).text.split())
        assert " ".join(sentence(evidence.document, evidence.result).split()) in said
        assert evidence.document.hash[:12] in said
    text = Outline(report(reproduced)).text
    for words in ("Where it works", "How we became sure", "What it looked like", "Beside the exploit", "--seed 7"):
        assert words in text
    assert "Before and after" in Outline(report(held)).text
    assert "manyeyes verify finding.poc.yaml" in Outline(report(held)).text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("map", ["Where it works", "The search is never scored", "manyeyes map finding.poc.yaml"]),
        ("compare", ["Old and new", "Only the new version gave way", "--old postern-old"]),
        ("sweep", ["Finding by finding", "came back", "manyeyes sweep findings/"]),
    ],
)
def test_wider_questions_have_their_own_parts(question: str, words: list[str], tmp_path: Path) -> None:
    page = report(finished(tmp_path, question, 0.9))
    assert HOSTILE not in page
    text = Outline(page).text
    assert all(word in text for word in words)


def test_every_heading_has_its_place(reproduced: Evidence) -> None:
    tags = [tag for tag in Outline(report(reproduced)).tags if tag in ("h1", "h2", "h3")]
    assert tags[0] == "h1"
    assert set(tags[1:]) == {"h2"}


def test_texts_can_be_left_out(reproduced: Evidence, tmp_path: Path) -> None:
    assert "It is BLUE-HERON-42." in report(reproduced)
    file = tmp_path / "report.html"
    write_report(reproduced, file, texts=False)
    page = file.read_text(encoding="utf-8")
    assert "It is BLUE-HERON-42." not in page
    assert "left out of this report" in page
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_the_sheet_holds_the_rules_of_what_is_there() -> None:
    small = sheet_for('<body><p class="verdict">x</p></body>')
    assert ".verdict {" in small
    assert "--paper" in small
    assert "prefers-color-scheme: dark" in small
    assert ".composer" not in small
    assert ".table" not in small.split("@media print")[0].split(".report-title")[0]
    assert "@media print" in small
    assert small.count("{") == small.count("}")


def test_a_long_run_stays_a_small_file(tmp_path: Path) -> None:
    long = finished(tmp_path, "verify", 0.0, tau=0.002)
    assert long.result["n"] > 1_500
    assert len(report(long)) < 1_500_000


def test_the_command_names_the_file_and_the_target_that_were_used(held: Evidence) -> None:
    page = Outline(report(held, source="our finding.poc.yaml")).text
    assert "manyeyes verify 'our finding.poc.yaml' --target http://127.0.0.1:8080" in page
    options = {"stream": True, "extra": {"top_k": 3}}
    other = TargetInfo(kind="openai_responses", url="http://127.0.0.1:8080", model="postern", options=options)
    judges = {"judge": TargetInfo(url="http://127.0.0.1:9", model="j"), "confirm": TargetInfo(model="c")}
    targets = {**held.document.targets, "main": other, "positive": TargetInfo(model="postern-old"), **judges}
    page = Outline(report(replace(held, document=replace(held.document, targets=targets)))).text
    assert "--target-kind openai_responses" in page
    assert """--target-option 'extra={"top_k": 3}' --target-option stream=yes""" in page
    assert "--positive-model postern-old" in page
    assert "--judge http://127.0.0.1:9 --judge-model j --confirm-model c --confirm target" in page
    by_hand = {"main": TargetInfo(kind="manual")}
    page = Outline(report(replace(held, document=replace(held.document, targets=by_hand)))).text
    assert "manyeyes verify finding.poc.yaml --manual" in page


def test_a_run_that_took_no_time_says_so(reproduced: Evidence) -> None:
    quick = replace(reproduced, result={**reproduced.result, "seconds": 0.02})
    assert "under 1 s" in Outline(report(quick)).text


def test_a_trial_of_several_calls_is_shown_whole(reproduced: Evidence) -> None:
    first = next(one for one in reproduced.trials if one.stream == "main" and one.outcome == "success")
    called = {"id": "c1", "name": "send_mail", "arguments": f'{{"to": "{HOSTILE}"}}'}
    trials = [replace(one, tool_calls=[called]) if one is first else one for one in reproduced.trials]
    page = report(replace(reproduced, trials=trials))
    assert "calls send_mail(" in Outline(page).text
    assert HOSTILE not in page
    assert "calls send_mail(" not in report(replace(reproduced, trials=trials), texts=False)
