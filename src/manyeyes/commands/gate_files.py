"""What a sweep leaves for a build server: JUnit XML, and SARIF 2.1.0."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from manyeyes.charts.inert import terminal
from manyeyes.rules.numerals import many
from manyeyes.rules.sentences import rate_words

Row = Mapping[str, Any]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_text(file: Path, text: str) -> None:
    """Writes a file as a whole or not at all; letters that no file holds become question marks. Raises OSError."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text, encoding="utf-8", errors="replace")
    os.replace(draft, file)


def junit(result: Row, *, ended: str) -> str:
    """One test case a finding: regressed is a failure, not decided an error. `ended` is a time in ISO 8601.

    In the shape that the strictest of the common schemas asks for: every attribute, `properties` first, both outputs
    last.
    """
    items = result["items"]
    verdicts = [row["verdict"] for row in items]
    seconds = float(result["seconds"])
    root = Element("testsuites")
    suite = SubElement(
        root,
        "testsuite",
        {
            "id": "0",
            "package": "manyeyes",
            "name": "manyeyes sweep",
            "timestamp": ended[:19],
            "hostname": "localhost",
            "tests": str(len(items)),
            "failures": str(verdicts.count("regressed")),
            "errors": str(verdicts.count("open")),
            "time": f"{seconds:.3f}",
        },
    )
    properties = SubElement(suite, "properties")
    for name in ("plan_hash", "verdict", "calls"):
        SubElement(properties, "property", {"name": name, "value": _xml(str(result[name]))})
    whole = sum(row["n"] for row in items) or 1
    for row in items:
        _case(suite, row, seconds * row["n"] / whole)
    SubElement(suite, "system-out").text = _xml(f"{result['reason']}; {many(result['calls'], 'call')}")
    SubElement(suite, "system-err")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, row: Row, seconds: float) -> None:
    name = _xml(f"{row['key']}: {row['title']}" if row["title"] else row["key"])
    case = SubElement(suite, "testcase", {"classname": "manyeyes.sweep", "name": name, "time": f"{seconds:.3f}"})
    kind = {"regressed": "failure", "open": "error"}.get(row["verdict"])
    if kind is not None:
        said = _said(row)
        SubElement(case, kind, {"type": row["verdict"], "message": _xml(said)}).text = _xml(said)


def _said(row: Row) -> str:
    counted = f"{rate_words(row)}, where {row['tau']:g} is allowed"
    if row["verdict"] == "regressed":
        return f"came back: {counted}; evidence {row['evalue']:.3g}"
    if row["verdict"] == "open":
        return f"not decided: {counted}"
    return f"stays away: {counted}"


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold, and those that turn or hide text where a build server shows it."""
    return terminal(_NOT_XML.sub("\ufffd", text))


def sarif(result: Row, files: Mapping[str, str]) -> str:
    """One result a finding. `files` maps keys to the paths of the reproducers, relative to the directory swept."""
    items = result["items"]
    driver = {
        "name": "manyeyes",
        "semanticVersion": version("manyeyes"),
        "rules": [_rule(row) for row in items],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"manyeyes-sweep/{result['plan_hash']}"},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "utf16CodeUnits",
        "results": [_result(place, row, files) for place, row in enumerate(items)],
        "properties": {"verdict": result["verdict"], "calls": result["calls"], "plan_hash": result["plan_hash"]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _rule(row: Row) -> dict[str, Any]:
    title = terminal(row["title"] or row["key"])
    return {
        "id": row["key"],
        "shortDescription": {"text": title},
        "fullDescription": {
            "text": f"A closed finding that may succeed in at most {row['tau']:g} of all trials: {title}"
        },
        "defaultConfiguration": {"level": "error"},
    }


def _result(place: int, row: Row, files: Mapping[str, str]) -> dict[str, Any]:
    kind, level = {"regressed": ("fail", "error"), "open": ("open", "none")}.get(row["verdict"], ("pass", "none"))
    numbers = {name: row[name] for name in ("verdict", "n", "k", "low", "high", "evalue", "tau")}
    return {
        "ruleId": row["key"],
        "ruleIndex": place,
        "kind": kind,
        "level": level,
        "message": {"text": terminal(f"{row['title'] or row['key']}: {_said(row)}")},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(files[row["key"]])}, "region": {"startLine": 1}}}
        ],
        "partialFingerprints": {"manyeyes/finding/v1": row["key"]},
        "properties": numbers,
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
