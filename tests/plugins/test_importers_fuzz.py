"""Every field of every sample with a value of the wrong kind, and bytes changed by chance: a result or a refusal."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manyeyes.plugins.imported import Imported, ImportRefused, Limits
from manyeyes.runs import importing
from tests.plugins.importing import as_lines, database, document, eval_archive, lines, read, sample

WRONG: list[Any] = [
    None, True, 0, -1, 7, 2**70, 1.5, "", "x", "\ud800", "\0", "\u202e", [], {}, ["x"], {"x": 1}, [[]], [None],
    {"": []}, "attachment://x", "{{wording}}", "file:///etc/passwd", "true", "assistant",
]  # fmt: skip
TRIES = 5
Path = tuple[str | int, ...]


def small(name: str) -> Any:
    """A sample with few rows, so that many mutants are cheap."""
    if name.endswith(".jsonl"):
        rows = [row for row in lines(name) if row.get("entry_type") != "digest"]
        for row in rows:
            for key in ("outputs", "conversations", "reverse_translation_outputs"):
                if key in row:
                    row[key] = row[key][:3]
            for scores in row.get("detector_results", {}).values():
                del scores[3:]
        return rows[:12]
    data = document(name)
    if name.startswith("inspect"):
        data["samples"] = data["samples"][:2]
    if name.startswith("promptfoo"):
        data["results"]["results"] = data["results"]["results"][:2]
    if name.startswith("pyrit"):
        kept = {row["conversation_id"] for row in data["Conversations"][:1]}
        for table in ("Conversations", "PromptMemoryEntries", "AttackResultEntries"):
            data[table] = [row for row in data[table] if row["conversation_id"] in kept]
        data["ScoreEntries"] = data["ScoreEntries"][:1]
    return data


NAMES = ["garak.report.jsonl", "garak.hitlog.jsonl", "promptfoo.results.json", "inspect.log.json",
         "pyrit.memory.tables.json"]  # fmt: skip
SMALL = {name: small(name) for name in NAMES}


def places(data: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in some data."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def put(data: Any, path: Path, value: Any, *, drop: bool = False) -> Any:
    """A copy with another value in a place, or without the place."""
    data = copy.deepcopy(data)
    node = data
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return data


def encoded(data: Any, name: str) -> bytes:
    """The data as the file it stands for."""
    return as_lines(data) if name.endswith(".jsonl") else json.dumps(data).encode()


def tried(raw: bytes, **answers: str) -> Imported | None:
    """What is understood, taken through the parent's own check as well; None where it is refused with a reason."""
    try:
        found = read(raw, Limits(), **answers)
    except ImportRefused as error:
        said = error.message
    else:
        return believed(found)
    assert said.isprintable()
    assert len(said) < importing.LONGEST_MESSAGE
    return None


def believed(found: Imported) -> Imported:
    """The answer as the parent takes it, with possible counts only."""
    again = importing._understood(json.dumps({"imported": dataclasses.asdict(found)}, allow_nan=False).encode())
    for finding in again.findings:
        assert importing._checked(finding).title
        for tally in finding.tallies:
            assert tally.successes is None or 0 <= tally.successes <= tally.trials
    return again


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_the_wrong_kind_in_any_field_is_read_or_refused(name: str) -> None:
    whole, chance = SMALL[name], random.Random(name)
    answers = {"success_means": "fail"} if name.startswith("promptfoo") else {}
    assert tried(encoded(whole, name), **answers) is not None
    shapes = {tuple("*" if isinstance(step, int) else step for step in path): path for path in places(whole)}
    outcomes = {True: 0, False: 0}
    for path in shapes.values():
        for value in chance.sample(WRONG, TRIES):
            outcomes[tried(encoded(put(whole, path, value), name), **answers) is not None] += 1
        outcomes[tried(encoded(put(whole, path, None, drop=True), name), **answers) is not None] += 1
    assert min(outcomes.values()) > 0


def table_file(path: Path, value: Any) -> bytes:
    """The PyRIT sample as a database with another value in one cell."""
    return database(put(SMALL["pyrit.memory.tables.json"], path, value))


def test_a_wrong_cell_of_a_database_is_read_or_refused() -> None:
    whole, chance = SMALL["pyrit.memory.tables.json"], random.Random(3)
    cells = [path for path in places(whole) if len(path) == 3]
    values = [None, 7, 1.5, "", "x", b"\x00\xff", '{"a": 1}', "[]", "null", "{", '{"a": NaN}', "[" * 200, "\0"]
    for path in chance.sample(cells, 60):
        tried(table_file(path, chance.choice(values)))


FORMS = {
    "garak": sample("garak.hitlog.jsonl"),
    "promptfoo": encoded(SMALL["promptfoo.results.json"], ""),
    "inspect": encoded(SMALL["inspect.log.json"], ""),
    "eval": eval_archive({**SMALL["inspect.log.json"]}),
    "pyrit": encoded(SMALL["pyrit.memory.tables.json"], ""),
    "memory": database(SMALL["pyrit.memory.tables.json"]),
}


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_bytes_changed_by_chance_are_read_or_refused(form: str, data: st.DataObject) -> None:
    raw = bytearray(FORMS[form])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        act = data.draw(st.sampled_from(["set", "cut", "insert", "double"]))
        if act == "set":
            raw[at] = data.draw(st.integers(0, 255))
        elif act == "cut":
            del raw[at : at + data.draw(st.integers(1, 200))]
        elif act == "insert":
            raw[at:at] = data.draw(st.binary(max_size=20))
        else:
            raw[at:at] = raw[at : at + 50]
        if not raw:
            break
    tried(bytes(raw))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["entry_type", "results", "evalId", "version", "eval", "plan", "samples", "status", "x",
                         "PromptMemoryEntries", "config", "manyeyes"]), inner, max_size=5),
    max_leaves=20,
))  # fmt: skip
def test_any_json_is_read_or_refused(data: Any) -> None:
    tried(json.dumps(data).encode())
