"""Other schemes: suggested from the bands of the table, with security and safety kept apart."""

from __future__ import annotations

import pytest

from manyeyes.rules.crosswalk import cvss_letters, reliability_class, suggested
from manyeyes.rules.cvss4 import build
from manyeyes.rules.severity import parse, score

HEAD = "MES:1.0/DX:{DX}/AX:N/SX:N/IX:N/HX:{HX}/VT:{VT}/PX:{PX}/AE:{AE}/PE:{PE}/SP:1/FD:{FD}/UN:{FD}/OB:{OB}/RB:{RB}"
START = {"DX": "H", "HX": "N", "VT": "N", "PX": "N", "AE": "L", "PE": "N", "FD": "-", "OB": "29of30", "RB": "1"}


def words(**changes: str) -> dict[str, str]:
    vector = parse(HEAD.format(**{**START, **changes}))
    return {
        f"{row.scheme} {row.value.split(':')[0] if ':' in row.value else ''}".strip(): row.value
        for row in suggested(score(vector), vector)
    }


@pytest.mark.parametrize(
    ("changes", "msrc", "vrt", "odin"),
    [
        ({}, "Critical", "P1", "Severe"),
        ({"VT": "A"}, "Important", "P2", "High"),
        ({"DX": "M"}, "Moderate", "P3", "Medium"),
        ({"DX": "L"}, "Low", "P4", "Low"),
        ({"DX": "N"}, "no severity", "P5", "no bounty level"),
    ],
)
def test_bands_have_their_words_elsewhere(changes: dict[str, str], msrc: str, vrt: str, odin: str) -> None:
    found = words(**changes)
    assert (found["Microsoft (MSRC)"], found["Bugcrowd VRT"], found["0din"]) == (msrc, vrt, odin)


def test_content_has_no_severity_at_microsoft() -> None:
    vector = parse(HEAD.format(**{**START, "DX": "N", "HX": "C"}).replace("FD:-/UN:-", "FD:F/UN:U"))
    found = {row.scheme: row.value for row in suggested(score(vector), vector)}
    assert (found["Microsoft (MSRC)"], found["Bugcrowd VRT"]) == ("no severity", "P1")


def test_without_a_number_nothing_is_suggested() -> None:
    assert words(OB="X") == {}
    assert words(OB="0of30") == {}


def test_persistence_is_named_where_it_was_rated() -> None:
    assert words(PE="Y")["AIVSS 2.0 candidate CP"] == "CP:C"
    assert "AIVSS 2.0 candidate CP" not in words()


@pytest.mark.parametrize(
    ("observed", "budget", "letter"),
    [
        ("30of30", "1", "R"),
        ("29of30", "1", "P"),
        ("20of20", "1", "X"),
        ("X", "1", "X"),
        ("0of30", "1", "U"),
        ("3of30", "100", "R"),
    ],
)
def test_the_reliability_class_wants_thirty_trials(observed: str, budget: str, letter: str) -> None:
    assert reliability_class(parse(HEAD.format(**{**START, "OB": observed, "RB": budget}))) == letter


def test_base_metrics_to_begin_with_leave_the_rate_out() -> None:
    letters = cvss_letters(parse(HEAD.format(**{**START, "VT": "S", "PX": "H", "AE": "H", "OB": "3of30"})))
    assert build(letters).vector == "CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
    assert cvss_letters(parse(HEAD.format(**{**START, "VT": "P", "DX": "M"})))["UI"] == "P"
    assert cvss_letters(parse(HEAD.format(**{**START, "DX": "M"})))["VC"] == "L"
