"""The published schema is the model's own, and accepts what the loader accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import jsonschema
import yaml

from manyeyes.reproducer.model import Hazard
from manyeyes.reproducer.schema import schema_text
from manyeyes.rules.permits import HAZARDS
from tests.reproducer.examples import EXAMPLE

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "reproducer.schema.json"


def test_published_schema_is_the_generated_one() -> None:
    assert PUBLISHED.read_text() == schema_text()


def test_schema_accepts_the_example_and_refuses_a_wrong_one() -> None:
    schema = json.loads(schema_text())
    good = yaml.safe_load(EXAMPLE)
    jsonschema.Draft202012Validator(schema).validate(good)
    bad = {**good, "class": "NOPE"}
    assert not jsonschema.Draft202012Validator(schema).is_valid(bad)
    single = {**good, "settings": {"temperature": 0.7}}
    assert jsonschema.Draft202012Validator(schema).is_valid(single)


def test_the_hazard_classes_are_those_a_permit_knows() -> None:
    assert set(get_args(Hazard)) == set(HAZARDS)
