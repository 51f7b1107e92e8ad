"""Agreement of raters: counted by hand, and Krippendorff's own example gives Krippendorff's own figure."""

from __future__ import annotations

import pytest

from manyeyes.rules.agreement import FEW, alpha, by_metric, of_bands
from manyeyes.rules.mes import STANDARD
from manyeyes.rules.severity import BANDS


def test_krippendorffs_example() -> None:
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[row[i] for row in observers if row[i] != "."] for i in range(12)]
    assert alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_full_agreement_is_one_and_no_variation_is_nothing() -> None:
    assert alpha([["H", "H"], ["L", "L"]]) == 1.0
    assert alpha([["H", "H"], ["H", "H"]]) is None
    assert alpha([]) is None


def test_each_metric_is_counted_apart() -> None:
    start = STANDARD.start
    rated = [
        [start, {**start, "DX": "L"}],
        [{**start, "DX": "H"}, {**start, "DX": "H"}, {**start, "DX": "L"}],
        [start],
    ]
    found = {row.code: row for row in by_metric(rated, STANDARD)}
    assert (found["DX"].cases, found["DX"].pairs, found["DX"].same, found["DX"].near) == (2, 4, 1, 1)
    assert found["DX"].share == 0.25
    assert (found["AX"].same, found["AX"].share) == (4, 1.0)
    assert found["DX"].alpha is None, "two cases say nothing"
    assert by_metric([], STANDARD)[0].share is None


def test_with_enough_cases_the_figure_is_given() -> None:
    rated = [[{**STANDARD.start, "DX": "H"}, {**STANDARD.start, "DX": letter}] for letter in "H" * (FEW - 1) + "L"]
    found = by_metric(rated, STANDARD)[0]
    assert found.alpha == pytest.approx(0.0, abs=1e-9)
    letters = {**STANDARD.start}
    letters.pop("DX")
    assert by_metric([[letters, letters]], STANDARD)[0].cases == 0, "a metric that an older rubric lacked is left out"


def test_bands_are_compared_in_their_order() -> None:
    found = of_bands([["High", "Medium"], ["Low", "Low"], ["Low"]], BANDS)
    assert (found.cases, found.same, found.near) == (2, 1, 1)
