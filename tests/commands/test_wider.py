"""`map`, `compare` and `sweep` from end to end: exit codes, one object, pictures, files for a build server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from manyeyes.cli import main
from manyeyes.commands import foreseeing
from manyeyes.commands.findings import findings_in
from manyeyes.commands.gate_files import junit, sarif
from manyeyes.commands.picture import drawable, grid
from manyeyes.commands.questions import UsageError
from manyeyes.rules.visibility import result_for_researcher
from tests.cli.test_commands import Model, model
from tests.commands.runs_on_record import HOSTILE, REPRODUCER

# The seeded server says "heron" in every answer that is no leak, and names the code in the others.
TEXT = REPRODUCER.replace("[0, 0.7, 1.0]", "[0.7, 1.0]").replace('{contains: "nine"}', '{contains: "("}')


@pytest.fixture(scope="module")
def leaky() -> Iterator[Model]:
    with model(0.5) as made:
        yield made


@pytest.fixture(scope="module")
def mended() -> Iterator[Model]:
    with model(0.0) as made:
        yield made


@pytest.fixture
def finding(tmp_path: Path) -> str:
    place = tmp_path / "finding.poc.yaml"
    place.write_text(TEXT)
    return str(place)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    place = tmp_path / "closed"
    (place / "mail").mkdir(parents=True)
    for name in ("code", "code two", "mail/code"):
        (place / f"{name}.poc.yaml").write_text(TEXT.replace("title: The", f"title: In {name}, the"))
    return place


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    return code, json.loads(out), err


@pytest.mark.process
def test_map_names_the_worst_setting_and_draws_the_grid(
    finding: str, leaky: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["map", finding, "--target", leaky.url, "--seed", "3", "--out", str(tmp_path / "run")]
    before = leaky.count
    code, data, _ = told(capsys, *words, "--html", str(tmp_path / "m.html"), "--bundle", str(tmp_path / "m.zip"))
    assert code == 0
    assert data["verdict"] == "budget"
    assert data["leader"] in data["not_excluded"]
    assert data["calls"] == leaky.count - before
    assert len(data["settings"]) == 9  # the leader's fresh trials, and eight cells of the search
    assert sum(row["n"] for row in data["settings"] if not row["rated"]) == data["n"]
    assert data["settings"][0]["n"] == 30
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "Prompt: production" in out
    assert out.count("◆") == 2  # on the worst cell, and in the legend
    assert main(["verify-bundle", str(tmp_path / "m.zip")]) == 0
    page = (tmp_path / "m.html").read_text()
    assert "Where it works" in page
    assert "manyeyes map finding.poc.yaml" in page


@pytest.mark.process
@pytest.mark.parametrize("question", ["map", "compare", "sweep"])
def test_cut_short_and_gone_on_with_it_comes_to_the_same_verdict(
    question: str, finding: str, closed: Path, leaky: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [question, str(closed) if question == "sweep" else finding, "--target", leaky.url, "--seed", "6"]
    words += ["--old", f"{leaky.url}/v1", "--cap", "30"] if question == "compare" else []
    _, whole, _ = told(capsys, *words, "--out", str(tmp_path / "whole"))
    codes = []
    for most in ("9", "13", "14", "1000"):
        code, data, _ = told(capsys, *words, "--max-calls", most, "--concurrency", "3", "--out", str(tmp_path / "cut"))
        codes.append(code)
    assert codes[0] == 4
    same = ("verdict", "n", "k", "evalues", "leader", "not_excluded", "items", "pairs", "plan_hash")
    assert {name: data.get(name) for name in same} == {name: whole.get(name) for name in same}


@pytest.mark.process
def test_compare_tells_worse_from_better(
    finding: str, leaky: Model, mended: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = {"worse": (mended.url, leaky.url), "better": (leaky.url, mended.url)}
    for word, (old, new) in sides.items():
        words = ["compare", finding, "--old", old, "--new", new, "--seed", "1", "--out", str(tmp_path / word)]
        code, data, _ = told(capsys, *words)
        assert (code, data["verdict"]) == ({"worse": 1, "better": 0}[word], word)
        assert data["pairs"]["n"] == data["n"] <= 40
        assert main(words) == code
        assert "only the new version gave way" in capsys.readouterr().out
    code, data, err = told(capsys, "compare", finding, "--target", leaky.url, "--model", "m", "--old", "m")
    assert code == 2
    assert "--old: is the same as the new version" in data["error"]["message"]
    assert "--old: " in err


@pytest.mark.process
def test_sweep_flags_what_came_back_for_people_and_for_machines(
    closed: Path, leaky: Model, mended: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--junit", str(tmp_path / "j.xml"), "--sarif", str(tmp_path / "s.sarif")]
    words = ["sweep", str(closed), "--seed", "2", *files]
    code, data, _ = told(capsys, *words, "--target", leaky.url, "--out", str(tmp_path / "bad"))
    assert (code, data["verdict"]) == (1, "regressed")
    assert {row["key"] for row in data["items"]} == {"code", "code-two", "mail-code"}
    assert data["junit"] == str(tmp_path / "j.xml")
    suite = ElementTree.parse(tmp_path / "j.xml").getroot()[0]
    assert suite.get("failures") == "3"
    report = json.loads((tmp_path / "s.sarif").read_text())
    found = [row["locations"][0]["physicalLocation"] for row in report["runs"][0]["results"]]
    places = [row["artifactLocation"]["uri"] for row in found]
    assert places == ["code%20two.poc.yaml", "code.poc.yaml", "mail/code.poc.yaml"]
    code, data, _ = told(capsys, *words, "--target", mended.url, "--out", str(tmp_path / "good"))
    assert (code, data["verdict"]) == (0, "clear")
    assert ElementTree.parse(tmp_path / "j.xml").getroot()[0].get("failures") == "0"
    assert main([*words, "--target", mended.url, "--out", str(tmp_path / "good")]) == 0
    assert "stays away   code " in capsys.readouterr().out


def items(**verdicts: str) -> dict[str, Any]:
    rows = [
        {"key": key, "title": HOSTILE + "\x00\x1b", "verdict": word, "n": 9, "k": 3, "undecided": 0, "tau": 0.01,
         "evalue": 80.0, "low": 0.1, "high": 0.6}
        for key, word in verdicts.items()
    ]  # fmt: skip
    return {"items": rows, "seconds": 3.2, "plan_hash": "ab", "verdict": "regressed", "calls": 27, "reason": "r"}


def test_junit_has_the_shape_that_the_strictest_schema_asks_for() -> None:
    text = junit(items(a="regressed", b="open", c="cleared"), ended="2026-11-23T14:00:00.123+00:00")
    root = ElementTree.fromstring(text)
    (suite,) = root
    assert root.tag == "testsuites"
    assert set(suite.attrib) == {
        "id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"
    }  # fmt: skip
    assert suite.get("timestamp") == "2026-11-23T14:00:00"
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 3, "system-out", "system-err"]
    assert all(set(child.attrib) == {"name", "value"} for child in suite[0])
    kinds = [[child.tag for child in case] for case in suite[1:4]]
    assert kinds == [["failure"], ["error"], []]
    assert all(set(case.attrib) == {"classname", "name", "time"} for case in suite[1:4])
    assert all({"type", "message"} <= set(child.attrib) for case in suite[1:4] for child in case)


# What SARIF 2.1.0 demands (sections 3.13 to 3.52 of the standard) of the parts that are written here.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": {"$ref": "#/$defs/text"},
                                                "fullDescription": {"$ref": "#/$defs/text"},
                                                "defaultConfiguration": {
                                                    "properties": {"level": {"$ref": "#/$defs/level"}}
                                                },
                                            },
                                            "additionalProperties": False,
                                        },
                                    },
                                },
                                "additionalProperties": False,
                            }
                        },
                    },
                    "automationDetails": {"required": ["id"]},
                    "invocations": {"type": "array", "items": {"required": ["executionSuccessful"]}},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "properties": {"type": "object"},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                                "level": {"$ref": "#/$defs/level"},
                                "message": {"$ref": "#/$defs/text"},
                                "locations": {"type": "array", "items": {"required": ["physicalLocation"]}},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "properties": {"type": "object"},
                            },
                            # 3.27.10: a level other than none says that something failed.
                            "if": {"properties": {"kind": {"not": {"const": "fail"}}}},
                            "then": {"properties": {"level": {"const": "none"}}},
                        },
                    },
                },
            },
        },
    },
    "$defs": {
        "text": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
        "level": {"enum": ["none", "note", "warning", "error"]},
    },
}


def test_sarif_has_the_shape_of_the_standard() -> None:
    files = {key: f"{key}.poc.yaml" for key in "abc"}
    report = json.loads(sarif(items(a="regressed", b="open", c="cleared"), files))
    jsonschema.validate(report, SARIF)
    (run,) = report["runs"]
    assert [(row["kind"], row["level"]) for row in run["results"]] == [
        ("fail", "error"), ("open", "none"), ("pass", "none")
    ]  # fmt: skip
    assert [run["tool"]["driver"]["rules"][row["ruleIndex"]]["id"] for row in run["results"]] == ["a", "b", "c"]


def test_every_broken_file_of_a_sweep_is_told_at_once(closed: Path) -> None:
    (closed / "bad.poc.yaml").write_text("title: 3")
    (closed / "worse.poc.json").write_text("{")
    (closed / "undo.poc.yaml").write_text(TEXT.replace("effects: none", "effects: irreversible"))
    with pytest.raises(UsageError) as refused:
        findings_in(closed, sandbox=False)
    said = str(refused.value)
    assert all(name in said for name in ("bad.poc.yaml", "worse.poc.json", "undo.poc.yaml: effects"))
    assert len(refused.value.problems) >= 2
    with pytest.raises(UsageError, match="no file whose name ends in"):
        findings_in(_empty(closed))
    with pytest.raises(UsageError, match="no such directory"):
        findings_in(closed / "nowhere")


def _empty(closed: Path) -> Path:
    place = closed / "empty"
    place.mkdir()
    return place


@pytest.mark.parametrize("question", ["map", "compare", "sweep"])
def test_plan_foresees_the_wider_questions(
    question: str, finding: str, closed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = str(closed) if question == "sweep" else finding
    words = ["plan", named, "--question", question, "--price-in", "1", "--seed", "1"]
    code, data, _ = told(capsys, *words)
    assert code == 0
    assert data["question"] == question
    assert data["type_one"] <= 0.05
    assert data["worst_calls"] >= max(row["expected_calls"] for row in data["points"])
    assert all(row["expected_cost"] > 0 for row in data["points"])
    if question == "compare":
        rise = data["points"][0]
        assert data["exact"]
        assert rise["expected_trials"] <= 41
    assert main(words) == 0
    assert "at worst" in capsys.readouterr().out


def test_what_would_be_passed_over_is_refused(closed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, _ = told(capsys, "sweep", str(closed), "--target", "http://127.0.0.1:9", "--confirm", "human")
    assert code == 2
    assert "--confirm and --calibration: a sweep takes" in data["error"]["message"]


def test_files_that_cannot_be_written_are_told_before_anything_is_sent(
    finding: str, closed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["--target", "http://127.0.0.1:9", "--out", str(tmp_path / "run")]
    for option in ("--html", "--bundle", "--junit", "--sarif"):
        words = ["sweep", str(closed), *target, option, str(tmp_path / "no" / "file")]
        code, data, _ = told(capsys, *words)
        assert code == 2
        assert data["error"]["message"].startswith(f"{option}: there is no directory")
    code, data, _ = told(capsys, "map", finding, *target, "--html", str(tmp_path))
    assert "--html: " in data["error"]["message"]
    assert not (tmp_path / "run").exists()


def test_rates_of_two_versions_may_be_named(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", finding, "--question", "compare", "--rates"]
    code, data, _ = told(capsys, *words, ".1,.6")
    assert code == 0
    assert [row["assumed"] for row in data["points"]] == ["old at 10\u202f%, new at 60\u202f%"]
    code, data, _ = told(capsys, *words, ".1")
    assert code == 2
    code, data, _ = told(capsys, "plan", finding, "--question", "map", "--rates", ".1")
    assert "--rates: a map is foreseen for fixed assumptions" in data["error"]["message"]
    code, data, _ = told(capsys, "plan", finding, "--question", "map", "--alpha", ".1")
    assert "--alpha and --beta: a map has --delta instead" in data["error"]["message"]
    assert foreseeing.NOTHING == "none came back"


def test_a_terminal_without_blocks_gets_plain_letters() -> None:
    row = {"cell": "a", "wording": "w", "n": 10, "k": 4, "one_answer": False, "parameters": {"temperature": 0.7}}
    other = {**row, "cell": "b", "k": 0, "parameters": {"temperature": 1.0}}
    constant = {**row, "cell": "c", "k": 0, "one_answer": True, "parameters": {"temperature": 0.0}}
    said = grid([row, other, constant], leader="a", not_excluded=("a", "b"), blocks=False)
    assert said.isascii()
    assert "40 % 4/10 *" in said
    assert "0 % 0/10 +" in said
    assert "one answer 0/10" in said
    assert "* worst   + may be as bad" in said
    drawn = grid([row, other, constant], leader="a", not_excluded=("a",))
    assert "▄ 40\u202f% 4/10 ◆" in drawn
    assert "may be as bad" not in drawn
    assert grid([]) == ""

    class Latin:
        encoding = "latin-1"

    assert not drawable(Latin())  # type: ignore[arg-type]


def test_a_comparison_names_both_versions(
    finding: str, leaky: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--target", leaky.url, "--old", "v1", "--new", "v2", "--cap", "5", "--out", str(tmp_path / "run")]
    _, data, _ = told(capsys, "compare", finding, *words)
    assert (data["target"]["model"], data["old_target"]["model"]) == ("v2", "v1")
    assert data["old_target"]["url"] == leaky.url
    outside = result_for_researcher(data)
    assert "url" not in {*outside["target"], *outside["old_target"]}
