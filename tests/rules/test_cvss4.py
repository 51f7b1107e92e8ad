"""CVSS v4.0: the reference's scores on the reference's vectors, FIRST's schema, and words for what is wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cvss import CVSS4
from cvss.constants4 import METRICS_MANDATORY, METRICS_VALUE_NAMES
from hypothesis import given
from hypothesis import strategies as st

from manyeyes.rules import cvss4
from manyeyes.rules.errors import Invalid

HERE = Path(__file__).parent
ROWS = [line.split() for line in (HERE / "cvss-v4-scores.txt").read_text().splitlines() if line.startswith("CVSS")]
PLAIN = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"


def exactly(text: str) -> Any:
    """JSON with its numbers as written: 9.2 is a multiple of 0.1, the nearest binary fraction is not."""
    return json.loads(text, parse_float=Decimal)


SCHEMA = jsonschema.Draft202012Validator(exactly((HERE / "cvss-v4.0.schema.json").read_text()))


@st.composite
def vectors(draw: st.DrawFn) -> str:
    """Any well-formed vector: all base metrics, some others, in any order."""
    others = draw(st.sets(st.sampled_from(sorted(set(METRICS_VALUE_NAMES) - set(METRICS_MANDATORY)))))
    codes = draw(st.permutations([*METRICS_MANDATORY, *sorted(others)]))
    return "/".join(
        ["CVSS:4.0", *(f"{code}:{draw(st.sampled_from(list(METRICS_VALUE_NAMES[code])))}" for code in codes)]
    )


@pytest.mark.parametrize(("vector", "stated"), ROWS, ids=[row[0] for row in ROWS])
def test_the_score_is_the_stated_one(vector: str, stated: str) -> None:
    assert cvss4.read(vector).score == float(stated)
    assert cvss4.read(vector).vector == vector


@given(vectors())
def test_any_vector_scores_as_the_library_says_and_fits_the_schema(vector: str) -> None:
    found = cvss4.read(vector)
    reference = CVSS4(vector)
    assert (found.score, found.severity) == (reference.base_score, reference.severity)
    assert cvss4.read(found.vector) == found
    SCHEMA.validate(exactly(json.dumps(found.as_json())))


def test_the_schema_is_firsts_and_the_librarys_own_json_does_not_pass_it() -> None:
    assert "FIRST.ORG" in SCHEMA.schema["license"][0]
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(exactly(json.dumps(CVSS4(PLAIN).as_json())))


def test_threat_and_environment_are_kept_apart_from_the_base() -> None:
    plain, more = cvss4.read(PLAIN), cvss4.read(f"{PLAIN}/E:U/AR:L")
    assert (plain.nomenclature, more.nomenclature) == ("CVSS-B", "CVSS-BTE")
    assert cvss4.read(f"{PLAIN}/E:X/MAV:L").nomenclature == "CVSS-BE"
    assert plain.score == plain.base_score == more.base_score == 8.7
    assert more.score < more.base_score
    assert more.as_json()["baseScore"] == 8.7


def test_the_selects_of_a_form_are_the_base_metrics() -> None:
    assert [code for code, _, _ in cvss4.BASE] == list(METRICS_MANDATORY)
    for code, _, levels in cvss4.BASE:
        assert {letter for letter, _ in levels} == set(METRICS_VALUE_NAMES[code])
    letters = dict(pair.split(":") for pair in PLAIN.split("/")[1:])
    assert cvss4.build(letters).vector == PLAIN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it must begin with CVSS:4.0"),
        ("CVSS:3.1/AV:N", "begins with 'CVSS:3.1'"),
        (PLAIN.replace("AV:N", "AV:Z"), "AV:Z is not one of N, A, L, P."),
        (PLAIN.replace("/VC:N", ""), "VC is missing."),
        (f"{PLAIN}/AV:L", "AV is given twice."),
        (f"{PLAIN}/ZZ:1", "There is no metric 'ZZ'."),
        (f"{PLAIN}/", "There is no metric ''."),
        (f"{PLAIN}/E", "E: is not one of X, A, P, U."),
        (PLAIN + "/E:P" * 100, "longer than 300"),
    ],
)
def test_a_wrong_vector_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        cvss4.read(text)
    assert words in refusal.value.fields["cvss"]
