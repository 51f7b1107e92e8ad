"""The example files of the documentation load, agree with the schema, and say what the reference says they do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from manyeyes.reproducer.load import dump_text, load_file, load_text
from manyeyes.reproducer.schema import schema_text

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("*.poc.yaml"))
REFERENCE = (DOCS / "reference" / "reproducer.md").read_text()


def test_there_is_one_example_of_every_form() -> None:
    found = [load_file(path) for path in EXAMPLES]
    assert {one.turns for one in found} == {"frozen", "fixed", "human"}
    assert {one.effects for one in found} == {"none", "reversible", "irreversible"}
    for form in ("tools", "tool_results", "documents", "attachments", "environment", "systems", "procedure"):
        assert any(getattr(one, form) for one in found), form
    assert any("side_channel" in one.success.to_json() for one in found)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_loads_and_is_written_back_equal(path: Path) -> None:
    found = load_file(path)
    assert load_text(dump_text(found)) == found
    jsonschema.Draft202012Validator(json.loads(schema_text())).validate(yaml.safe_load(path.read_text()))
    setting = found.rated_setting()
    text = str([found.messages(setting, found.wording_list()[0]), found.results(found.wording_list()[0])])
    assert "{{" not in text
    assert f"../examples/{path.name}" in REFERENCE, "the reference page names every example"


def test_every_field_stands_in_the_reference() -> None:
    schema = json.loads(schema_text())
    for field in schema["properties"]:
        assert f"`{field}`" in REFERENCE, field
