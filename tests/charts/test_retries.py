"""The curve over the retry budget: drawn from the numbers, told by the table, refused where they cannot be."""

from __future__ import annotations

import re

import pytest

from manyeyes.charts.retries import RetryPoint, retry_curve
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.severity import at_tries, wilson

BANDS = [(row.band, row.least) for row in STANDARD.reliability]


def points(k: int, n: int) -> list[RetryPoint]:
    low, high = wilson(k, n)
    return [RetryPoint(tries=tries, low=at_tries(low, tries), high=at_tries(high, tries)) for tries in STANDARD.curve]


def test_the_table_says_what_the_curve_shows() -> None:
    svg, table = retry_curve(points(3, 30), BANDS, 25)
    told = {row[0]: row for row in table.rows}
    assert told["1 try"] == ("1 try", "4\u202f%", "23\u202f%", "R1")
    assert told["25 tries"][1:] == ("65\u202f%", ">99\u202f%", "R4")
    assert table.caption == "Chance that one of K tries works: 65\u202f% or more with 25 tries"
    assert svg.count('class="hit-dot"') == 1
    assert svg.count('class="miss-dot"') == len(STANDARD.curve) - 1
    assert all(f">{name}</text>" in svg for name, _ in BANDS)
    assert "style=" not in svg


def test_more_tries_never_lower_the_curve() -> None:
    svg, _ = retry_curve(points(3, 30), BANDS, 1)
    drawn = re.search(r'class="path-line" points="([^"]+)"', svg)
    assert drawn is not None
    heights = [float(pair.split(",")[1]) for pair in drawn[1].split()]
    assert heights == sorted(heights, reverse=True)


def test_a_budget_between_the_points_is_named_by_the_nearest() -> None:
    _, table = retry_curve(points(15, 30), BANDS, 4)
    assert table.caption.endswith("with 3 tries")


def test_one_point_is_enough_and_none_is_refused() -> None:
    assert retry_curve([RetryPoint(tries=1, low=0.0, high=1.0)], BANDS, 1)[1].rows == [
        ("1 try", "0\u202f%", "100\u202f%", "R1")
    ]
    with pytest.raises(ValueError, match="points is empty"):
        retry_curve([], BANDS, 1)
    with pytest.raises(ValueError, match="low is 2"):
        retry_curve([RetryPoint(tries=1, low=2, high=1)], BANDS, 1)
