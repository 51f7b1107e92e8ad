"""Agreement of raters: counted by hand, and Krippendorff's own example gives Krippendorff's own figure."""

from __future__ import annotations

import random

import pytest

from manyeyes.rules import agreement
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


def two(rng: random.Random, cases: int, agree: float) -> list[list[str]]:
    """Two raters who say the same with chance `agree`, else each what comes to mind; alpha is `agree`."""
    told = []
    for _case in range(cases):
        first = rng.choices("NLMH", (5, 3, 1.5, 0.5))[0]
        told.append([first, first if rng.random() < agree else rng.choices("NLMH", (5, 3, 1.5, 0.5))[0]])
    return told


def test_the_interval_holds_the_truth_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "DRAWS", 200)
    rng, held, agree = random.Random(3), 0, 0.7
    apart = 1 - sum(chance**2 for chance in (0.5, 0.3, 0.15, 0.05))
    shares = 0
    for _table in range(120):
        found = of_bands(two(rng, 50, agree), "NLMH")
        assert found.alpha_ends
        assert found.share_ends
        held += found.alpha_ends[0] <= agree <= found.alpha_ends[1]
        shares += found.share_ends[0] <= 1 - (1 - agree) * apart <= found.share_ends[1]
    assert 105 <= held <= 119
    assert 105 <= shares <= 119


def test_more_cases_give_a_shorter_interval_and_the_same_cases_the_same() -> None:
    few, many = two(random.Random(5), 12, 0.6), two(random.Random(5), 240, 0.6)
    assert of_bands(few, "NLMH") == of_bands(few, "NLMH")
    (low, high), (near, far) = of_bands(few, "NLMH").alpha_ends or (0, 0), of_bands(many, "NLMH").alpha_ends or (0, 0)
    assert far - near < (high - low) / 2
    assert of_bands(few[:9], "NLMH").share_ends is None


def test_where_nothing_differs_the_other_end_is_exact() -> None:
    agreed = of_bands([["H", "H"]] * 6 + [["L", "L"]] * 6, "LH")
    beyond = 1 - 0.025 ** (1 / 12)
    assert (agreed.share_ends, agreed.alpha) == ((pytest.approx(1 - beyond), 1.0), 1.0)
    assert agreed.alpha_ends == (pytest.approx(1 - beyond * 23 / 12), 1.0)
    apart = of_bands([["H", "L"]] * 12, "LH")
    assert apart.share_ends == (0.0, pytest.approx(beyond))
    assert apart.alpha_ends == (pytest.approx(apart.alpha), pytest.approx((apart.alpha or 0) + beyond * 23 / 12))
    alike = of_bands([["H", "H"]] * 12, "LH")
    assert (alike.alpha, alike.alpha_ends, alike.share_ends) == (None, None, (pytest.approx(1 - beyond), 1.0))


def test_a_resample_in_which_nothing_varies_is_left_out() -> None:
    found = of_bands([["H", "H"]] * 9 + [["H", "L"]], "LH")
    assert found.alpha_ends
    assert -1 <= found.alpha_ends[0] <= (found.alpha or 0) <= found.alpha_ends[1] <= 1
