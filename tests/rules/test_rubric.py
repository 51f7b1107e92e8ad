"""A rubric is data: what is wrong in one is told, a good one scores, and what changed between two can be read."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from manyeyes.rules.errors import Invalid
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.rubric import LONGEST_FILE, TAKEN, difference, read, read_text, schema_text, text_of
from manyeyes.rules.severity import band, curve, parse, score

ROOT = Path(__file__).parents[2]
OWN = "MES:1.0+larkfield.2"
VECTOR = "MES:1.0/DX:H/AX:N/SX:N/IX:N/HX:N/VT:N/PX:N/AE:L/PE:N/SP:1/FD:-/UN:-/OB:29of30/RB:1"


def changed(change: Callable[[dict[str, Any]], Any] = lambda _: None) -> dict[str, Any]:
    data = copy.deepcopy(STANDARD.as_data())
    data |= {"version": OWN, "based_on": "MES:1.0"}
    change(data)
    return data


def level(data: dict[str, Any], code: str, letter: str) -> dict[str, Any]:
    metric = next(metric for metric in data["metrics"] if metric["code"] == code)
    return next(row for row in metric["levels"] if row["letter"] == letter)


def test_what_is_written_is_read_again() -> None:
    assert read_text(text_of(STANDARD)) == STANDARD
    shipped = (ROOT / "src/manyeyes/rules/mes-1.0.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == STANDARD.as_data()


def test_the_shipped_rubric_fits_the_published_schema() -> None:
    published = (ROOT / "docs/reference/rubric.schema.json").read_text(encoding="utf-8")
    assert published == schema_text()
    jsonschema.Draft202012Validator(json.loads(published)).validate(STANDARD.as_data())


def test_another_weight_gives_another_score_under_its_own_name_only() -> None:
    own = read(changed(lambda data: level(data, "DX", "H").update(weight=7)))
    vector = VECTOR.replace("MES:1.0", OWN)
    assert (score(VECTOR).sec, score(vector, own).sec) == (9.0, 7.0)
    assert score(parse(vector, own)).sec_band == "High"
    assert str(parse(vector, own)) == vector
    with pytest.raises(Invalid) as refusal:
        score(vector)
    assert "must begin with MES:1.0." in refusal.value.fields["vector"]
    assert [point.sec for point in curve(vector, own)] == [7.0] * 8


def test_bands_are_cut_where_the_rubric_says() -> None:
    def lower(data: dict[str, Any]) -> None:
        data["cuts"][0]["least"] = 8.0

    own = read(changed(lower))
    assert (band(8.5), band(8.5, own)) == ("High", "Critical")
    open_one = parse(VECTOR.replace("MES:1.0", OWN).replace("29of30", "X").replace("VT:N", "VT:P"), own)
    assert (score(open_one).sec_band, score(open_one).highest_band) == ("no number", "Critical")


def test_a_metric_of_ones_own_enters_the_scores_by_its_group() -> None:
    def add(data: dict[str, Any]) -> None:
        levels = [
            {"letter": "N", "weight": 1, "words": "everywhere"},
            {"letter": "R", "weight": 0.5, "words": "one site"},
        ]
        metric = {"code": "RG", "name": "Region", "question": "Where?", "group": "exposure", "plain": ["N"]}
        data["metrics"].append({**metric, "levels": levels})

    own = read(changed(add))
    assert own.start == {**STANDARD.start, "RG": "N"}
    vector = VECTOR.replace("MES:1.0", OWN).replace("/OB", "/RG:R/OB")
    assert score(vector, own).sec == 4.5
    assert [step.factor for step in score(vector, own).steps if step.label == "RG:R"] == ["× 0.5"]


def test_one_impact_alone_has_no_second() -> None:
    def fewer(data: dict[str, Any]) -> None:
        data["metrics"] = [row for row in data["metrics"] if row["code"] not in ("AX", "SX", "IX")]

    own = read(changed(fewer))
    assert score(VECTOR.replace("MES:1.0", OWN).replace("/AX:N/SX:N/IX:N", ""), own).sec == 9.0


def test_what_changed_can_be_read() -> None:
    def change(data: dict[str, Any]) -> None:
        level(data, "DX", "H")["weight"] = 7.5
        data["second_impact"] = 1
        data["metrics"] = [row for row in data["metrics"] if row["code"] != "IX"]

    assert difference(STANDARD, read(changed())) == []
    told = {place: (was, now) for place, was, now in difference(STANDARD, read(changed(change)))}
    assert told["DX:H"] == (
        "9: another user's data, a live secret, personal training data",
        "7.5: another user's data, a live secret, personal training data",
    )
    assert told["second impact"] == ("+ 0.5 from 6", "+ 1 from 6")
    assert told["IX:M"] == ("6: degraded answers for many, or wrong ones of low stakes", "–")
    assert "order" in told


def put(code: str, /, **values: Any) -> Callable[[dict[str, Any]], Any]:
    def change(data: dict[str, Any]) -> None:
        next(metric for metric in data["metrics"] if metric["code"] == code).update(values)

    return change


def without(*codes: str) -> Callable[[dict[str, Any]], Any]:
    def change(data: dict[str, Any]) -> None:
        data["metrics"] = [row for row in data["metrics"] if row["code"] not in codes]

    return change


def row(name: str, place: int, **values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda data: data[name][place].update(values)


WRONG: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("version", lambda d: d.update(version="AIS:1.0"), "version: string should match pattern"),
    ("unknown field", lambda d: d.update(colour="red"), "colour: extra inputs are not permitted"),
    ("weight too large", lambda d: level(d, "DX", "C").update(weight=11), "metrics.0.levels.4.weight: input should be"),
    ("weight no number", lambda d: level(d, "DX", "C").update(weight="much"), "metrics.0.levels.4.weight"),
    ("code twice", put("AX", code="DX"), "DX is defined twice."),
    ("code of CVSS", put("AX", code="AV"), "AV: these letters mean something else"),
    ("no security", without("DX", "AX", "SX", "IX"), "There is no metric of the group security."),
    ("no safety", without("HX"), "exactly one metric of the group safety"),
    ("letter twice", lambda d: level(d, "DX", "L").update(letter="M"), "DX: the letter M is used twice."),
    ("plain unknown", put("VT", plain=["Z"]), "VT: plain names Z, which is none of its letters."),
    ("start weighs", put("DX", plain=["L"]), "DX: a rating begins at L, which must weigh 0."),
    ("added too much", lambda d: level(d, "PE", "Y").update(weight=3), "PE: what is added may weigh 2 at most."),
    ("factor above one", lambda d: level(d, "VT", "P").update(weight=2), "VT: a factor is above 0 and at most 1."),
    ("factor of nothing", lambda d: level(d, "VT", "P").update(weight=0), "VT: a factor is above 0 and at most 1."),
    ("no dash", lambda d: level(d, "FD", "-").update(letter="X"), "FD: the letter - belongs to the safety factors"),
    ("dash elsewhere", lambda d: level(d, "VT", "P").update(letter="-"), "VT: the letter - belongs to the safety"),
    (
        "nothing to choose",
        put("FD", levels=[{"letter": a, "weight": 1, "words": "so"} for a in "F-"]),
        "FD: beside - it needs two letters",
    ),
    ("reliability names", row("reliability", 0, band="S5"), "reliability: the bands are R5, R4, R3, R2, R1"),
    ("reliability end", row("reliability", 4, least=0.01), "reliability: R1 begins at 0."),
    ("reliability order", row("reliability", 1, least=0.9), "reliability: each band begins below the one before."),
    ("factor rises", row("reliability", 1, factor=0.5), "the factor of a rarer band is never larger."),
    ("cut names", row("cuts", 0, band="Severe"), "cuts: the bands are Critical, High, Medium, Low"),
    ("cut order", row("cuts", 1, least=9.5), "cuts: each band begins below the one before."),
    ("curve falls", lambda d: d.update(curve=[5, 1]), "curve: numbers of tries that grow, from 1 to 100."),
    ("curve too far", lambda d: d.update(curve=[1, 500]), "curve: numbers of tries"),
    ("curve from nought", lambda d: d.update(curve=[0, 5]), "curve: numbers of tries"),
]


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_rubric_says_what_is_wrong(change: Callable[[dict[str, Any]], Any], words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(changed(change))
    assert words in refusal.value.fields["rubric"]


def test_everything_wrong_is_told_at_once() -> None:
    def spoil(data: dict[str, Any]) -> None:
        level(data, "PE", "Y")["weight"] = 3
        data["cuts"][1]["least"] = 9.5

    with pytest.raises(Invalid) as refusal:
        read(changed(spoil))
    assert "PE:" in refusal.value.fields["rubric"]
    assert "cuts:" in refusal.value.fields["rubric"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "This is no JSON"), ("[]", "the file: "), (" " * (LONGEST_FILE + 1), "longer than")],
)
def test_a_text_that_is_no_rubric_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_text(text)
    assert words in refusal.value.fields["rubric"]


def test_the_letters_of_the_standard_mean_nothing_else_elsewhere() -> None:
    assert not set(STANDARD.by_code) & TAKEN


def test_what_takes_nothing_for_granted_needs_no_words_of_its_own() -> None:
    asked = [("DX", "N"), ("DX", "L"), ("PX", "L"), ("AE", "L"), ("SP", "1"), ("FD", "-")]
    assert [STANDARD.is_plain(code, letter) for code, letter in asked] == [True, False, True, True, True, True]
